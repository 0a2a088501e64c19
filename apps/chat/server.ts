/** A room over TCP, TLS or a unix socket. @module */
import { LimitError } from "../../errors.ts";
import { deadline } from "../../common/deadline.ts";
import { checkTimeout } from "../../common/options.ts";
import { nextTurn, spend } from "../../common/turn_budget.ts";
import type { TcpConnection } from "../../tcp/connection.ts";
import type { Framed } from "../../tcp/framed.ts";
import { serveTcp, type TcpHandler } from "../../tcp/server.ts";
import type { TcpServer } from "../../tcp/server_handle.ts";
import type { TcpServerOptions, UnixServerOptions } from "../../tcp/server_options.ts";
import { chatLines, type Incoming, TOO_LONG } from "./_lines.ts";
import { ChatRoom } from "./room.ts";
import type { ChatSession } from "./session.ts";

/** Milliseconds to say a name in, unless specified: long enough to think of one. */
export const DEFAULT_CHAT_NAME_TIMEOUT = 60_000;

/** Milliseconds that somebody may stay without saying a word, unless specified: half a day. */
export const DEFAULT_CHAT_IDLE_TIMEOUT = 12 * 3_600_000;

/** Milliseconds from the first byte of a line to its last, where each key is sent as it is pressed. */
const DEFAULT_TYPING_TIMEOUT = 600_000;

/**
 * Bytes that may wait for one person who reads slowly, besides what is being written, unless said
 * otherwise: some thousand lines, beyond what the system buffers.
 */
export const DEFAULT_CHAT_QUEUE = 256 * 1024;

/** Connections for each person that may be in the room, so that those too many are told why. */
const CONNECTIONS_PER_MEMBER = 2;

/** How long people may take over what. */
export interface ChatHandlerOptions {
  /**
   * Milliseconds to say a name in; 0 and `Infinity` mean "no limit".
   *
   * @default {60_000}
   */
  nameTimeout?: number;
  /**
   * Milliseconds that somebody may stay without saying a word, after which they are told and
   * disconnected; 0 and `Infinity` mean "no limit".
   *
   * @default {43_200_000} half a day
   */
  idleTimeout?: number;
}

/**
 * Makes the handler that brings connections into a room, for `serveTcp`. {@linkcode serveChat} does
 * that with limits that fit; this is for servers with options of their own.
 *
 * The room's lines wait in the connection's write queue while somebody reads slowly. Whoever lets
 * more gather there than the server's `limits.maxWriteQueue` is dropped, so set it: its default
 * fits a server that writes for one.
 *
 * @param room The room; several servers may share it.
 * @param options Time-outs.
 * @returns The handler. When its server shuts down, it says goodbye to its people.
 * @throws {RangeError} If a time-out is negative or not a number.
 *
 * @example Over TLS and in the clear, one room
 * ```ts no-assert
 * import { chatHandler, ChatRoom } from "@tincan/net/chat";
 * import { serveTcp, type TlsServerOptions } from "@tincan/net/tcp";
 *
 * function serveBoth(tls: TlsServerOptions) {
 *   const handler = chatHandler(new ChatRoom());
 *   const limits = { maxWriteQueue: 256 * 1024 };
 *   return [
 *     serveTcp({ port: 6697, tls, limits }, handler),
 *     serveTcp({ port: 6667, limits }, handler),
 *   ];
 * }
 * ```
 */
export function chatHandler(room: ChatRoom, options: ChatHandlerOptions = {}): TcpHandler {
  const nameTimeout = checkTimeout("nameTimeout", options.nameTimeout ?? DEFAULT_CHAT_NAME_TIMEOUT);
  const idleTimeout = checkTimeout("idleTimeout", options.idleTimeout ?? DEFAULT_CHAT_IDLE_TIMEOUT);
  return async (conn) => {
    const { session, messages, send } = enter(room, conn);
    const onSignal = () => {
      if (conn.draining) session.dismissQuietly("the server is shutting down");
    };
    conn.signal.addEventListener("abort", onSignal);
    onSignal();
    const nameUntil = performance.now() + nameTimeout;
    try {
      while (!session.ended) {
        await inTime(session, conn.signal);
        const untilName = Math.max(0, nameUntil - performance.now());
        const line = await messages.receive({
          timeout: session.name === null ? untilName : idleTimeout,
        });
        if (line === null) break;
        if (line === TOO_LONG) {
          session.receiveTooLong();
        } else if (typeof line === "string") {
          session.receive(line);
        } else {
          if (line.answer.length > 0) send(line.answer);
          session.receive(line.text);
        }
        if (spend()) await nextTurn();
      }
      session.leave();
    } catch (error) {
      if (session.ended) return; // and the reason was given
      const isOurTime = error instanceof Deno.errors.TimedOut && !conn.signal.aborted;
      if (isOurTime) session.dismiss(session.name === null ? "no name came" : "nothing was said");
      session.leave("connection lost");
      if (!isOurTime) throw error;
    } finally {
      conn.signal.removeEventListener("abort", onSignal);
    }
  };
}

