/**
 * Reading what a relay has written down as JSON.
 *
 * @module
 */
import { nextTurn, spend } from "../../common/turn_budget.ts";
import { FrameError } from "../../errors.ts";
import { type ChunkSource, frames, lines } from "../../framing/mod.ts";
import { MAX_CAPTURE_LINE } from "./_json_events.ts";
import { memberText } from "./_member_text.ts";
import type { RelayEvent } from "./events.ts";
import { JsonText } from "./json_text.ts";

/** Records that were cut off, each by the end of a program; with more, it is no capture. */
const MAX_TORN = 1_000;
/** How each record begins. */
const RECORD = '{"type":"';
/** Of a line, what is searched for its number: the fields before that are short. */
const HEAD_LENGTH = 128;
const LINE_FEED = 0x0a;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lossyDecoder = new TextDecoder();

/** How to read a capture. */
export interface ReadCaptureOptions {
  /**
   * Give the messages that were JSON as a {@linkcode JsonText}, which keeps the text as it was sent,
   * instead of as values.
   *
   * @default {false}
   */
  jsonText?: boolean | undefined;
  /**
   * Called for each record that was cut off, because the program or the system that wrote it had ended,
   * with the number of its line. It is left out.
   *
   * @default {undefined} left out without a report
   */
  onTorn?: ((line: number) => void) | undefined;
}

/** How a capture ends, for a program that continues it. */
export interface CaptureEnd {
  /** The highest number of a connection in it; 0 if there is none. */
  readonly lastId: number;
  /** Whether the last record was cut off: then what follows must begin on a new line. */
  readonly isTorn: boolean;
}

/**
 * Reads a capture: the events that a relay wrote down as JSON.
 *
 * @param source The bytes of the capture, in chunks: a file's `readable`, for one.
 * @param options What messages are given as, and what is called for records that were cut off.
 * @returns The events as the observer of the relay was told them.
 * @throws {FrameError} With the code `corrupt`, if a line is not an event; with the code `too_long`, if
 * it is longer than 16 MiB.
 *
 * @example Send again what a client has sent
 * ```ts
 * import { readCapture } from "@tincan/net/relay";
 * import { assertEquals } from "@std/assert";
 *
 * const line = '{"type":"data","id":1,"time":"2030-01-01T12:00:00.000Z","elapsed":0.1,' +
 *   '"from":"client","offset":0,"length":3,"data":"aGkK"}\n';
 * let sent = "";
 * for await (const event of readCapture([new TextEncoder().encode(line)])) {
 *   if (event.type === "data" && event.from === "client") {
 *     sent += new TextDecoder().decode(event.data); // or: await conn.write(event.data)
 *   }
 * }
 * assertEquals(sent, "hi\n");
 * ```
 */
export async function* readCapture(
  source: ChunkSource,
  options: ReadCaptureOptions = {},
): AsyncGenerator<RelayEvent> {
  const { onTorn } = options;
  let number = 0;
  let torn = 0;
  for await (const bytes of frames(source, lines({ maxLength: MAX_CAPTURE_LINE }))) {
    number++;
    if (bytes.length === 0) continue;
    const { line, value, isTorn } = parse(bytes, number);
    if (isTorn) {
      if (++torn > MAX_TORN) throw corrupt("no JSON", number);
      onTorn?.(number);
    }
    // Lines that are in memory already are work in one turn, too.
    if (spend(bytes.length)) await nextTurn();
    if (line === undefined) continue;
    const event = toEvent(value, number);
    if (event.type === "message" && options.jsonText === true && !("data" in Object(value))) {
      const text = memberText(line, "value");
      yield text === undefined ? event : { ...event, value: JsonText.parse(text) };
    } else {
      yield event;
    }
  }
}

/**
 * Finds how a capture ends, so that a relay can continue it: with other numbers for its connections, and
 * on a new line.
 *
 * @param source The bytes of the capture, in chunks: a file's `readable`, for one.
 * @returns How it ends.
 *
 * @example
 * ```ts
 * import { endOfCapture } from "@tincan/net/relay";
 * import { assertEquals } from "@std/assert";
 *
 * const torn = '{"type":"end","id":7,"time":"2030-01-01T12:00:00.000Z","elapsed":1,"from":"client"}\n{"ty';
 * const end = await endOfCapture([new TextEncoder().encode(torn)]);
 * assertEquals(end, { lastId: 7, isTorn: true });
 * ```
 */
