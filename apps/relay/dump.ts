/**
 * Writing down the events of a relay: for people, or as JSON for machines.
 *
 * @module
 */
import { formatAddr } from "../../common/address.ts";
import type { SocketAddress } from "../../errors.ts";
import { checkOneOf } from "../../common/options.ts";
import { escapeText } from "../../common/escape.ts";
import { appendEscaped } from "../../common/escape_bytes.ts";
import { BatchWriter } from "./_batch_writer.ts";
import { appendHexdump } from "./_hexdump.ts";
import { append, appendJson, jsonOf } from "./_json_events.ts";
import type { RelayEvent, RelaySide } from "./events.ts";

/** The event of a type. */
type EventOf<Type extends RelayEvent["type"]> = Extract<RelayEvent, { type: Type }>;

/**
 * How to write down what passes.
 *
 * - `hex`: each read with its bytes in hexadecimal and as text.
 * - `text`: each read as text, one line for each of its lines, control characters escaped.
 * - `quiet`: no reads; messages, where there is a framing.
 * - `json`: every event as a line of JSON, bytes in base64.
 */
export type RelayView = "hex" | "text" | "quiet" | "json";

/** How to write. */
export interface RelayDumpOptions {
  /**
   * How to write down what passes.
   *
   * @default {"hex"}
   */
  view?: RelayView | undefined;
  /**
   * Writes lines about connections: where they came from, how they ended. They arrive in order with what is written
   * to the sink.
   *
   * @default {undefined} they are left out, except in the view `json`
   */
  note?: ((line: string) => void) | undefined;
}

/** Text of a message that is shown on its line; the reads hold the rest. */
const MAX_SHOWN = 2_048;

/**
 * Writes down the events of a relay. Lines are collected and written in batches, at the latest after five
 * milliseconds; nothing is ever left out: when the sink is slower than the traffic, up to 4 MiB wait,
 * and then the relay does.
 *
 * @example
 * ```ts
 * import { RelayDump } from "@tincan/net/relay";
 * import { assertEquals } from "@std/assert";
 *
 * let text = "";
 * const dump = new RelayDump(
 *   (bytes) => Promise.resolve(void (text += new TextDecoder().decode(bytes))),
 *   { view: "text" },
 * );
 * const data = new TextEncoder().encode("hello\n");
 * const time = new Date(2030, 0, 1, 12).getTime();
 * dump.observe({ type: "data", id: 1, time, elapsed: 0.25, from: "client", offset: 0, data });
 * await dump.flush();
 * assertEquals(text, "12:00:00.000 #1 > 6 bytes\n  hello\\n\n");
 * ```
 */
export class RelayDump {
  readonly #writer: BatchWriter;
  readonly #view: RelayView;
  readonly #note: ((line: string) => void) | undefined;

  /**
   * Prepares to write.
   *
   * @param sink Writes all of the bytes it is given. It is not called again before its promise has
   * settled; the memory is used again then.
   * @param options What to write.
   * @throws {TypeError} If there is no such view.
   */
  constructor(sink: (bytes: Uint8Array) => Promise<void>, options: RelayDumpOptions = {}) {
    this.#writer = new BatchWriter(sink);
    this.#view = checkOneOf("view", options.view ?? "hex", ["hex", "text", "quiet", "json"]);
    this.#note = options.note;
  }

  /**
   * Takes an event; give it to `serveRelay` as the observer.
   *
   * @param event What happened.
   * @returns A promise while too much waits to be written, otherwise nothing. Until it has settled, the
   * memory of the event must not be used again. It rejects with what the sink has thrown.
   */
  readonly observe = (event: RelayEvent): void | Promise<void> => {
    const size = event.type === "data" ? event.data.length : 0;
    return this.#writer.add({ source: event.id, size, append: () => this.#append(event) });
  };

  /**
   * Writes everything that was observed.
   *
   * @throws What the sink has thrown.
   */
  async flush(): Promise<void> {
    await this.#writer.flush();
  }

