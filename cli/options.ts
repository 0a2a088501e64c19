/** The options that `connect` and `listen` share. @module */
import { FRAMING_NAMES, framingByName } from "../apps/relay/mod.ts";
import { readPem } from "../terminal/pem.ts";
import { type ProgramArguments, type ProgramOptions, UsageError } from "../terminal/program.ts";
import type { Framing } from "./frames.ts";

/** What both understand; `fixed:SIZE` is a framing, too. */
export const SHARED_OPTIONS = {
  string: ["hostname", "port", "unix", "timeout", "framing", "cert", "key"],
  boolean: ["udp", "tls", "quit", "no-half-close", "hex", "json", "verbose"],
  alias: { unix: "U", udp: "u", timeout: "w", verbose: "v" },
  values: { framing: [...FRAMING_NAMES, "fixed:"] },
} as const satisfies Omit<ProgramOptions, "help">;

/** What to say of options that `nc` and `ncat` have. */
export const NC_HINTS: Readonly<Record<string, string>> = {
  c: "there is none to run a command, on purpose",
  e: "there is none to run a command, on purpose",
  exec: "there is none to run a command, on purpose",
  l: "did you mean tincan listen?",
  listen: "did you mean tincan listen?",
  n: "an address is never looked up",
  N: "our side always ends with the input, unless --no-half-close is given",
  s: "the system chooses the address to connect from",
  ssl: "did you mean --tls?",
  z: "did you mean tincan scan?",
};

/** The part of the help that both have. */
export const SHARED_HELP = `Bytes and messages:
  --framing NAME         each line of the input is sent as one message, each message
                         that comes is shown as a line: lines, json (a value on each
                         line), u8 u16 u24 u32 u64 (a length before each, big-endian;
                         u16le and so on), varint, netstring, slip, cobs, fixed:SIZE.
                         With --udp only lines: each line is a datagram
  --hex                  also show what passes as a hexdump, on stderr;
                         > is from the client, < from the server
  --json                 instead of the data, show on stdout what passes as JSON: the events
                         of tincan relay --json, one on a line, bytes in base64
  -v, --verbose          say on stderr who came and how it ended

Ending:
  --quit                 end as soon as the peer ends its side. Without it that is so on
                         a terminal; otherwise the rest of the input is still sent
  --no-half-close        at the end of the input, don't end our side of the connection
  -w, --timeout SECONDS  give up when connecting takes longer, or nothing passes for so
                         long (default: 30 for connecting, otherwise no limit)
  -h, --help             show this text
`;

/** Why there is no such option. */
export const NO_EXEC =
  `There is no option to run a command for whoever connects, on purpose: it makes a shell
for strangers out of a typing mistake.
`;

/** The framing that `--framing` names. */
export function readFraming(args: ProgramArguments): Framing | undefined {
  const name = args.text("framing");
  if (name === undefined) return undefined;
  if (args.flag("udp") && name !== "lines") {
    throw new UsageError(`Option --framing must be lines with --udp, current value is "${name}"`);
  }
  try {
    const codec = framingByName(name, { jsonText: true });
    // No one sees these stacks, and each broken message would come with two of them.
    Error.stackTraceLimit = 0;
    return { name, codec };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The certificate and the key, if they are given; one is no use without the other. */
export async function readCertificate(
  args: ProgramArguments,
): Promise<{ cert: string; key: string } | undefined> {
  const cert = args.text("cert");
  const key = args.text("key");
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined) throw new UsageError("Option --key needs --cert");
  if (key === undefined) throw new UsageError("Option --cert needs --key");
  return { cert: await readPem(cert), key: await readPem(key) };
}

/** Options that make no sense together. */
export function refuseTogether(
  args: ProgramArguments,
  one: string,
  others: readonly string[],
): void {
  const other = isGiven(args, one) ? others.find((name) => isGiven(args, name)) : undefined;
  if (other !== undefined) throw new UsageError(`Cannot use --${other} with --${one}`);
}

/** Options that need another one. */
export function requireFor(
  args: ProgramArguments,
  needed: string,
  options: readonly string[],
): void {
  if (args.flag(needed)) return;
  const given = options.find((name) => isGiven(args, name));
  if (given !== undefined) throw new UsageError(`Option --${given} needs --${needed}`);
}

function isGiven(args: ProgramArguments, name: string): boolean {
  return args.flag(name) || typeof args.text(name) === "string"; // flags that are not given are false
}
