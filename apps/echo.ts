/**
 * Echo: the first program of every socket tutorial, with the variations they teach. A message is what
 * one read returned; nothing on the wire marks where it ends.
 *
 * @example A server that greets, and answers in upper case until a client says bye
 * ```ts
 * import { echoHandler } from "@tincan/net/echo";
 * import { connectTcp, serveTcp } from "@tincan/net/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveTcp(
 *   { port: 0, onListen() {} },
 *   echoHandler({ greet: "hi\n", upper: true, exit: "bye" }),
 * );
 *
 * await using conn = await connectTcp({ port: server.addr.port });
 * assertEquals(await conn.readLine(), "hi");
 * await conn.write("salut, \u00e7a va?\n");
 * assertEquals(await conn.readLine(), "SALUT, \u00c7A VA?");
 * await conn.write("bye\n");
 * assertEquals(await conn.readLine(), null);
 * ```
 *
 * @module
 */
import { AdaptiveBuffer } from "../common/adaptive_size.ts";
import type { TcpConnection, TcpHandler } from "../tcp/mod.ts";

/** What an echo does besides echoing. Without any of these it is binary-safe. */
export interface EchoOptions {
  /**
   * Text that is sent to each client.
   *
   * @default {undefined} nothing
   */
  greet?: string | undefined;
  /**
   * What is answered; each `{}` stands for the message.
   *
   * @default {"{}"}
   */
  reply?: string | undefined;
  /**
   * Answer in upper case.
   *
   * @default {false}
   */
  upper?: boolean | undefined;
  /**
   * A message that ends the conversation instead of being answered.
   *
   * @default {undefined} none
   */
  exit?: string | undefined;
}

/**
 * Makes the function that answers one message of text.
 *
 * A line end after the message is not part of it and stays at the end of the answer, so that both `nc`
 * and programs that send bare text are understood.
 *
 * @param options What it does besides echoing.
 * @returns A function from message to answer; `null` means that the conversation is over.
 *
 * @example
 * ```ts
 * import { echoReply } from "@tincan/net/echo";
 * import { assertEquals } from "@std/assert";
 *
 * const reply = echoReply({ reply: "Loop_msg: {}!", exit: "exit" });
 * assertEquals(reply("hello"), "Loop_msg: hello!");
 * assertEquals(reply("hello\r\n"), "Loop_msg: hello!\r\n");
 * assertEquals(reply("exit"), null);
 * ```
 */
export function echoReply(options: EchoOptions = {}): (message: string) => string | null {
  const { reply = "{}", upper = false, exit } = options;
  return (message) => {
    const lineEnd = /\r?\n$/.exec(message)?.[0] ?? "";
    const body = message.slice(0, message.length - lineEnd.length);
    if (body === exit) return null;
    return reply.replaceAll("{}", () => upper ? body.toUpperCase() : body) + lineEnd;
  };
}

/**
 * Makes the handler of an echo server, for `serveTcp`.
 *
 * @param options What it does besides echoing.
 * @returns A handler that answers until the client ends its side or says the exit word.
 *
 * @example
 * ```ts
 * import { echoHandler } from "@tincan/net/echo";
 * import { serveTcp } from "@tincan/net/tcp";
 *
 * await using server = serveTcp({ port: 0 }, echoHandler());
 * ```
 */
export function echoHandler(options: EchoOptions = {}): TcpHandler {
  const { greet, reply, upper, exit } = options;
  const isPlain = reply === undefined && !upper && exit === undefined;
  const echo = isPlain ? echoBytes : (conn: TcpConnection) => echoText(conn, options);
  if (greet === undefined) return echo;
  return async (conn) => {
    await conn.write(greet);
    await echo(conn);
  };
}

/** The smallest buffer: what a silent connection costs. */
const MIN_BUFFER = 256;
/** The largest: more is not faster. */
const MAX_BUFFER = 64 * 1024;

/** Sends back every byte. The buffer is this function's own, so nothing is copied. */
async function echoBytes(conn: TcpConnection): Promise<void> {
  const buffer = new AdaptiveBuffer(MIN_BUFFER, MAX_BUFFER);
  for (let n; (n = await conn.read(buffer.bytes)) !== null;) {
    await conn.write(buffer.bytes.subarray(0, n));
    buffer.learn(n);
  }
}

/** Answers every message with text. A character that two reads cut apart is put together again. */
async function echoText(conn: TcpConnection, options: EchoOptions): Promise<void> {
  const replyTo = echoReply(options);
  const decoder = new TextDecoder();
  for await (const chunk of conn) {
    const message = decoder.decode(chunk, { stream: true });
    if (message === "") continue; // the first half of a character: the rest is on its way
    const reply = replyTo(message);
    if (reply === null) return;
    await conn.write(reply);
  }
}
