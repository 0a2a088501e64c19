/** A client of a room. @module */
import { connectTcp, type TcpConnectOptions, type UnixConnectOptions } from "../../tcp/mod.ts";
import type { TcpConnection } from "../../tcp/connection.ts";
import type { Framed } from "../../tcp/framed.ts";
import { lines } from "../../framing/lines.ts";
import { text } from "../../framing/text.ts";
import { type ChatLine, parseChatLine } from "./line.ts";
import { DEFAULT_MAX_CHAT_LINE_LENGTH } from "./room_options.ts";

/** How long a room may take to let somebody in, unless said otherwise. */
const DEFAULT_JOIN_TIMEOUT = 30_000;

/** Lines a room may send before it lets somebody in: more is not a room. */
const MAX_LINES_BEFORE_WELCOME = 100;

/** Where the room is, and under which name to join. */
export type ChatJoinOptions = (TcpConnectOptions | UnixConnectOptions) & {
  /** The name to have in the room. */
  name: string;
  /**
   * The longest line to send, in bytes; the room's own limit may be lower.
   *
   * @default {4_096}
   */
  maxLineLength?: number;
};

/**
 * A room did not let somebody in.
 *
 * @example
 * ```ts
 * import { ChatJoinError, joinChat, serveChat } from "@tincan/net/chat";
 * import { assertRejects } from "@std/assert";
 *
 * await using server = serveChat({ port: 0, onListen() {} });
 * const { port } = server.addr as Deno.NetAddr;
 * await using _ada = await joinChat({ port, name: "Ada" });
 * const error = await assertRejects(() => joinChat({ port, name: "ADA" }), ChatJoinError);
 * console.log(error.message); // Cannot join as ADA: that name is taken
 * ```
 */
export class ChatJoinError extends Error {
  /** The class's name, for messages and for `switch`. */
  override readonly name = "ChatJoinError";
  /** What the room said about it. */
  readonly reason: string;

  /**
   * Makes the error.
   *
   * @param chatName The name that was tried.
   * @param reason What the room said about it.
   */
  constructor(chatName: string, reason: string) {
    super(`Cannot join as ${chatName}: ${reason}`);
    this.reason = reason;
  }
}

let create: (
  name: string,
  conn: TcpConnection,
  messages: Framed<string>,
  first: ChatLine,
) => ChatClient;

/**
 * Somebody in a room, seen from outside: what {@linkcode joinChat} answers with. Iterating gives what
 * the room says, beginning with its welcome.
 *
 * @example Listen until the room closes
 * ```ts
 * import { joinChat, serveChat } from "@tincan/net/chat";
 * import { assertEquals } from "@std/assert";
 *
 * const server = serveChat({ port: 0, onListen() {} });
 * await using chat = await joinChat({ port: (server.addr as Deno.NetAddr).port, name: "Ada" });
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
    create = (name, conn, messages, first) => new ChatClient(name, conn, messages, first);
  }

  private constructor(
    name: string,
    conn: TcpConnection,
    messages: Framed<string>,
    first: ChatLine,
  ) {
    this.name = name;
    this.#conn = conn;
    this.#messages = messages;
    this.#first = first;
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
 * @returns The person in the room.
 * @throws {ChatJoinError} If the room did not take the name or is no room.
 * @throws {Deno.errors.ConnectionRefused} If nobody listens there.
 * @throws {Deno.errors.TimedOut} If connecting, or the room's welcome, took longer than `timeout`.
 *
 * @example
 * ```ts
 * import { joinChat, serveChat } from "@tincan/net/chat";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveChat({ port: 0, onListen() {} });
 * const { port } = server.addr as Deno.NetAddr;
 * await using chat = await joinChat({ port, name: " Ada " });
 * assertEquals(chat.name, "Ada");
 * ```
 */
export async function joinChat(options: ChatJoinOptions): Promise<ChatClient> {
  const { name, maxLineLength = DEFAULT_MAX_CHAT_LINE_LENGTH, ...target } = options;
  const conn = await connectTcp(target);
  try {
    // The room's lines are a little longer than those it takes: they have names in front.
    const incoming = text(lines(), { fatal: false });
    const outgoing = text(lines({ maxLength: maxLineLength }));
    const messages = conn.framed<string>({
      detached: true,
      decoder: () => incoming.decoder(),
      encode: (line) => outgoing.encode(line),
    });
    await messages.send(name);
    const welcome = await beWelcomed(messages, options);
    return create(welcome.name, conn, messages, welcome.line);
  } catch (error) {
    conn.abort(error);
    throw error;
  }
}

async function beWelcomed(
  messages: Framed<string>,
  { name, timeout = DEFAULT_JOIN_TIMEOUT, signal }: ChatJoinOptions,
): Promise<{ name: string; line: ChatLine }> {
  let last = "the server closed the connection";
  for (let count = 0; count < MAX_LINES_BEFORE_WELCOME; count++) {
    const received = await messages.receive({ timeout, ...signal === undefined ? {} : { signal } });
    if (received === null) throw new ChatJoinError(name, last);
    const line = parseChatLine(received);
    if (!received.startsWith("*** ")) break;
    const welcome = /^Welcome, (\S+)! /u.exec(line.text);
    if (welcome?.[1] !== undefined) return { name: welcome[1], line };
    const refusal = /^Sorry, (.*)\. What is your name\?$/u.exec(line.text);
    if (refusal?.[1] !== undefined) throw new ChatJoinError(name, refusal[1]);
    const goodbye = /^Goodbye: (.*)$/u.exec(line.text);
    if (goodbye?.[1] !== undefined) last = goodbye[1];
  }
  throw new ChatJoinError(name, "the server does not answer as a chat room does");
}
