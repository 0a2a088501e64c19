/**
 * The first lesson: a TCP server that answers what it hears, and a client for it.
 *
 *     deno run -A examples/tcp_echo.ts                      # serves on 127.0.0.1:9999
 *     nc 127.0.0.1 9999                                     # talk to it
 *     deno run -A examples/tcp_echo.ts client               # or with this client
 *     deno run -A examples/tcp_echo.ts --greet 'Welcome!' --reply 'Loop_msg: {}!' --exit exit
 *
 * Needs --allow-net only. The shortest form is examples/minimal/tcp_echo_server.ts.
 */
import { connectTcp, serveTcp, type TcpConnection } from "../tcp/mod.ts";
import { echoHandler } from "../apps/echo.ts";
import { addressOf, PORT } from "../terminal/address.ts";
import {
  echoProgram,
  type EchoValues,
  endWithServer,
  messagesOf,
  replyPrinter,
} from "../terminal/echo_program.ts";
import {
  defineProgram,
  onInterrupt,
  runProgram,
  serveUntilInterrupted,
} from "../terminal/program.ts";

/** How long the client waits for a greeting that may not come, in milliseconds. */
const GREETING_TIME = 100;

async function serve(values: EchoValues): Promise<void> {
  const { greet, reply, upper, exit } = values;
  const where = addressOf(values, PORT);
  await serveUntilInterrupted(() => serveTcp(where, echoHandler({ greet, reply, upper, exit })));
}

async function talk(values: EchoValues): Promise<void> {
  onInterrupt(() => Deno.exit(130));
  const conn = await connectTcp(addressOf(values, PORT));
  const print = replyPrinter();
  await showReply(conn, print, GREETING_TIME);
  for await (const message of messagesOf(values)) {
    if (message === "") continue; // sending nothing would be no message, and no reply would come
    await conn.write(message);
    if (!await showReply(conn, print)) endWithServer("the server closed the connection");
  }
  await conn.closeWrite();
  while (await showReply(conn, print));
  await conn.close();
}

/** Shows the next reply; `false` if the server has ended the conversation. */
async function showReply(
  conn: TcpConnection,
  print: (reply: Uint8Array) => Promise<void>,
  timeout = Infinity,
): Promise<boolean> {
  const buffer = new Uint8Array(64 * 1024);
  try {
    const n = await conn.read(buffer, { timeout });
    if (n === null) return false;
    await print(buffer.subarray(0, n));
  } catch (error) {
    if (timeout === Infinity || !(error instanceof Deno.errors.TimedOut)) throw error;
  }
  return true;
}

/** What it is called, takes and does. */
export const program = defineProgram({
  ...echoProgram,
  name: "tcp_echo.ts",
  summary: "Echo over TCP: answers every message. A message is what one read returned.",
  main: (values) => values.command === "client" ? talk(values) : serve(values),
});

if (import.meta.main) await runProgram(program);
