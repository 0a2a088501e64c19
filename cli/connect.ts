/** `tincan connect`: the standard streams, connected to a server. @module */
import { connectTcp, type TcpConnection, type TlsClientOptions } from "../mod.ts";
import { type Fields, section, UsageError } from "../terminal/arguments.ts";
import { endOnInterrupt } from "../terminal/interrupt.ts";
import { defineProgram, type Program, type Values } from "../terminal/program.ts";
import { readClientTls, tlsClientOptions, tlsServerOptions } from "../terminal/tls.ts";
import { connectDatagrams } from "./datagrams.ts";
import { end } from "./ending.ts";
import {
  framingOf,
  NC_HINTS,
  NO_EXEC,
  readWhere,
  refuseTogether,
  TALK_NOTES,
  talkFields,
  type Where,
  whereFields,
} from "./options.ts";
import { Talk } from "./talk.ts";
import { readWatch } from "./watch.ts";

const fields = {
  ...section("Where to", whereFields),
  ...section("TLS", { ...tlsServerOptions, ...tlsClientOptions }),
  ...talkFields,
} satisfies Fields;

/** What it is called, takes and does. */
export const program: Program = defineProgram({
  name: "tincan connect",
  summary:
    "Connects to a server: the input goes there, and what comes from there goes to the output.",
  usage: ["HOST PORT [options]", "HOST:PORT [options]", "--unix PATH [options]"],
  fields,
  notes:
    `At the end of the input our side ends, and the answer is waited for; with --udp until nothing has
come for a second (or --timeout).
${TALK_NOTES}

${NO_EXEC}`,
  exitCodes: "0 both sides have ended; 1 failed; 2 wrong usage; 130 interrupted",
  examples: [
    "$0 example.com 80",
    "printf 'hello' | $0 --framing u32 localhost:7000",
    "$0 --tls --ca ca.pem db.example.com:5433 --hex",
    "$0 192.168.0.7 9000 < disk.img",
  ],
  hints: NC_HINTS,
  main: connect,
});

async function connect(values: Values<typeof fields>): Promise<void> {
  const { udp, unix, tls: isTls, quit, noHalfClose, timeout } = values;
  const where = readWhere(values);
  refuseTogether("udp", { udp, unix, tls: isTls, quit, "no-half-close": noHalfClose });
  refuseTogether("unix", { unix, tls: isTls });
  const framing = framingOf(values);
  const tls = await readClientTls(values);
  const watch = readWatch(values);
  endOnInterrupt({ finish: async () => await watch?.flush() });
  if (udp) {
    if ("path" in where) throw new UsageError("Cannot use --unix with --udp");
    await connectDatagrams({ ...where, timeout, isFramed: framing !== undefined, watch });
    return await end(0, watch);
  }
  const conn = await open(where, tls, timeout);
  const talk = new Talk({
    own: "client",
    isOpen: false,
    halfClose: !noHalfClose,
    quit,
    framing,
    watch,
  });
  const failure = await talk.converse(conn);
  await watch?.flush();
  if (failure !== undefined) throw failure;
  await end(talk.failures > 0 ? 1 : 0, watch);
}

async function open(
  where: Where,
  tls: false | TlsClientOptions,
  timeout: number | undefined,
): Promise<TcpConnection> {
  const options = {
    timeout,
    // A peer may be slow: a reader at the other end may be a pager.
    timeouts: { idle: timeout ?? Infinity, write: timeout ?? Infinity },
  };
  return await connectTcp(
    "path" in where ? { ...options, ...where } : { ...options, ...where, tls },
  );
}
