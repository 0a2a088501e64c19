/** `tincan listen`: the standard streams, for whoever connects. @module */
import {
  type Program,
  type ProgramArguments,
  readSeconds,
  UsageError,
} from "../terminal/program.ts";
import {
  serveTcp,
  type TcpConnection,
  type TcpServer,
  type TcpServerBaseOptions,
  type TlsServerOptions,
} from "../mod.ts";
import { listenForDatagrams } from "./datagrams.ts";
import { endOnInterrupt, endServer, waitsFor } from "../terminal/interrupt.ts";
import type { PeerReport } from "../common/peer_report.ts";
import { end } from "./ending.ts";
import {
  NC_HINTS,
  NO_EXEC,
  readCertificate,
  readFraming,
  refuseTogether,
  requireFor,
  SHARED_HELP,
  SHARED_OPTIONS,
} from "./options.ts";
import { Talk } from "./talk.ts";
import { readWatch } from "./watch.ts";
import { readWhere, type Where } from "./where.ts";

/** Clients at one time with --keep-open: all of them are sent the input at the pace of the slowest. */
const MAX_CLIENTS = 256;

const HELP =
  `Waits for a client: the input goes there, and what comes from there goes to the output.

Usage: tincan listen [PORT] [options]
       tincan listen HOST:PORT [options]
       tincan listen --unix PATH [options]

Where:
  --hostname NAME        address to listen on, another way to say HOST (default 127.0.0.1)
  --port NUMBER          port, another way to say PORT; 0 lets the system choose (default 0)
  -U, --unix PATH        a unix socket; its file is removed in the end
  -u, --udp              datagrams. The first who sends one is the client, others are ignored.
                         What one read of the input returns is one, at most 16 KiB
  -k, --keep-open        go on after the first client, with up to ${MAX_CLIENTS} at one time: what each of
                         them sends goes to the output, and the input goes to all of them

TLS:
  --tls                  speak TLS
  --cert FILE            the certificate (PEM)
  --key FILE             its private key (PEM)

${SHARED_HELP}
Says on stderr where it listens, always in this form: listening on HOST:PORT

Without --keep-open it ends with its client: exit code 0 when both sides have ended, 1 if
something failed, 130 on Ctrl-C. With it, Ctrl-C is the end, and the exit code is 0.

Examples:
  tincan listen 9000 > disk.img
  tincan listen --keep-open --hostname 0.0.0.0 --port 514 --udp --framing lines
  tincan listen --tls --cert cert.pem --key key.pem 8443 --hex

${NO_EXEC}`;

/** What it is called, understands and does. */
export const program: Program = {
  name: "tincan listen",
  help: HELP,
  string: SHARED_OPTIONS.string,
  boolean: [...SHARED_OPTIONS.boolean, "keep-open"],
  alias: { ...SHARED_OPTIONS.alias, "keep-open": "k" },
  values: SHARED_OPTIONS.values,
  hints: {
    ...NC_HINTS,
    l: "tincan listen always listens",
    listen: "tincan listen always listens",
    s: "did you mean --hostname?",
  },
  main: listen,
};

async function listen(args: ProgramArguments): Promise<void> {
  const where = readWhere(args, 0);
  refuseTogether(args, "udp", ["unix", "tls", "quit", "no-half-close"]);
  refuseTogether(args, "unix", ["tls"]);
  refuseTogether(args, "keep-open", ["no-half-close"]);
  requireFor(args, "tls", ["cert", "key"]);
  const timeout = readSeconds(args, "timeout");
  const framing = readFraming(args);
  const watch = readWatch(args);
  const isOpen = args.flag("keep-open");
  const code = () => isOpen ? 0 : 130; // the end of a server, or work that was interrupted
  if (args.flag("udp")) {
    if ("path" in where) throw new UsageError("Cannot use --unix with --udp");
    endOnInterrupt({ finish: async () => await watch?.flush(), code });
    await listenForDatagrams({ ...where, timeout, isFramed: framing !== undefined, watch, isOpen });
    return await end(0, watch);
  }
  const tls = await readTls(args);
  const halfClose = !args.flag("no-half-close");
  const quit = args.flag("quit");
  const talk = new Talk({ own: "target", isOpen, halfClose, quit, framing, watch });
  let failure: unknown;
  // First, because somebody may interrupt as soon as the server says that it listens.
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

/** Whom to let in, and for how long. */
interface Guests {
  readonly timeout: number | undefined;
  readonly isOpen: boolean;
  readonly notes: PeerReport;
}

function start(
  where: Where,
  tls: TlsServerOptions | undefined,
  { timeout, isOpen, notes }: Guests,
  converse: (conn: TcpConnection) => Promise<void>,
): TcpServer {
  let patience: ReturnType<typeof setTimeout> | undefined;
  const options: TcpServerBaseOptions = {
    limits: { maxConnections: isOpen ? MAX_CLIENTS : 1 },
    // A peer may be slow: a reader at the other end may be somebody's pager.
    timeouts: { idle: timeout ?? Infinity, write: timeout ?? Infinity },
    onConnect() {
      clearTimeout(patience);
      if (!isOpen) server.shutdown({ timeout: Infinity }); // nobody else is let in
    },
    onError: (error, conn) => notes.line(error, conn?.remoteAddr),
  };
  const server = serveTcp(
    "path" in where
      ? { ...options, ...where }
      : { ...options, ...where, ...(tls === undefined ? {} : { tls }) },
    converse,
  );
  if (timeout !== undefined && !isOpen) {
    patience = setTimeout(() => {
      console.error(`Nobody connected within ${timeout / 1_000} s`);
      server.shutdown({ timeout: 0 }).then(() => Deno.exit(1));
    }, timeout);
  }
  return server;
}

async function readTls(args: ProgramArguments): Promise<TlsServerOptions | undefined> {
  if (!args.flag("tls")) return undefined;
  const certificate = await readCertificate(args);
  if (certificate === undefined) throw new UsageError("Option --tls needs --cert and --key");
  return certificate;
}