export async function endOfCapture(source: ChunkSource): Promise<CaptureEnd> {
  const head = new Uint8Array(HEAD_LENGTH);
  let length = 0; // of the head
  let lastId = 0;
  let isTorn = false;
  const look = () => {
    const text = lossyDecoder.decode(head.subarray(0, length));
    const id = Number(/^\{"type":"[a-z]*","id":(\d{1,15}),/.exec(text)?.[1] ?? 0);
    lastId = Math.max(lastId, id);
    length = 0;
  };
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      const found = chunk.indexOf(LINE_FEED, at);
      const end = found < 0 ? chunk.length : found;
      const part = chunk.subarray(at, Math.min(end, at + HEAD_LENGTH - length));
      head.set(part, length);
      length += part.length;
      isTorn = found < 0;
      if (!isTorn) look();
      at = end + 1;
    }
  }
  look();
  return { lastId, isTorn };
}

/** A line of a capture; of one that begins with a record that was cut off, what follows that. */
function parse(
  bytes: Uint8Array,
  number: number,
): { line?: string; value?: unknown; isTorn: boolean } {
  try {
    const line = decoder.decode(bytes);
    return { line, value: JSON.parse(line), isTorn: false };
  } catch (cause) {
    const line = lossyDecoder.decode(bytes);
    const isRecord = line.startsWith(RECORD) || RECORD.startsWith(line);
    if (!isRecord) throw corrupt("no JSON", number, cause);
    return { isTorn: true, ...lastRecord(line) };
  }
}

/** The record at the end of a line that another one, which was cut off, is glued to. */
function lastRecord(text: string): { line: string; value: unknown } | undefined {
  const begin = text.lastIndexOf(RECORD);
  if (begin <= 0) return undefined;
  const line = text.slice(begin);
  try {
    return { line, value: JSON.parse(line) };
  } catch {
    return undefined;
  }
}

/** Whether a value can be a certain field. */
type Check = (value: unknown) => boolean;

const boolean: Check = (value) => typeof value === "boolean";
const bytes: Check = (value) => value instanceof Uint8Array;
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const side: Check = (value) => value === "client" || value === "target";
const text: Check = (value) => typeof value === "string";
const time: Check = (value) => typeof value === "number" && value >= 0 && value < Infinity;
const address: Check = (value) => {
  if (typeof value !== "object" || value === null) return false;
  if ("path" in value) return text(value.path);
  return "hostname" in value && text(value.hostname) && "port" in value && count(value.port);
};

/** The fields of each type of event. */
const FIELDS: Readonly<Record<RelayEvent["type"], Readonly<Record<string, Check>>>> = {
  open: { client: address, target: address },
  refused: { client: address, reason: text },
  data: { from: side, offset: count, data: bytes },
  message: { from: side, number: count, offset: count, length: count, reads: count },
  partial: { from: side, number: count, length: count },
  unframed: { from: side, reason: text, lost: boolean },
  end: { from: side },
  close: {
    first: (value) => value === "relay" || side(value),
    reason: (value) => value === undefined || text(value),
    fromClient: count,
    fromTarget: count,
  },
};

/**
 * The event that a line of a capture is.
 *
 * @param value The line, parsed.
 * @param line Its number, for the message.
 * @throws {FrameError} With the code `corrupt`, if it is no event.
 */
function toEvent(value: unknown, line: number): RelayEvent {
  if (typeof value !== "object" || value === null) throw corrupt("no event", line);
  const written: Record<string, unknown> = { ...value };
  const type = String(written.type);
  if (!Object.hasOwn(FIELDS, type)) throw corrupt("no event", line);
  const fields = FIELDS[type as RelayEvent["type"]];
  const at = typeof written.time === "string" ? Date.parse(written.time) : NaN;
  if (Number.isNaN(at)) throw corrupt("no time", line);
  written.time = at;
  if (typeof written.data === "string") {
    try {
      written.data = Uint8Array.fromBase64(written.data);
      if (type === "message") written.value = written.data;
    } catch (cause) {
      throw corrupt("bad base64", line, cause);
    }
  }
  for (const [name, isRight] of Object.entries({ id: count, elapsed: time, ...fields })) {
    if (!isRight(written[name])) throw corrupt(`no ${name}`, line);
  }
  if (type === "message") delete written.data;
  else if (type !== "partial") delete written.length;
  return written as unknown as RelayEvent;
}

function corrupt(what: string, line: number, cause?: unknown): FrameError {
  return new FrameError("corrupt", `Cannot read the capture: ${what} in line ${line}`, { cause });
}
