/** `tincan connect`: the standard streams, connected to a server. @module */
import { connectTcp } from "../tcp/mod.ts";
import { section } from "../terminal/arguments.ts";
import { endOnInterrupt } from "../terminal/interrupt.ts";
import { defineProgram, type Values } from "../terminal/program.ts";
import { readClientTls, tlsClientOptions, tlsServerOptions } from "../terminal/tls.ts";
import { NC_HINTS, NO_EXEC, readTalk, TALK_NOTES, talkFields, whereFields } from "./options.ts";
import { Talk } from "./talk.ts";

const fields = {
  ...section("Where to", whereFields),
  ...section("TLS", { ...tlsServerOptions, ...tlsClientOptions }),
  ...talkFields,
};

/** What it is called, takes and does. */
export const program = defineProgram({
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
  const { where, timeouts, ...settings } = await readTalk(values);
  const tls = await readClientTls(values);
  endOnInterrupt({ finish: async () => await settings.watch?.flush() });
  if (values.udp && "port" in where) {
    const { connectDatagrams } = await import("./datagrams.ts");
    return await connectDatagrams(where, { ...settings, timeout: values.timeout });
  }
  const options = { timeout: values.timeout, timeouts };
  const conn = await connectTcp(
    "path" in where ? { ...options, ...where } : { ...options, ...where, tls },
  );
  const talk = new Talk({ ...settings, own: "client", isOpen: false });
  await talk.end(await talk.converse(conn));
}
