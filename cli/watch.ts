/**
 * Telling what happens on connections, in the form in which the relay tells it: notes, hexdumps, JSON.
 *
 * @module
 */
import { printData, printNote, UsageError } from "../terminal/program.ts";
import { RelayDump, type RelayEvent } from "../apps/relay/mod.ts";
import { writeAll } from "../common/write_all.ts";

/** What watches connections. */
export interface Watch {
  /** Whether the data itself is to be printed. With `--json`, the events are printed instead. */
  readonly printsData: boolean;
  /** Takes an event; returns a promise while too much waits to be written. */
  observe(event: RelayEvent): void | Promise<void>;
  /** Writes everything that was observed. */
  flush(): Promise<void>;
}

/** What the options `--verbose`, `--hex` and `--json` ask for; nothing without them. */
export function readWatch(
  { json: isJson, hex: isHex, verbose }: { json: boolean; hex: boolean; verbose: boolean },
): Watch | undefined {
  if (isJson && isHex) throw new UsageError("Cannot show both --hex and --json");
  if (!isJson && !isHex && !verbose) return undefined;
  const dump = isJson
    ? new RelayDump(printData, { view: "json" })
    : new RelayDump(printForPeople, { view: isHex ? "hex" : "quiet", note: printNote });
  return {
    printsData: !isJson,
    // Messages are the data itself here, not something beside it.
    observe: (event) => isJson || event.type !== "message" ? dump.observe(event) : undefined,
    flush: () => dump.flush(),
  };
}

/** Dumps are for people, so they go to stderr. What cannot be written there holds no data up. */
async function printForPeople(bytes: Uint8Array): Promise<void> {
  try {
    await writeAll(Deno.stderr, bytes);
  } catch {
    // There is no one to tell: a full disk, a closed pipe.
  }
}