/** Waits until the next line may be read: a client beyond its rate, or with an answer on its way, is not
 * read at all, and the network makes it wait. */
async function inTime(session: ChatSession, signal: AbortSignal): Promise<void> {
  while (session.ready !== undefined) await session.ready;
  while (!signal.aborted && !session.ended && session.delay > 0) {
    await pause(session.delay, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const cancel = deadline(ms, end);
    signal.addEventListener("abort", end);
  });
}

function enter(room: ChatRoom, conn: TcpConnection): {
  session: ChatSession;
  messages: Framed<Incoming, Uint8Array>;
  send: (bytes: Uint8Array) => void;
} {
  const messages = conn.framed(chatLines(room.options.maxLineLength));
  const send = (line: Uint8Array) => void messages.send(line).catch(failed);
  const failed = (error: unknown) => {
    session.leave(error instanceof LimitError ? "could not keep up" : "connection lost");
    conn.abort(error);
  };
  const { remoteAddr } = conn;
  const session = room.connect(
    { send, flush: () => messages.flush(), end: () => void conn.close() },
    { address: "hostname" in remoteAddr ? remoteAddr.hostname : undefined },
  );
  return { session, messages, send };
}

/** Where to serve a room, and with which limits. */
export type ChatServerOptions<
  Where extends TcpServerOptions | UnixServerOptions = TcpServerOptions | UnixServerOptions,
> = Where & ChatHandlerOptions & {
  /**
   * The room.
   *
   * @default {undefined} a new one with the default limits
   */
  room?: ChatRoom | undefined;
};

/**
 * Serves a room: `serveTcp` with {@linkcode chatHandler} and with limits that fit a chat, unless the
 * options say otherwise: 256 KiB may wait for each person, connections are probed while they are
 * silent (`keepAlive`) instead of being closed (`timeouts.idle`), a line may take ten minutes to type
 * (`timeouts.frame`), and connections beyond twice the people that fit into the room, or may come from one
 * address, are dropped.
 *
 * @param options Where to listen, the room, time-outs and everything that `serveTcp` takes.
 * @returns The server; its `shutdown()` says goodbye to everybody.
 * @throws {Deno.errors.AddrInUse} If something listens there already.
 * @throws {RangeError | TypeError} If an option is out of range.
 *
 * @example A room, and a client in it
 * ```ts
 * import { joinChat, serveChat } from "@tincan/net/chat";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveChat({ port: 0, onListen() {} });
 * const { port } = server.addr;
 *
 * await using ada = await joinChat({ port, name: "Ada" });
 * await using bob = await joinChat({ port, name: "Bob" });
 * await bob.send("hello");
 * for await (const { kind, from, text } of ada) {
 *   if (kind !== "message") continue;
 *   assertEquals([from, text], ["Bob", "hello"]);
 *   break;
 * }
 * ```
 */
export function serveChat(
  options?: ChatServerOptions<TcpServerOptions>,
): TcpServer<Deno.NetAddr>;
/**
 * Serves a room on a unix socket.
 *
 * @param options The path, the room, timeouts and everything that `serveTcp` takes.
 * @returns The server.
 */
export function serveChat(
  options: ChatServerOptions<UnixServerOptions>,
): TcpServer<Deno.UnixAddr>;
/**
 * Serves a room wherever the options say.
 *
 * @param options Where to listen, the room, timeouts and everything that `serveTcp` takes.
 * @returns The server.
 */
export function serveChat(options?: ChatServerOptions): TcpServer;
export function serveChat(options: ChatServerOptions = {}): TcpServer {
  const { room = new ChatRoom(), nameTimeout, idleTimeout, limits, timeouts, ...rest } = options;
  const handler = chatHandler(room, {
    ...nameTimeout === undefined ? {} : { nameTimeout },
    ...idleTimeout === undefined ? {} : { idleTimeout },
  });
  return serveTcp({
    keepAlive: true,
    ...rest,
    limits: {
      maxConnections: CONNECTIONS_PER_MEMBER * room.options.maxMembers,
      maxConnectionsPerIp: CONNECTIONS_PER_MEMBER * room.options.maxMembersPerAddress,
      onLimit: "drop",
      maxWriteQueue: DEFAULT_CHAT_QUEUE,
      ...limits,
    },
    timeouts: { idle: Infinity, frame: DEFAULT_TYPING_TIMEOUT, ...timeouts },
  }, handler);
}
