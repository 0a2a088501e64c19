/**
 * The second lesson: a read is not a message. The same messages go to a server that takes what one
 * read returns for a message, and to one that frames.
 *
 *     deno run -A examples/sticky_packets.ts
 *
 * Needs --allow-net only.
 */
import {
  type Codec,
  connectTcp,
  lengthPrefixed,
  serveTcp,
  type TcpConnection,
  text,
} from "../mod.ts";
import { defineProgram, printData, runProgram } from "../terminal/program.ts";

const MESSAGES = ["one", "two", "three", "x".repeat(100_000), "four", "five", "six"];

/** Messages with their length in front, four bytes: what Python's struct calls ">I". */
const framing: Codec<string> = text(lengthPrefixed({ size: 4 }));

/** Runs one server and one client, and shows what arrived as messages. */
async function show(
  title: string,
  send: (conn: TcpConnection) => Promise<unknown>,
  receive: (conn: TcpConnection) => AsyncIterable<string>,
): Promise<void> {
  const seen: string[] = [];
  const server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
    for await (const message of receive(conn)) seen.push(message);
  });
  const conn = await connectTcp({ port: server.addr.port });
  await send(conn);
  await conn.close();
  await server.shutdown();
  const lines = seen.map((message, index) => `  ${index + 1}. ${abbreviate(message)}\n`);
  await printData(`${title}:\n  ${MESSAGES.length} sent, ${seen.length} received\n`);
  await printData(`${lines.slice(0, 8).join("")}${lines.length > 8 ? "  ...\n" : ""}\n`);
}

function abbreviate(message: string): string {
  return message.length <= 40
    ? message
    : `${message.slice(0, 30)}... (${message.length} characters)`;
}

/** What it is called, takes and does. */
export const program = defineProgram({
  name: "sticky_packets.ts",
  summary: `The "sticky packet" problem and its cure, in one run.`,
  usage: ["[--help]"],
  fields: {},
  notes: `Sends the same messages, all at once, to a naive reader and to a framed one, and shows
what each of them takes for a message. Everything happens on this machine.`,
  examples: ["$0"],
  async main() {
    await show(
      "Read by read: what one read returned is taken for a message",
      (conn) => Promise.all(MESSAGES.map((message) => conn.write(message))),
      (conn) => ReadableStream.from(conn).pipeThrough(new TextDecoderStream()),
    );
    await show(
      "Framed: four bytes in front say how long each message is",
      (conn) => conn.framed(framing).sendAll(MESSAGES),
      (conn) => conn.framed(framing),
    );
  },
});

if (import.meta.main) await runProgram(program);
