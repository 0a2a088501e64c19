/** `tincan connect`: the standard streams, connected to a server. @module */
import {
  type Program,
  type ProgramArguments,
  readSeconds,
  UsageError,
} from "../terminal/program.ts";
import {
  connectTcp,
  type TcpConnectBaseOptions,
  type TcpConnection,
  type TlsClientOptions,
} from "../mod.ts";
import { connectDatagrams } from "./datagrams.ts";
import { readPem } from "../terminal/pem.ts";
import { endOnInterrupt } from "../terminal/interrupt.ts";
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

const HELP =
  `Connects to a server: the input goes there, and what comes from there goes to the output.

Usage: tincan connect HOST PORT [options]
       tincan connect HOST:PORT [options]
       tincan connect --unix PATH [options]

Where to:
  --hostname NAME        the server, another way to say HOST (default 127.0.0.1)
  --port NUMBER          its port, another way to say PORT
  -U, --unix PATH        a unix socket
  -u, --udp              send datagrams. What one read of the input returns is one, at most
                         16 KiB; it ends when nothing has come for a second (or --timeout)
                         after the end of the input

TLS:
  --tls                  speak TLS, and check the server's certificate
  --server-name NAME     the name that the certificate must be for (default: HOST)
  --ca FILE              trust the certificates in FILE (PEM), too
  --insecure             accept any certificate: nobody else listens, but to whom do you talk?
  --cert FILE            our own certificate (PEM), for servers that ask for one
  --key FILE             its private key (PEM)

${SHARED_HELP}
At the end of the input our side ends, and the answer is waited for. Exits 0 when both
sides have ended, 1 if something failed, 2 if the options were wrong, 130 on Ctrl-C.

Examples:
  tincan connect example.com 80
  printf 'hello' | tincan connect --framing u32 localhost:7000
  tincan connect --tls --ca ca.pem db.example.com:5433 --hex
  tincan connect 192.168.0.7 9000 < disk.img

${NO_EXEC}`;

/** What it is called, understands and does. */
export const program: Program = {
  name: "tincan connect",
  help: HELP,
  string: [...SHARED_OPTIONS.string, "server-name", "ca"],
  boolean: [...SHARED_OPTIONS.boolean, "insecure"],
  alias: SHARED_OPTIONS.alias,
  values: SHARED_OPTIONS.values,
  hints: NC_HINTS,
  main: connect,
};

async function connect(args: ProgramArguments): Promise<void> {
  const where = readWhere(args);
  refuseTogether(args, "udp", ["unix", "tls", "quit", "no-half-close"]);
  refuseTogether(args, "unix", ["tls"]);
  refuseTogether(args, "insecure", ["ca", "server-name"]);
  requireFor(args, "tls", ["server-name", "ca", "insecure", "cert", "key"]);
  const timeout = readSeconds(args, "timeout");
  const framing = readFraming(args);
  const watch = readWatch(args);
  endOnInterrupt({ finish: async () => await watch?.flush() });
  if (args.flag("udp")) {
    if ("path" in where) throw new UsageError("Cannot use --unix with --udp");
    await connectDatagrams({ ...where, timeout, isFramed: framing !== undefined, watch });
    return await end(0, watch);
  }
  const tls = args.flag("tls") ? await readTls(args) : false;
  const conn = await open(where, tls, timeout);
  const talk = new Talk({
    own: "client",
    isOpen: false,
    halfClose: !args.flag("no-half-close"),
    quit: args.flag("quit"),
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
  const options: TcpConnectBaseOptions = {
    ...(timeout === undefined ? {} : { timeout }),
    // A peer may be slow: a reader at the other end may be somebody's pager.
    timeouts: { idle: timeout ?? 0, write: timeout ?? 0 },
  };
  return await connectTcp(
    "path" in where ? { ...options, ...where } : {
      ...options,
      ...where,
      tls,
    },
  );
}

async function readTls(args: ProgramArguments): Promise<TlsClientOptions> {
  const serverName = args.text("server-name");
  const ca = args.text("ca");
  return {
    ...(serverName === undefined ? {} : { serverName }),
    ...(ca === undefined ? {} : { caCerts: [await readPem(ca)] }),
    ...await readCertificate(args),
    unsafelyIgnoreCertificateErrors: args.flag("insecure"),
  };
}
