/** A client of a room. @module */
import { TincanError } from "../../errors.ts";
import { checkOptions, type OptionNames } from "../../common/options.ts";
import { toPrintable } from "../../common/escape.ts";
import { CLIENT_NAMES } from "../../common/tcp_option_names.ts";
import { lines, text } from "../../framing/mod.ts";
import {
  connectTcp,
  type Framed,
  type TcpConnection,
  type TcpConnectOptions,
  type UnixConnectOptions,
} from "../../tcp/mod.ts";
import { type ChatLine, parseChatLine } from "./line.ts";

/** Lines a room may send before its welcome: a server that sends more is no room. */
const MAX_LINES_BEFORE_WELCOME = 100;

/** Where the room is: everything that `connectTcp` takes, and under which name to join. */
export type ChatJoinOptions = (TcpConnectOptions | UnixConnectOptions) & {
  /** The name to have in the room. */
  name: string;
  /** How much may wait to be written, and how much may be sent. */
  limits?: {
    /**
     * The longest line to send, in bytes; the room's own limit may be lower.
     *
     * @default {4_096}
     */
    maxLineLength?: number | undefined;
  } | undefined;
};

const NAMES: OptionNames<TcpConnectOptions & ChatJoinOptions> = {
  ...CLIENT_NAMES,
  limits: { ...CLIENT_NAMES.limits, maxLineLength: true },
  name: true,
};

/**
 * Why a room was not joined: `refused` if it did not take the name, `gone` if it ended the connection,
 * `protocol` if the server is no room.
 */
export type ChatJoinErrorCode = "refused" | "gone" | "protocol";

/**
 * A room was not joined.
 *
 * @example
 * ```ts
 * import { ChatJoinError, joinChat, serveChat } from "@tincan/net/chat";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using server = serveChat({ port: 0, onListen() {} });
 * const { port } = server.addr;
 * await using _ada = await joinChat({ port, name: "Ada" });
 * const error = await assertRejects(() => joinChat({ port, name: "ADA" }), ChatJoinError);
 * assertEquals([error.code, error.reason], ["refused", "that name is taken"]);
 * ```
 */
export class ChatJoinError extends TincanError<ChatJoinErrorCode> {
  /** What the room said about it. */
  readonly reason: string;

  /**
   * Makes the error.
   *
   * @param code Why the room was not joined.
   * @param message One line for people.
   * @param options What the room said about it.
   */
  constructor(
    code: ChatJoinErrorCode,
    message: string,
    options: ErrorOptions & {
      /** What the room said about it. */
      reason: string;
    },
  ) {
    super(code, message, options);
    this.reason = options.reason;
  }
}

/** The name that a room has given, and the line in which it said so. */
interface Welcome {
  readonly name: string;
  readonly line: ChatLine;
}

let create: (conn: TcpConnection, messages: Framed<string>, welcome: Welcome) => ChatClient;

/**
 * A member of a room, seen from outside: what {@linkcode joinChat} returns. Iterating gives what the room
 * says, beginning with its welcome.
 *
 * @example Listen until the room closes
 * ```ts
 * import { joinChat, serveChat } from "@tincan/net/chat";
 * import { assertEquals } from "@std/assert";
 *
 * const server = serveChat({ port: 0, onListen() {} });
 * await using chat = await joinChat({ port: server.addr.port, name: "Ada" });
 * const closing = server.shutdown();
 * const seen: string[] = [];
 * for await (const { text } of chat) seen.push(text);
 * await closing;
 * assertEquals(seen.at(-1), "Goodbye: the server is shutting down");
 * ```
 */
export class ChatClient implements AsyncIterable<ChatLine>, AsyncDisposable {
  /** The name that the room knows this person by. */
  readonly name: string;
  readonly #conn: TcpConnection;
  readonly #messages: Framed<string>;
  #first: ChatLine | undefined;

  static {
    create = (conn, messages, welcome) => new ChatClient(conn, messages, welcome);
  }

  private constructor(conn: TcpConnection, messages: Framed<string>, { name, line }: Welcome) {
    this.name = name;
    this.#conn = conn;
    this.#messages = messages;
    this.#first = line;
  }

