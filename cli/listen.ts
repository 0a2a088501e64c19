/** `tincan listen`: the standard streams, connected to a client. @module */
import { serveTcp, type TcpConnection, type TcpServer } from "../tcp/mod.ts";
import { section, toggle } from "../terminal/arguments.ts";
import { endOnInterrupt, endServer, waitsFor } from "../terminal/interrupt.ts";
import { defineProgram, type Values } from "../terminal/program.ts";
import { readServerTls, tlsServerOptions } from "../terminal/tls.ts";
import { NC_HINTS, NO_EXEC, readTalk, TALK_NOTES, talkFields, whereFields } from "./options.ts";
import { refuseTogether } from "../terminal/usage_error.ts";
import { Talk } from "./talk.ts";

/** Clients at one time with --keep-open: all of them are sent the input at the pace of the slowest. */
const MAX_CLIENTS = 256;

const fields = {
  ...section("Where", {
    ...whereFields,
    keepOpen: toggle(
      "-k, --keep-open",
      `serve more clients, up to ${MAX_CLIENTS} at a time`,
    ),
  }),
  ...section("TLS", tlsServerOptions),
  ...talkFields,
};

/** What it is called, takes and does. */
export const program = defineProgram({
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
  const { keepOpen: isOpen, noHalfClose, timeout } = values;
  const { where, timeouts, ...settings } = await readTalk(values, 0);
  refuseTogether({ "keep-open": isOpen, "no-half-close": noHalfClose });
  const tls = await readServerTls(values);
  const code = () => isOpen ? 0 : 130; // the end of a server, or work that was interrupted
  if (values.udp && "port" in where) {
    endOnInterrupt({ finish: async () => await settings.watch?.flush(), code });
    const { listenForDatagrams } = await import("./datagrams.ts");
    return await listenForDatagrams(where, { ...settings, timeout, isOpen });
  }
  const talk = new Talk({ ...settings, own: "target", isOpen });
  // First, because an interrupt may come as soon as the server listens.
  const isInterrupted = endOnInterrupt({
    async finish() {
      await endServer(server);
      await settings.watch?.flush();
    },
    waitsFor: () => waitsFor(server),
    code,
  });
  let failure: unknown;
  const converse = async (conn: TcpConnection) => {
    const problem = await talk.converse(conn);
    if (!isOpen) failure = problem;
    else if (problem !== undefined && !isInterrupted()) talk.notes.line(problem, conn.remoteAddr);
  };
  let waiting: ReturnType<typeof setTimeout> | undefined;
  const options = {
    limits: { maxConnections: isOpen ? MAX_CLIENTS : 1 },
    timeouts,
    onConnect() {
      clearTimeout(waiting);
      if (!isOpen) server.shutdown({ timeout: Infinity }); // no one else is let in
    },
    onError: (error: unknown, conn?: TcpConnection) => talk.notes.line(error, conn?.remoteAddr),
  };
  const place = "path" in where ? where : { ...where, tls };
  const server: TcpServer = serveTcp({ ...options, ...place }, converse);
  if (timeout !== undefined && !isOpen) {
    waiting = setTimeout(() => giveUp(server, timeout), timeout);
  }
  await server.finished;
  if (!isInterrupted()) await talk.end(failure);
}

/** Ends a server that has waited too long for its client. */
async function giveUp(server: TcpServer, timeout: number): Promise<never> {
  console.error(`No one connected within ${timeout / 1_000} s`);
  await server.shutdown({ timeout: 0 });
  Deno.exit(1);
}
