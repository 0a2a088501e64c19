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
 * const { port } = server.addr;
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
export {
  ChatClient,
  ChatJoinError,
  type ChatJoinErrorCode,
  type ChatJoinOptions,
  joinChat,
} from "./client.ts";
export type { ChatOutput } from "./_paced_lines.ts";
export { type ContactAddress, parseContacts } from "./contacts.ts";
export { type ChatLine, parseChatLine } from "./line.ts";
export { toPrintable } from "../../common/escape.ts";
export { type ChatConnectOptions, ChatRoom } from "./room.ts";
export type { ChatRoomLimits, ChatRoomOptions } from "./room_options.ts";
export {
  chatHandler,
  type ChatHandlerOptions,
  type ChatServerOptions,
  type ChatTimeouts,
  serveChat,
} from "./server.ts";
export type { ChatSession } from "./session.ts";
export { bindUdpChat, UdpChat, type UdpChatMessage, type UdpChatOptions } from "./udp.ts";