  /**
   * Sends a line as if it had been typed: a message, or a command such as `/who`.
   *
   * @param line One line of text.
   * @returns A promise that settles when there is room for more.
   * @throws {FrameError} If the line has a line break in it (`corrupt`) or is longer than
   * `maxLineLength` (`too_long`); nothing was sent.
   * @throws {Deno.errors.BrokenPipe} If the server has gone.
   * @throws {ClosedError} If this side has left.
   */
  send(line: string): Promise<void> {
    return this.#messages.send(line);
  }

  /**
   * Leaves: what was sent goes out, and the room's last words can still be read, up to the end of the
   * iteration.
   */
  leave(): Promise<void> {
    return this.#conn.closeWrite();
  }

  /** Leaves without waiting for the room's last words. */
  close(): Promise<void> {
    return this.#conn.close();
  }

  /**
   * What the room says, until it ends the connection; then this side is closed too.
   *
   * @returns An iterator; leaving it loses nothing.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<ChatLine, void, undefined> {
    if (this.#first !== undefined) {
      const first = this.#first;
      this.#first = undefined;
      yield first;
    }
    for await (const line of this.#messages) yield parseChatLine(line);
    await this.close();
  }

  /** Closes as {@linkcode close} does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Joins a room.
 *
 * @param options Where the room is, and under which name.
 * @returns The member of the room.
 * @throws {ChatJoinError} If the room did not take the name or is no room.
 * @throws {Deno.errors.ConnectionRefused} If no one listens there.
 * @throws {Deno.errors.TimedOut} If connecting, or the room's welcome, took longer than `timeout`.
 * @throws {RangeError | TypeError} If an option is out of range or does not exist.
 *
 * @example
 * ```ts
 * import { joinChat, serveChat } from "@tincan/net/chat";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveChat({ port: 0, onListen() {} });
 * const { port } = server.addr;
 * await using chat = await joinChat({ port, name: " Ada " });
 * assertEquals(chat.name, "Ada");
 * ```
 */
export async function joinChat(options: ChatJoinOptions): Promise<ChatClient> {
  checkOptions("joinChat", options, NAMES);
  const { name, limits: { maxLineLength = 4_096, ...limits } = {}, ...target } = options;
  // The room's lines are a little longer than those it takes: they have names in front.
  const incoming = text(lines(), { fatal: false });
  const outgoing = text(lines({ maxLength: maxLineLength }));
  const conn = await connectTcp({ ...target, limits });
  try {
    const messages = conn.framed<string>({
      detached: true,
      decoder: () => incoming.decoder(),
      encode: (line) => outgoing.encode(line),
    });
    await messages.send(name);
    return create(conn, messages, await beWelcomed(messages, options));
  } catch (error) {
    conn.abort(error);
    throw error;
  }
}

async function beWelcomed(
  messages: Framed<string>,
  { name, timeout = 30_000, signal }: ChatJoinOptions,
): Promise<Welcome> {
  const refusal = (code: ChatJoinErrorCode, reason: string) =>
    new ChatJoinError(code, `Cannot join as ${toPrintable(name)}: ${reason}`, { reason });
  let last = "the server closed the connection";
  for (let count = 0; count < MAX_LINES_BEFORE_WELCOME; count++) {
    const received = await messages.receive({ timeout, signal });
    if (received === null) throw refusal("gone", last);
    const line = parseChatLine(received);
    if (!received.startsWith("*** ")) break;
    const welcome = /^Welcome, (\S+)! /u.exec(line.text);
    if (welcome?.[1] !== undefined) return { name: welcome[1], line };
    const refused = /^Sorry, (.*)\. What is your name\?$/u.exec(line.text);
    if (refused?.[1] !== undefined) throw refusal("refused", refused[1]);
    const goodbye = /^Goodbye: (.*)$/u.exec(line.text);
    if (goodbye?.[1] !== undefined) last = goodbye[1];
  }
  throw refusal("protocol", "the server does not answer as a chat room does");
}
