/** A room over TCP, TLS or a unix socket. @module */
import { LimitError } from "../../errors.ts";
import { deadline } from "../../common/deadline.ts";
import { checkOptions, checkTimeout, type OptionNames } from "../../common/options.ts";
import { SERVER_NAMES } from "../../common/tcp_option_names.ts";
import { nextTurn, spend } from "../../common/turn_budget.ts";
import {
  serveTcp,
  type TcpConnection,
  type TcpHandler,
  type TcpServer,
  type TcpServerOptions,
  type UnixServerOptions,
} from "../../tcp/mod.ts";
import { type ChatInput, chatLines } from "./_lines.ts";
import { RateLimit } from "./_rate.ts";
import { decline, type TelnetRequest, withTelnet } from "./_telnet.ts";
import { ChatRoom } from "./room.ts";
import type { ChatSession } from "./session.ts";

/** Milliseconds from the first byte of a line to its last, where each key is sent as it is pressed. */
const TYPING_TIMEOUT = 600_000;

/** Bytes that may wait for a slow reader, beyond what the system buffers: some thousand lines. */
const MAX_WRITE_QUEUE = 256 * 1024;

/** Connections for each member of a full room, so that one too many can still be given the reason. */
const CONNECTIONS_PER_MEMBER = 2;

/**
 * Requests of a telnet that are answered, in a second and at once. After more, as from a key that is held
 * down, the connection is not read for a while.
 */
const ANSWERS_PER_SECOND = 10;
const ANSWERS_AT_ONCE = 50;

/** How long a person may take, in milliseconds; `Infinity` for no limit. */
export interface ChatTimeouts {
  /**
   * To say a name.
   *
   * @default {60_000} long enough to think of one
   */
  name?: number | undefined;
  /**
   * Without a line; then the connection is ended with a goodbye that says so.
   *
   * @default {43_200_000} half a day
   */
  idle?: number | undefined;
}

/** The options of {@linkcode chatHandler}. */
export interface ChatHandlerOptions {
  /** How long a person may take. */
  timeouts?: ChatTimeouts | undefined;
}

const TIMEOUTS: OptionNames<ChatTimeouts> = { name: true, idle: true };

/**
 * Makes the handler that brings connections into a room, for `serveTcp`. {@linkcode serveChat} does
 * that with limits that fit; this is for servers with options of their own.
 *
 * The room's lines wait in the connection's write queue while a client reads slowly. A client for which
 * more than the server's `limits.maxWriteQueue` waits is dropped, so set it: its default fits a server
 * that writes for one.
 *
 * @param room The room; several servers may share it.
 * @param options Timeouts.
 * @returns The handler. When its server shuts down, it says goodbye to its members.
 * @throws {RangeError | TypeError} If an option is out of range or does not exist.
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
  checkOptions("chatHandler", options, { timeouts: TIMEOUTS });
  const { name = 60_000, idle = 43_200_000 } = options.timeouts ?? {};
  checkTimeout("timeouts.name", name);
  checkTimeout("timeouts.idle", idle);
  return async (conn) => {
    const { session, messages, receive, delay } = enter(room, conn);
    const onSignal = () => {
      if (conn.draining) session.dismissQuietly("the server is shutting down");
    };
    conn.signal.addEventListener("abort", onSignal);
    onSignal();
    const nameUntil = performance.now() + name;
    try {
      while (!session.ended) {
        await inTime(session, delay, conn.signal);
        const untilName = Math.max(0, nameUntil - performance.now());
        const message = await messages.receive({
          timeout: session.name === null ? untilName : idle,
        });
        if (message === null) break;
        receive(message);
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
async function inTime(
  session: ChatSession,
  delay: () => number,
  signal: AbortSignal,
): Promise<void> {
  while (session.ready !== undefined) await session.ready;
  while (!signal.aborted && !session.ended) {
    const ms = delay();
    if (ms === 0) return;
    await pause(ms, signal);
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

/**
 * Brings a connection into a room: its session, its messages, what takes these, and how long the next
 * one must wait, in milliseconds.
 */
function enter(room: ChatRoom, conn: TcpConnection) {
  const codec = chatLines(room.limits.maxLineLength);
  const messages = conn.framed({ ...codec, decoder: () => withTelnet(codec.decoder()) });
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
  const answers = new RateLimit(ANSWERS_PER_SECOND, ANSWERS_AT_ONCE, performance.now());
  const receive = (message: ChatInput | TelnetRequest) => {
    switch (message.kind) {
      case "line":
        return session.receive(message.text);
      case "too_long":
        return session.receiveTooLong();
      case "telnet":
        // Unanswered, telnet would show nothing after Ctrl-C: none may be left out.
        answers.take(performance.now());
        send(decline(message));
    }
  };
  const delay = () => Math.max(session.delay, answers.wait(performance.now()));
  return { session, messages, receive, delay };
}

/** Where to serve a room: everything that `serveTcp` takes, and the room. */
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

const NAMES: OptionNames<TcpServerOptions & ChatServerOptions> = {
  ...SERVER_NAMES,
  timeouts: { ...SERVER_NAMES.timeouts, ...TIMEOUTS },
  room: true,
};

/**
 * Serves a room: `serveTcp` with {@linkcode chatHandler} and with limits that fit a chat, unless they
 * are specified: 256 KiB may wait for each member, connections are probed while they are silent
 * (`keepAlive`), a line may take ten minutes to type (`timeouts.frame`), and connections beyond twice
 * the members that fit into the room, or may come from one address, are dropped. `timeouts.idle` counts
 * lines, not bytes: see {@linkcode ChatTimeouts}.
 *
 * @param options Where to listen, the room, timeouts and everything that `serveTcp` takes.
 * @returns The server; its `shutdown()` says goodbye to all members.
 * @throws {Deno.errors.AddrInUse} If something listens there already.
 * @throws {RangeError | TypeError} If an option is out of range or does not exist.
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
  checkOptions("serveChat", options, NAMES);
  const { room = new ChatRoom(), limits, timeouts, ...rest } = options;
  const { name, idle, ...times } = timeouts ?? {};
  const { maxMembers, maxMembersPerAddress } = room.limits;
  return serveTcp({
    ...rest,
    keepAlive: rest.keepAlive ?? true,
    limits: {
      ...limits,
      maxConnections: limits?.maxConnections ?? CONNECTIONS_PER_MEMBER * maxMembers,
      maxConnectionsPerIp: limits?.maxConnectionsPerIp ??
        CONNECTIONS_PER_MEMBER * maxMembersPerAddress,
      onLimit: limits?.onLimit ?? "drop",
      maxWriteQueue: limits?.maxWriteQueue ?? MAX_WRITE_QUEUE,
    },
    timeouts: { ...times, frame: times.frame ?? TYPING_TIMEOUT, idle: Infinity },
  }, chatHandler(room, { timeouts: { name, idle } }));
}
