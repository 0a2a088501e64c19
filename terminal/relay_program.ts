/** What the relay's program takes, and where it writes what it has seen. @module */
import { openCapture } from "./capture_file.ts";
import {
  RelayDump,
  type RelayObserver,
  type RelayOptions,
  type RelayView,
} from "../apps/relay/mod.ts";
import { readHostPort, readPort, splitHostPort } from "./address.ts";
import { section, setting, toggle, UsageError } from "./arguments.ts";
import { readFraming } from "./framing.ts";
import { framingOption } from "./framing_option.ts";
import { inOneLine } from "./one_line.ts";
import { fail, printData, type ProgramDescription, type Values } from "./program.ts";
import { readClientTls, tlsClientOptions } from "./tls.ts";
import { count, file, seconds, text } from "./values.ts";

const fields = {
  ...section("Where", {
    listen: setting("--listen, --port", text("[HOST:]PORT"), "where to listen; port 0 is any"),
    hostname: setting("--hostname", text("NAME"), "address to listen on (default 127.0.0.1)"),
    to: setting("--to", text("HOST:PORT"), "where to; an IPv6 address in brackets: [::1]:80"),
    tls: toggle("--tls", "speak TLS to the target, so that what passes can be read"),
    ...tlsClientOptions,
  }),
  ...section("What to show", {
    hex: toggle("--hex", "show each read as a hexdump (the default)"),
    text: toggle("--text", "show each read as text"),
    quiet: toggle("--quiet", "show no reads; with --framing, messages only"),
    json: toggle("--json", "everything as JSON, one object on a line, bytes in base64"),
    framing: framingOption("show the messages inside the reads, too"),
  }),
  ...section("Captures", {
    capture: setting("--capture", file(), "also append everything to FILE, as with --json"),
    read: setting("--read", file(), "show a captured file, or - for the input, and relay nothing"),
  }),
  ...section("Limits", {
    maxConnections: setting("--max-connections", count(1), "at a time, others wait (default 1024)"),
    timeout: setting("--timeout", seconds(), "to reach the target (default 10)"),
    idle: setting("--idle", seconds(), "without a byte, which ends a connection (default 3600)"),
  }),
};

/** What the program takes. */
export type RelayValues = Values<typeof fields>;

/** How the program is described, without what it does. */
export const relayProgram: Omit<ProgramDescription<typeof fields>, "main"> = {
  name: "relay.ts",
  summary: "Passes bytes between clients and a server, and shows what passes.",
  usage: [
    "--listen PORT --to HOST:PORT [options]",
    "--read FILE [--hex | --text | --quiet | --json]",
  ],
  fields,
  notes: `What passes goes to the output; connections, and how they ended, to the error output.
> is from the client, < from the target.`,
  exitCodes: "0 done, or ended with Ctrl-C; 1 failed; 2 wrong usage",
  examples: [
    "$0 --listen 9000 --to 127.0.0.1:9999 --framing lines",
    "$0 --listen 9000 --to 127.0.0.1:6379 --json | jq -r 'select(.from) | .from'",
  ],
};

/** Where to listen and where to relay to. */
export async function relayOptions(values: RelayValues): Promise<RelayOptions> {
  const { listen, to, framing, maxConnections, timeout, idle } = values;
  if (listen === undefined) throw new UsageError("Nowhere to listen: give --listen PORT");
  if (to === undefined) throw new UsageError("Nowhere to relay to: give --to HOST:PORT");
  const [host, port] = splitHostPort(listen) ?? ["", listen];
  if (host !== "" && values.hostname !== undefined) {
    throw new UsageError(`Cannot use --hostname with --listen ${listen}`);
  }
  const tls = await readClientTls({ ...values, cert: undefined, key: undefined });
  return {
    hostname: values.hostname ?? (host || "127.0.0.1"),
    port: readPort(port, 0, "listen"),
    target: { ...readHostPort("to", to), tls, timeout },
    framing: framing === undefined ? undefined : readFraming(framing).codec,
    limits: { maxConnections },
    timeouts: { idle },
  };
}

/** The view that the options name. */
function viewOf(values: RelayValues): RelayView {
  const views = (["hex", "text", "quiet", "json"] as const).filter((name) => values[name]);
  if (views.length > 1) throw new UsageError(`Cannot show both --${views[0]} and --${views[1]}`);
  return views[0] ?? "hex";
}

/** Makes what shows events. */
export function dumpOf(
  values: RelayValues,
  print: (bytes: Uint8Array) => Promise<void> = printData,
): RelayDump {
  const view = viewOf(values);
  const note = (line: string) => console.error(line);
  return new RelayDump(print, view === "json" ? { view } : { view, note });
}

/** What a relay shows and captures. */
export interface Recorder {
  /** Whether single reads are shown. */
  readonly reads: boolean;
  readonly firstId: number;
  readonly observer: RelayObserver;
  /** Writes everything that was seen. */
  flush(): Promise<void>;
}

/** Opens the capture, if there is to be one. */
export async function openRecorder(values: RelayValues): Promise<Recorder> {
  const { capture: path, framing } = values;
  if (path === undefined) {
    const dump = dumpOf(values);
    const reads = viewOf(values) !== "quiet" || framing !== undefined;
    return { reads, firstId: 1, observer: dump.observe, flush: () => dump.flush() };
  }
  const file = await openCapture(path);
  const capture = new RelayDump((bytes) => file.write(bytes).catch(fail), { view: "json" });
  // A reader of the output that leaves, such as `head`, ends the relay.
  const leave = async () => {
    await capture.flush();
    Deno.exit(0);
  };
  const dump = dumpOf(values, (bytes) => printData(bytes, leave));
  return {
    reads: true,
    firstId: file.lastId + 1,
    observer: (event) => both(dump.observe(event), capture.observe(event)),
    async flush() {
      await Promise.all([dump.flush(), capture.flush()]);
    },
  };
}

/** A captured file, or the input. */
export async function openSource(path: string): Promise<ReadableStream<Uint8Array>> {
  if (path === "-") return Deno.stdin.readable;
  return (await inOneLine(`read ${path}`, () => Deno.open(path))).readable;
}

/** Reports records that were cut off. */
export function tellTorn([first, ...others]: readonly number[]): void {
  if (first === undefined) return;
  console.error(
    others.length === 0
      ? `Left out a record that was cut off, in line ${first}`
      : `Left out ${others.length + 1} records that were cut off, the first in line ${first}`,
  );
}

/** Waits for both, if one of them has to be waited for. */
function both(one: void | Promise<void>, other: void | Promise<void>): void | Promise<void> {
  if (one === undefined) return other;
  return other === undefined ? one : Promise.all([one, other]).then(() => {});
}
