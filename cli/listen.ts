/** `tincan listen`: the standard streams, connected to a client. @module */
import { serveTcp, type TcpConnection, type TcpServer, type TlsServerOptions } from "../mod.ts";
import type { PeerReport } from "../common/peer_report.ts";
import { type Fields, section, toggle, UsageError } from "../terminal/arguments.ts";
import { endOnInterrupt, endServer, waitsFor } from "../terminal/interrupt.ts";
import { defineProgram, type Program, type Values } from "../terminal/program.ts";
import { readServerTls, tlsServerOptions } from "../terminal/tls.ts";
import { listenForDatagrams } from "./datagrams.ts";
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

/** Clients at one time with --keep-open: all of them are sent the input at the pace of the slowest. */
const MAX_CLIENTS = 256;

const fields = {
  ...section("Where", {
    ...whereFields,
    keepOpen: toggle(
      "-k, --keep-open",
      `go on after the first client, with ${MAX_CLIENTS} at a time`,
    ),
  }),
  ...section("TLS", tlsServerOptions),
  ...talkFields,
} satisfies Fields;

/** What it is called, takes and does. */
export const program: Program = defineProgram({
  name: "tincan listen",
  summary:
    "Waits for a client: the input goes there, and what comes from there goes to the output.",
  usage: ["[PORT] [options]", "HOST:PORT [options]", "--unix PATH [options]"],
  fields,
  notes:
    `Says on stderr where it listens, always in this form: listening on HOST:PORT. The system chooses the
port unless one is given, and the file of a unix socket is removed in the end. With --udp the first
that sends a datagram is the client, others are ignored. With --keep-open the input goes to all
clients, and what each of them sends goes to the output.
${TALK_NOTES}

${NO_EXEC}`,
  exitCodes: "0 both sides have ended, or Ctrl-C with --keep-open; 1 failed; 2 wrong usage;\n" +
    "130 interrupted",
  examples: [
    "$0 9000 > disk.img",
    "$0 --keep-open --hostname 0.0.0.0 --port 514 --udp --framing lines",
    "$0 --tls --cert cert.pem --key key.pem 8443 --hex",
  ],
  hints: {
    ...NC_HINTS,
    l: "tincan listen always listens",
    listen: "tincan listen always listens",
    s: "did you mean --hostname?",
  },
  main: listen,
});

async function listen(values: Values<typeof fields>): Promise<void> {
  const { udp, unix, keepOpen: isOpen, tls: isTls, quit, noHalfClose, timeout } = values;
  const where = readWhere(values, 0);
  refuseTogether("udp", { udp, unix, tls: isTls, quit, "no-half-close": noHalfClose });
  refuseTogether("unix", { unix, tls: isTls });
  refuseTogether("keep-open", { "keep-open": isOpen, "no-half-close": noHalfClose });
  const framing = framingOf(values);
  const tls = await readServerTls(values);
  const watch = readWatch(values);
  const code = () => isOpen ? 0 : 130; // the end of a server, or work that was interrupted
  if (udp) {
    if ("path" in where) throw new UsageError("Cannot use --unix with --udp");
    endOnInterrupt({ finish: async () => await watch?.flush(), code });
    await listenForDatagrams({ ...where, timeout, isFramed: framing !== undefined, watch, isOpen });
    return await end(0, watch);
  }
  const halfClose = !noHalfClose;
  const talk = new Talk({ own: "target", isOpen, halfClose, quit, framing, watch });
  let failure: unknown;
  // First, because an interrupt may come as soon as the server says that it listens.
  const isInterrupted = endOnInterrupt({
    async finish() {
      await endServer(server);
      await watch?.flush();
    },
    waitsFor: () => waitsFor(server),
    code,
  });
  const server = start(where, tls, { timeout, isOpen, notes: talk.notes }, async (conn) => {
    const problem = await talk.converse(conn);
    if (!isOpen) failure = problem;
    else if (problem !== undefined && !isInterrupted()) talk.notes.line(problem, conn.remoteAddr);
  });
  await server.finished;
  if (isInterrupted()) return;
  await watch?.flush();
  if (failure !== undefined) throw failure;
  await end(talk.failures > 0 ? 1 : 0, watch);
}

/** How many are let in, and for how long. */
interface AdmitOptions {
  readonly timeout: number | undefined;
  readonly isOpen: boolean;
  readonly notes: PeerReport;
}

function start(
  where: Where,
  tls: TlsServerOptions | undefined,
  { timeout, isOpen, notes }: AdmitOptions,
  converse: (conn: TcpConnection) => Promise<void>,
): TcpServer {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  const options = {
    limits: { maxConnections: isOpen ? MAX_CLIENTS : 1 },
    // A peer may be slow: a reader at the other end may be a pager.
    timeouts: { idle: timeout ?? Infinity, write: timeout ?? Infinity },
    onConnect() {
      clearTimeout(waiting);
      if (!isOpen) server.shutdown({ timeout: Infinity }); // no one else is let in
    },
    onError: (error: unknown, conn?: TcpConnection) => notes.line(error, conn?.remoteAddr),
  };
  const server: TcpServer = serveTcp(
    "path" in where ? { ...options, ...where } : { ...options, ...where, tls },
    converse,
  );
  if (timeout !== undefined && !isOpen) {
    waiting = setTimeout(() => {
      console.error(`No one connected within ${timeout / 1_000} s`);
      server.shutdown({ timeout: 0 }).then(() => Deno.exit(1));
    }, timeout);
  }
  return server;
}
