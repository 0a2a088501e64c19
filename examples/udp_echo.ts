/**
 * A UDP server that answers what it hears, and a client for it. Start them in any order.
 *
 *     deno run -A examples/udp_echo.ts                      # serves on 127.0.0.1:9999
 *     nc -u 127.0.0.1 9999                                  # talk to it
 *     deno run -A examples/udp_echo.ts client               # or with this client
 *     deno run -A examples/udp_echo.ts --greet 'Welcome!' --reply 'Loop_msg: {}!' --exit exit
 *
 * Needs --allow-net only.
 */
import { connectUdp, type Datagram, serveUdp, type UdpHandler, type UdpPeer } from "../mod.ts";
import { type EchoOptions, echoReply } from "../apps/echo.ts";
import { messagesOf, readEchoOptions, replyPrinter } from "../terminal/echo_program.ts";
import {
  onInterrupt,
  type Program,
  type ProgramArguments,
  runProgram,
  serveUntilInterrupted,
} from "../terminal/program.ts";

const HELP = `Echo over UDP: answers every datagram.

Usage: udp_echo.ts [serve] [options]
       udp_echo.ts client [options]

Options of both:
  --hostname NAME   address to bind or to talk to (default 127.0.0.1)
  --port NUMBER     port; 0 lets the system choose when serving (default 9999)
  --help            show this text

Options of serve:
  --greet TEXT      send TEXT to everybody who speaks for the first time
  --reply TEMPLATE  answer with TEMPLATE, {} stands for the message (default {})
  --upper           answer in upper case
  --exit WORD       answer WORD with an empty datagram: the conversation is over

Options of client:
  --message TEXT    send TEXT and show the reply; may be given several times.
                    Without it the client asks for messages until the input ends.
                    What is not answered is sent again, six times in 5 seconds.

Examples:
  udp_echo.ts --greet 'Welcome!' --reply 'Loop_msg: {}!' --exit exit
  udp_echo.ts client --message hello --message exit
`;

/** How long the client waits for a reply behind a greeting, in milliseconds. */
const GREETING_TIME = 100;

/**
 * How often the client asks: long enough to start the server after it. It asks from one port, so that
 * the server greets it once.
 */
const PATIENCE = { timeout: 250, maxTimeout: 1_000, retries: 5, samePort: true };

/** So many peers are remembered as greeted; then the memory starts anew. */
const MAX_GREETED = 10_000;

/** What it is called, understands and does. */
export const program: Program = {
  name: "udp_echo.ts",
  help: HELP,
  commands: ["serve", "client"],
  string: ["hostname", "port", "greet", "reply", "exit"],
  collect: ["message"],
  boolean: ["upper"],
  main: (args) => args.command === "client" ? talk(args) : serve(args),
};

async function serve(args: ProgramArguments): Promise<void> {
  const where = args.address(9999);
  await serveUntilInterrupted(() => serveUdp(where, handlerFor(readEchoOptions(args))));
}

function handlerFor(options: EchoOptions): UdpHandler {
  const { greet, reply, upper, exit } = options;
  if (greet === undefined && reply === undefined && !upper && exit === undefined) {
    return ({ data }) => data; // every byte as it came
  }
  const replyTo = echoReply(options);
  const greeted = new Set<string>();
  return async (datagram: Datagram) => {
    const peer = JSON.stringify(datagram.from);
    if (greet !== undefined && !greeted.has(peer)) {
      if (greeted.size >= MAX_GREETED) greeted.clear();
      greeted.add(peer);
      await datagram.reply(greet);
    }
    const answer = replyTo(new TextDecoder().decode(datagram.data));
    if (answer === null) greeted.delete(peer);
    return answer ?? "";
  };
}

async function talk(args: ProgramArguments): Promise<void> {
  onInterrupt(() => Deno.exit(130));
  await using peer = await connectUdp(args.address(9999, 1));
  const print = replyPrinter();
  let wait = GREETING_TIME; // only the first message can bring a greeting too
  for await (const message of messagesOf(args)) {
    if (message === "") continue; // an empty datagram is how the server says goodbye
    const isOver = !await show(await peer.request(message, PATIENCE), print) ||
      await showRest(peer, print, wait);
    if (isOver) {
      console.error("the server ended the conversation");
      Deno.exit(0); // the input may still be waiting for a line
    }
    wait = 0;
  }
}

/** Shows a reply on the output. */
type Print = (reply: Uint8Array) => Promise<void>;

/** Shows a reply; `false` if it says that the conversation is over. */
async function show({ data }: Datagram, print: Print): Promise<boolean> {
  if (data.length === 0) return false;
  await print(data);
  return true;
}

/** Shows what else has come; `true` if the conversation is over. */
async function showRest(peer: UdpPeer, print: Print, timeout: number): Promise<boolean> {
  try {
    return !await show(await peer.receive({ timeout }), print);
  } catch (error) {
    if (error instanceof Deno.errors.TimedOut) return false;
    throw error;
  }
}

if (import.meta.main) await runProgram(program);