  #append(event: RelayEvent): void {
    if (this.#view === "json") appendJson(this.#writer.buffer, event);
    else if (event.type === "data") this.#read(event);
    else if (event.type === "message") this.#message(event);
    else if (event.type === "partial" || event.type === "unframed") this.#unfinished(event);
    else if (this.#note !== undefined) this.#tell(noteOf(event), this.#note);
  }

  #read(event: EventOf<"data">): void {
    if (this.#view === "quiet") return;
    const { buffer } = this.#writer;
    const { id, time, from, data, offset } = event;
    append(buffer, `${clock(time)} #${id} ${arrow(from)} ${bytes(data.length)}\n`);
    if (this.#view === "hex") appendHexdump(buffer, data, offset);
    else {
      append(buffer, "  ");
      appendEscaped(buffer, data, "\n  ");
      append(buffer, "\n");
    }
  }

  #message(event: EventOf<"message">): void {
    const { buffer } = this.#writer;
    const { number, length, reads, value } = event;
    const pieces = reads > 1 ? `, in ${reads} reads` : "";
    append(buffer, `${this.#head(event)} message ${number} (${bytes(length)}${pieces}): `);
    if (value instanceof Uint8Array) {
      appendEscaped(buffer, value.subarray(0, MAX_SHOWN));
      append(buffer, value.length > MAX_SHOWN ? "…\n" : "\n");
    } else if (event.omitted) {
      append(buffer, "…\n");
    } else {
      append(buffer, `${jsonOf(value).slice(0, MAX_SHOWN)}\n`);
    }
  }

  #unfinished(event: EventOf<"partial" | "unframed">): void {
    if (event.type === "partial" && this.#view === "quiet") return;
    const text = event.type === "partial"
      ? `… ${bytes(event.length)} of message ${event.number}, which continues`
      : `not a message: ${escapeText(event.reason)}${
        event.lost ? "; from here on, reads only" : ""
      }`;
    append(this.#writer.buffer, `${this.#head(event)} ${text}\n`);
  }

  /** How a line below its read begins; with the time, where reads are not shown. */
  #head(event: EventOf<"message" | "partial" | "unframed">): string {
    const time = this.#view === "quiet" ? clock(event.time) : " ";
    return `${time} #${event.id} ${arrow(event.from)}`;
  }

  /** Writes a line about a connection, after what was written before. */
  #tell(line: string, note: (line: string) => void): void {
    this.#writer.afterwards(() => note(line));
  }
}

/** A line about a connection, for people. */
function noteOf(
  event: EventOf<"open" | "refused" | "end" | "close">,
): string {
  const head = `${clock(event.time)} #${event.id}`;
  switch (event.type) {
    case "open":
      return `${head} open: ${addressOf(event.client)} to ${addressOf(event.target)}`;
    case "refused":
      return `${head} refused ${addressOf(event.client)}: ${escapeText(event.reason)}`;
    case "end":
      return `${head} ${arrow(event.from)} end: the ${event.from} sends no more`;
    case "close": {
      const { first, reason, fromClient, fromTarget, elapsed } = event;
      const ending = reason === undefined
        ? `the ${first} ended first`
        : `by the ${first} (${escapeText(reason)})`;
      const seconds = (elapsed / 1_000).toFixed(3);
      return `${head} closed: ${ending}, > ${bytes(fromClient)}, < ${
        bytes(fromTarget)
      }, ${seconds} s`;
    }
  }
}

/** An address; it may come from a file that others have written. */
function addressOf(addr: SocketAddress): string {
  return escapeText(formatAddr(addr));
}

function arrow(from: RelaySide): ">" | "<" {
  return from === "client" ? ">" : "<";
}

function bytes(count: number): string {
  return count === 1 ? "1 byte" : `${count} bytes`;
}

let clockSecond = NaN;
let clockText = "";

/** The local time of day, to the millisecond. */
function clock(time: number): string {
  const second = Math.floor(time / 1_000);
  if (second !== clockSecond) {
    clockSecond = second;
    clockText = new Date(time).toTimeString().slice(0, 8);
  }
  return `${clockText}.${String(time % 1_000).padStart(3, "0")}`;
}
