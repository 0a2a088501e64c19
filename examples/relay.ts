/**
 * A relay that shows what passes: read by read, and message by message.
 *
 *     deno run -A examples/relay.ts --listen 9000 --to 127.0.0.1:9999                     # as a hexdump
 *     deno run -A examples/relay.ts --listen 9000 --to 127.0.0.1:9999 --framing lines     # with messages
 *     deno run -A examples/relay.ts --listen 9000 --to example.com:443 --tls --text
 *     deno run -A examples/relay.ts --listen 9000 --to db:5432 --quiet --capture today.jsonl
 *     deno run -A examples/relay.ts --read today.jsonl                                    # show it later
 *
 * Needs --allow-net; --allow-write for --capture, --allow-read for --capture and --read. With --allow-ffi
 * and --allow-read (on Linux), a connection that one side breaks off is broken off on the other side, too.
 */
import {
  FRAMING_NAMES,
  framingByName,
  readCapture,
  RelayDump,
  type RelayEvent,
  type RelayOptions,
  type RelayView,
  serveRelay,
} from "../apps/relay/mod.ts";
import { openCapture } from "../apps/capture_file.ts";
import type { TcpServer } from "../mod.ts";
import {
  fail,
  onInterrupt,
  printData,
  type Program,
  type ProgramArguments,
  readCount,
  readPort,
  runProgram,
  serveUntilInterrupted,
  splitHostPort,
  UsageError,
} from "../terminal/program.ts";

const HELP = `Passes bytes between clients and a server, and shows what passes.

Usage: relay.ts --listen PORT --to HOST:PORT [options]
       relay.ts --read FILE [--hex | --text | --quiet | --json]

Options:
  --listen PORT       port to listen on; 0 lets the system choose
  --port PORT         the same as --listen
  --hostname NAME     address to listen on (default 127.0.0.1)
  --to HOST:PORT      where to; an IPv6 address in brackets: [::1]:80
  --tls               speak TLS to the target, so that what passes can be read
  --hex               show each read as a hexdump (the default)
  --text              show each read as text
  --quiet             show no reads; with --framing, messages only
  --json              everything as JSON, one object on a line, bytes in base64
  --framing NAME      show the messages inside the reads, too: lines, json,
                      u8 u16 u24 u32 u64 (a length before each, big-endian;
                      u16le and so on), varint, netstring, slip, cobs, fixed:SIZE
  --capture FILE      also write everything to FILE, as with --json; continues it
  --read FILE         show a captured file, or - for the input, instead of relaying
  --max-connections N  at one time (default 1024); who comes later waits
  --timeout MS        to reach the target (default 10000)
  --idle MS           without a byte, then a connection is ended (default 3600000)
  --help              show this text

What passes goes to the output; who came and how it ended, to the error output.
> is from the client, < from the target.

Examples:
  relay.ts --listen 9000 --to 127.0.0.1:9999 --framing lines
  relay.ts --listen 9000 --to 127.0.0.1:6379 --json | jq -r 'select(.from) | .from'
`;

/** What it is called, understands and does. */
export const program: Program = {
  name: "relay.ts",
  help: HELP,
  string: [
    ...["listen", "port", "hostname", "to", "framing", "capture", "read"],
    ...["max-connections", "timeout", "idle"],
  ],
  boolean: ["hex", "text", "quiet", "json", "tls"],
  values: { framing: FRAMING_NAMES },
  async main(args) {
    if (args.rest.length > 0) throw new UsageError(`Unexpected argument "${args.rest[0]}"`);
    const file = args.text("read");
    await (file === undefined ? relay(args) : show(file, args));
  },
};

