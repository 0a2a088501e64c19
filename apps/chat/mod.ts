/**
 * Chat: a room over TCP that `nc` and `telnet` can join, and talk by name over UDP.
 *
 * The room's rules ({@linkcode ChatRoom}) know no sockets; {@linkcode serveChat} and
 * {@linkcode joinChat} carry them over TCP, TLS or a unix socket. {@linkcode bindUdpChat} talks to
 * peers that send and receive bare text. What is on the wire stands in `docs/chat.md`.
 *
 * @example A room, and a client in it
 * ```ts
 * import { joinChat, serveChat } from "@tincan/net/chat";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveChat({ port: 0, onListen() {} });
 * const { port } = server.addr as Deno.NetAddr;
 * await using ada = await joinChat({ port, name: "Ada" });
 * await using bob = await joinChat({ port, name: "Bob" });
 * await ada.send("/msg Bob psst");
 * for await (const { kind, from, text } of bob) {
 *   if (kind === "notice") continue;
 *   assertEquals([kind, from, text], ["private", "Ada", "psst"]);
 *   break;
 * }
 * ```
 *
 * @module
 */
export { ChatClient, ChatJoinError, type ChatJoinOptions, joinChat } from "./client.ts";
export { type ContactAddress, parseContacts } from "./contacts.ts";
export { type ContactBook, type ConversationStep, UdpConversation } from "./conversation.ts";
export { type ChatLine, parseChatLine } from "./line.ts";
export {
  type ChatNameCheck,
  type ChatNameOptions,
  checkChatName,
  DEFAULT_MAX_NAME_LENGTH,
} from "./names.ts";
export type { ChatOutput } from "./output.ts";
export { toPrintable } from "../../common/escape.ts";
export { type ChatConnectOptions, ChatRoom } from "./room.ts";
export {
  type ChatRoomOptions,
  DEFAULT_CHAT_HISTORY,
  DEFAULT_MAX_CHAT_LINE_LENGTH,
  DEFAULT_MAX_HISTORY_BYTES,
  DEFAULT_MAX_JOINS_AT_ONCE,
  DEFAULT_MAX_JOINS_PER_SECOND,
  DEFAULT_MAX_LINES_AT_ONCE,
  DEFAULT_MAX_LINES_PER_SECOND,
  DEFAULT_MAX_MEMBERS,
  DEFAULT_MAX_MEMBERS_PER_ADDRESS,
  DEFAULT_MAX_NAME_ATTEMPTS,
  DEFAULT_MAX_NOTICES_AT_ONCE,
  DEFAULT_MAX_NOTICES_PER_SECOND,
} from "./room_options.ts";
export {
  chatHandler,
  type ChatHandlerOptions,
  type ChatServerOptions,
  DEFAULT_CHAT_IDLE_TIMEOUT,
  DEFAULT_CHAT_NAME_TIMEOUT,
  DEFAULT_CHAT_QUEUE,
  serveChat,
} from "./server.ts";
export type { ChatSession } from "./session.ts";
export {
  bindUdpChat,
  DEFAULT_MAX_UDP_MESSAGE_LENGTH,
  UdpChat,
  type UdpChatMessage,
  type UdpChatOptions,
} from "./udp.ts";
