/** The options that `connect` and `listen` share. @module */
import { type Address, addressOperands, addressOptions, readAddress } from "../terminal/address.ts";
import { section, setting, toggle, UsageError } from "../terminal/arguments.ts";
import { framingOption } from "../terminal/framing_option.ts";
import type { Values } from "../terminal/program.ts";
import { refuseTogether } from "../terminal/usage_error.ts";
import { file, seconds } from "../terminal/values.ts";
import type { MessageFormat } from "./frames.ts";
import { readWatch } from "./watch.ts";

/** Where to connect or to listen. */
export const whereFields = {
  where: addressOperands(),
  ...addressOptions(),
  unix: setting("-U, --unix", file("PATH"), "a unix socket"),
  udp: toggle("-u, --udp", "datagrams: each read of the input is one, at most 16 KiB"),
};

/** What passes, and how it ends. */
export const talkFields = {
  ...section("Bytes and messages", {
    framing: framingOption("send each line as a message, show each message as a line"),
    hex: toggle("--hex", "also show a hexdump on stderr; > is from the client"),
    json: toggle("--json", "show what passes as JSON instead of the data"),
    verbose: toggle("-v, --verbose", "report connections and how they ended on stderr"),
  }),
  ...section("Ending", {
    quit: toggle("--quit", "end when the peer ends, even if there is more input"),
    noHalfClose: toggle("--no-half-close", "do not end our side with the input"),
    timeout: setting("-w, --timeout", seconds(), "to connect (default 30), and without a byte"),
  }),
};

/** The notes of both in the help. */
export const TALK_NOTES =
  `Without --quit the rest of the input is still sent when the peer has ended, except on a terminal.
With --udp the only framing is lines: each line is a datagram. The events of --json are those of
tincan relay --json: one on a line, bytes in base64.`;

/** What to say of options that `nc` and `ncat` have. */
export const NC_HINTS: Readonly<Record<string, string>> = {
  c: "there is none to run a command, on purpose",
  e: "there is none to run a command, on purpose",
  exec: "there is none to run a command, on purpose",
  k: "did you mean tincan listen --keep-open?",
  l: "did you mean tincan listen?",
  listen: "did you mean tincan listen?",
  n: "an address is never looked up",
  N: "our side always ends with the input, unless --no-half-close is given",
  s: "the system chooses the address to connect from",
  ssl: "did you mean --tls?",
  z: "did you mean tincan scan?",
};

/** Why there is no such option. */
export const NO_EXEC =
  `There is no option to run a command for a peer, on purpose: a typing mistake in it would open a
shell to strangers.`;

/** A port or a unix socket. */
export type Where = Address | { readonly path: string };

/**
 * Reads the options of both programs.
 *
 * @param values The values of {@linkcode whereFields} and {@linkcode talkFields}.
 * @param fallback The port if none is given; without it one is needed.
 */
export async function readTalk(
  values: Values<typeof whereFields & typeof talkFields> & { tls: boolean },
  fallback?: number,
) {
  const { udp, unix, tls, quit, noHalfClose, timeout = Infinity } = values;
  const where = readWhere(values, fallback);
  refuseTogether({ udp, unix, tls, quit, "no-half-close": noHalfClose });
  refuseTogether({ unix, tls });
  return {
    where,
    framing: await framingOf(values),
    watch: await readWatch(values),
    quit,
    halfClose: !noHalfClose,
    timeouts: { idle: timeout, write: timeout }, // a peer may be slow, as a pager is
  };
}

function readWhere(values: Values<typeof whereFields>, fallback?: number): Where {
  const { unix: path, where: [first], hostname, port } = values;
  if (path === undefined) {
    return readAddress(values, fallback, fallback === undefined ? 1 : 0);
  }
  const other = first ?? hostname ?? port;
  if (other !== undefined) {
    throw new UsageError(`Unexpected argument "${other}": --unix says where`);
  }
  return { path };
}

/** The format of the messages, if there are any. */
async function framingOf(
  { framing: name, udp }: { framing: string | undefined; udp: boolean },
): Promise<MessageFormat | undefined> {
  if (name === undefined) return undefined;
  if (udp && name !== "lines") {
    throw new UsageError(`Option --framing must be lines with --udp, current value is "${name}"`);
  }
  // No one sees these stacks, and each broken message would come with two of them.
  Error.stackTraceLimit = 0;
  const { messageFormat } = await import("./frames.ts");
  return messageFormat(name);
}