async function relay(args: ProgramArguments): Promise<void> {
  const options = relayOptions(args);
  const view = viewOf(args);
  const note = (line: string) => console.error(line);
  const print = (bytes: Uint8Array) => printData(bytes, leave);
  const dump = new RelayDump(print, view === "json" ? { view } : { view, note });
  const path = args.text("capture");
  const file = path === undefined ? undefined : await openCapture(path);
  const capture = file === undefined
    ? undefined
    : new RelayDump((bytes) => file.write(bytes).catch(fail), { view: "json" });
  if (file !== undefined) options.firstId = file.lastId + 1;
  options.observer = capture === undefined
    ? dump.observe
    : (event: RelayEvent) => both(dump.observe(event), capture.observe(event));
  options.reads = view !== "quiet" || options.framing !== undefined || capture !== undefined;
  // Whatever was seen is written before the program ends, however it ends.
  const finish = async () => {
    await Promise.all([dump.flush(), capture?.flush()]);
  };
  const leave = async () => {
    await capture?.flush();
    Deno.exit(0);
  };
  await serveUntilInterrupted(() => start(options), finish);
}

/** Listens; a relay that cannot be is wrong usage. */
function start(options: RelayOptions): TcpServer {
  try {
    return serveRelay(options);
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

/** Shows a captured file as if it passed now. */
async function show(file: string, args: ProgramArguments): Promise<void> {
  onInterrupt(() => Deno.exit(130));
  if (args.text("framing") !== undefined) {
    throw new UsageError("Option --framing belongs to relaying: a capture has its messages in it");
  }
  const note = (line: string) => console.error(line);
  const view = viewOf(args);
  const dump = new RelayDump(printData, view === "json" ? { view } : { view, note });
  const source = file === "-" ? Deno.stdin.readable : (await openFile(file)).readable;
  const torn: number[] = [];
  const onTorn = (line: number) => void torn.push(line);
  try {
    const events = readCapture(source, { jsonText: true, onTorn });
    for await (const event of events) await dump.observe(event);
  } finally {
    await dump.flush();
    if (torn.length > 0) console.error(tornMessage(torn));
  }
}

function tornMessage([first, ...others]: readonly number[]): string {
  return others.length === 0
    ? `Left out a record that was cut off, in line ${first}`
    : `Left out ${others.length + 1} records that were cut off, the first in line ${first}`;
}

function relayOptions(args: ProgramArguments): RelayOptions {
  const listen = args.text("listen") ?? args.text("port");
  const to = args.text("to");
  if (listen === undefined) throw new UsageError("Nowhere to listen: give --listen PORT");
  if (to === undefined) throw new UsageError("Nowhere to relay to: give --to HOST:PORT");
  const { hostname, port } = parseTarget(to);
  const options: RelayOptions = {
    port: readPort("listen", listen, 0, 0),
    hostname: args.text("hostname") ?? "127.0.0.1",
    target: { hostname, port, tls: args.flag("tls") },
  };
  const framing = args.text("framing");
  try {
    if (framing !== undefined) options.framing = framingByName(framing, { jsonText: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const maxConnections = readCount(args, "max-connections", 1);
  if (maxConnections !== undefined) options.limits = { maxConnections };
  const timeout = readCount(args, "timeout");
  if (timeout !== undefined) options.target.timeout = timeout;
  const idle = readCount(args, "idle");
  if (idle !== undefined) options.timeouts = { idle };
  return options;
}

/** `HOST:PORT`, `[ADDRESS]:PORT` or `:PORT`. */
function parseTarget(text: string): { hostname: string; port: number } {
  const parts = splitHostPort(text);
  if (parts === null) {
    throw new UsageError(`Option --to must be HOST:PORT, current value is "${text}"`);
  }
  const [hostname, port] = parts;
  return { hostname: hostname || "127.0.0.1", port: readPort("to", port, 0, 1) };
}

function viewOf(args: ProgramArguments): RelayView {
  const views = (["hex", "text", "quiet", "json"] as const).filter((name) => args.flag(name));
  if (views.length > 1) throw new UsageError(`Cannot show both --${views[0]} and --${views[1]}`);
  return views[0] ?? "hex";
}

/** Waits for both, if one of them has to be waited for. */
function both(one: void | Promise<void>, other: void | Promise<void>): void | Promise<void> {
  if (one === undefined) return other;
  return other === undefined ? one : Promise.all([one, other]).then(() => {});
}

async function openFile(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new Error(`Cannot read ${path}: no such file`);
    throw error;
  }
}

if (import.meta.main) await runProgram(program);
