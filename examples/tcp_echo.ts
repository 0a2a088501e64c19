/**
 * The first lesson: a TCP server that answers what it hears, and a client for it.
 *
 *     deno run -A examples/tcp_echo.ts                      # serves on 127.0.0.1:9999
 *     nc 127.0.0.1 9999                                     # talk to it
 *     deno run -A examples/tcp_echo.ts client               # or with this client
 *     deno run -A examples/tcp_echo.ts --greet 'Welcome!' --reply 'Loop_msg: {}!' --exit exit
 *
 * Needs --allow-net only.
 */
import { connectTcp, serveTcp, type TcpConnection } from "../mod.ts";
import { echoHandler } from "../apps/echo.ts";
import { messagesOf, readEchoOptions, replyPrinter } from "../terminal/echo_program.ts";
import {
  onInterrupt,
  type Program,
  type ProgramArguments,
  runProgram,
  serveUntilInterrupted,
} from "../terminal/program.ts";

const HELP = `Echo over TCP: answers every message. A message is what one read returned.

Usage: tcp_echo.ts [serve] [options]
       tcp_echo.ts client [options]

Options of both:
  --hostname NAME   address to listen on or to connect to (default 127.0.0.1)
  --port NUMBER     port; 0 lets the system choose when serving (default 9999)
  --help            show this text

Options of serve:
  --greet TEXT      send TEXT to everybody who connects
  --reply TEMPLATE  answer with TEMPLATE, {} stands for the message (default {})
  --upper           answer in upper case
  --exit WORD       end the conversation when the message is WORD

Options of client:
  --message TEXT    send TEXT and show the reply; may be given several times.
                    Without it the client asks for messages until the input ends.

Examples:
  tcp_echo.ts --greet 'Welcome!' --reply 'Loop_msg: {}!' --exit exit
  tcp_echo.ts client --message hello --message exit
`;

/** How long the client waits for a greeting that may not come, in milliseconds. */
const GREETING_TIME = 100;

/** What it is called, understands and does. */
export const program: Program = {
  name: "tcp_echo.ts",
  help: HELP,
  commands: ["serve", "client"],
  string: ["hostname", "port", "greet", "reply", "exit"],
  collect: ["message"],
  boolean: ["upper"],
  main: (args) => args.command === "client" ? talk(args) : serve(args),
};

async function serve(args: ProgramArguments): Promise<void> {
  const where = args.address(9999);
  await serveUntilInterrupted(() => serveTcp(where, echoHandler(readEchoOptions(args))));
}

async function talk(args: ProgramArguments): Promise<void> {
  onInterrupt(() => Deno.exit(130));
  const conn = await connectTcp(args.address(9999, 1));
  const print = replyPrinter();
  await showReply(conn, print, GREETING_TIME);
  for await (const message of messagesOf(args)) {
    if (message === "") continue; // sending nothing would be no message, and no reply would come
    await conn.write(message);
    if (!await showReply(conn, print)) {
      console.error("the server closed the connection");
      Deno.exit(0); // the input may still be waiting for a line
    }
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

if (import.meta.main) await runProgram(program);
