/**
 * Reports of what happens on connections, in the forms of the relay: notes, hexdumps, JSON.
 *
 * @module
 */
import type { RelayEvent, RelaySide } from "../apps/relay/mod.ts";
import { EventClock } from "../common/event_clock.ts";
import type { SocketAddress } from "../errors.ts";
import { writeAll } from "../common/write_all.ts";
import { printData, printNote, UsageError } from "../terminal/program.ts";
import type { ReceivedFrame } from "./frames.ts";

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
export async function readWatch(
  { json: isJson, hex: isHex, verbose }: { json: boolean; hex: boolean; verbose: boolean },
): Promise<Watch | undefined> {
  if (isJson && isHex) throw new UsageError("Cannot show both --hex and --json");
  if (!isJson && !isHex && !verbose) return undefined;
  const { RelayDump } = await import("../apps/relay/mod.ts");
  const dump = isJson
    ? new RelayDump(printData, { view: "json" })
    : new RelayDump(printForPeople, { view: isHex ? "hex" : "quiet", note: printNote });
  return {
    printsData: !isJson,
    // Here messages are the data itself: only --json reports them, too.
    observe: (event) => isJson || event.type !== "message" ? dump.observe(event) : undefined,
    flush: () => dump.flush(),
  };
}

/** A connection that is watched. */
export interface WatchedConnection {
  /** 1 for the first one of this process. */
  readonly id: number;
  /** Which side we are. */
  readonly own: RelaySide;
  readonly localAddr: SocketAddress;
  readonly remoteAddr: SocketAddress;
}

/** One connection, reported to the watch. */
export class Traffic {
  readonly own: RelaySide;
  readonly peer: RelaySide;
  readonly #watch: Watch | undefined;
  readonly #clock: EventClock;
  readonly #bytes = { client: 0, target: 0 };
  #first: RelaySide | undefined;

  constructor(watch: Watch | undefined, connection: WatchedConnection) {
    const { id, own, localAddr, remoteAddr } = connection;
    this.own = own;
    this.peer = own === "client" ? "target" : "client";
    this.#watch = watch;
    this.#clock = new EventClock(id);
    const [client, target] = own === "client" ? [localAddr, remoteAddr] : [remoteAddr, localAddr];
    watch?.observe({ ...this.#clock.now(), type: "open", client, target });
  }

  /** Bytes that were read; returns a promise while too much waits to be written. */
  data(from: RelaySide, data: Uint8Array): void | Promise<void> {
    const offset = this.#bytes[from];
    this.#bytes[from] += data.length;
    return this.#watch?.observe({ ...this.#clock.now(), type: "data", from, offset, data });
  }

  /** A message from the peer. */
  message(frame: ReceivedFrame): void | Promise<void> {
    const event = { ...this.#clock.now(), ...frame, from: this.peer, reads: 1 };
    return this.#watch?.observe({ ...event, type: "message" });
  }

  /** A side has ended what it sends. */
  end(from: RelaySide): void {
    this.#first ??= from;
    this.#watch?.observe({ ...this.#clock.now(), type: "end", from });
  }

  /** A side has broken the connection, unless the other one had ended before. */
  broken(by: RelaySide): void {
    this.#first ??= by;
  }

  /** The connection is closed. */
  close(reason?: string): void {
    const { client: fromClient, target: fromTarget } = this.#bytes;
    const event = { ...this.#clock.now(), first: this.#first ?? this.own, fromClient, fromTarget };
    this.#watch?.observe({ ...event, type: "close", reason });
  }
}

/** Dumps are for people, so they go to stderr. What cannot be written there does not stop the data. */
async function printForPeople(bytes: Uint8Array): Promise<void> {
  await writeAll(Deno.stderr, bytes).catch(() => {}); // a full disk, a closed pipe
}
