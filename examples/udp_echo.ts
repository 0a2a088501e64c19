/**
 * A UDP server that answers what it hears, and a client for it. Start them in any order.
 *
 *     deno run -A examples/udp_echo.ts                      # serves on 127.0.0.1:9999
 *     nc -u 127.0.0.1 9999                                  # talk to it
 *     deno run -A examples/udp_echo.ts client               # or with this client
 *     deno run -A examples/udp_echo.ts --greet 'Welcome!' --reply 'Loop_msg: {}!' --exit exit
 *
 * Needs --allow-net only. The shortest form is examples/minimal/udp_reply_server.ts.
 */
import { connectUdp, type Datagram, serveUdp, type UdpHandler, type UdpPeer } from "../udp/mod.ts";
import { echoReply } from "../apps/echo.ts";
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

/** How long the client waits for a reply after a greeting, in milliseconds. */
const GREETING_TIME = 100;

/**
 * How often the client asks: long enough to start the server after it. It asks from one port, so that
 * the server greets it once.
 */
const RETRIES = { timeout: 250, maxTimeout: 1_000, retries: 5, samePort: true };

/** The number of peers that are remembered as greeted; then the set is cleared. */
const MAX_GREETED = 10_000;

async function serve(values: EchoValues): Promise<void> {
  const where = addressOf(values, PORT);
  await serveUntilInterrupted(() => serveUdp(where, handlerFor(values)));
}

function handlerFor({ greet, reply, upper, exit }: EchoValues): UdpHandler {
  if (greet === undefined && reply === undefined && !upper && exit === undefined) {
    return ({ data }) => data; // every byte as it came
  }
  const replyTo = echoReply({ reply, upper, exit });
  const greeted = new Set<string>();
  return async (datagram: Datagram) => {
    const peer = JSON.stringify(datagram.from);
    if (greet !== undefined && !greeted.has(peer)) {
      if (greeted.size >= MAX_GREETED) greeted.clear();
      greeted.add(peer);
      await datagram.reply(greet);
    }
    const answer = replyTo(datagram.text());
    if (answer === null) greeted.delete(peer);
    return answer ?? "";
  };
}

async function talk(values: EchoValues): Promise<void> {
  onInterrupt(() => Deno.exit(130));
  await using peer = await connectUdp(addressOf(values, PORT));
  const print = replyPrinter();
  let wait = GREETING_TIME; // only the first message can bring a greeting too
  for await (const message of messagesOf(values)) {
    if (message === "") continue; // an empty datagram ends the conversation
    const isOver = !await show(await peer.request(message, RETRIES), print) ||
      await showRest(peer, print, wait);
    if (isOver) endWithServer("the server ended the conversation");
    wait = 0;
  }
}

/** Shows a reply on the output. */
type Print = (reply: Uint8Array) => Promise<void>;

/** Shows a reply; `false` if it ends the conversation. */
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

/** What it is called, takes and does. */
export const program = defineProgram({
  ...echoProgram,
  name: "udp_echo.ts",
  summary: "Echo over UDP: answers every datagram.",
  notes: `${echoProgram.notes} What is not
answered is sent again, six times in 5 seconds. An empty reply ends the conversation.`,
  main: (values) => values.command === "client" ? talk(values) : serve(values),
});

if (import.meta.main) await runProgram(program);
