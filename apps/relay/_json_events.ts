/**
 * Events as lines of JSON.
 *
 * @module
 */
import type { OutputBuffer } from "../../framing/mod.ts";
import { escapeJson, jsonLine } from "../../common/escape.ts";
import type { RelayEvent } from "./events.ts";
import { JsonText } from "./json_text.ts";

const encoder = new TextEncoder();

/**
 * The longest line of a capture, written or read, in UTF-16 units when written and in bytes when read:
 * the largest frame that `fixed:SIZE` allows, in base64, and some room.
 */
export const MAX_CAPTURE_LINE: number = 16 * 1024 * 1024;
/** Of a line, what the fields beside the contents take at most; times three for what is not ASCII. */
const FIELDS_LENGTH = 4 * 1024;
/** The longest contents: a capture holds them as text, which takes up to three bytes a unit. */
const MAX_TEXT = Math.floor((MAX_CAPTURE_LINE - FIELDS_LENGTH) / 3);
const MAX_BYTES = Math.floor((MAX_CAPTURE_LINE - FIELDS_LENGTH) / 4) * 3;

/** Appends an event as a line of JSON. Bytes are in base64, so that no byte is lost or misread. */
export function appendJson(output: OutputBuffer, event: RelayEvent): void {
  if (event.type === "data") return appendData(output, event);
  const { type, id, time, ...rest } = event;
  const written = { type, id, time: new Date(time).toISOString(), ...rest };
  if (event.type !== "message") return append(output, jsonLine(written));
  const { value, ...fields } = written as typeof written & { value: unknown };
  if (value === undefined && event.omitted) return append(output, jsonLine(fields));
  const begun = jsonLine(fields).slice(0, -2);
  if (value instanceof Uint8Array) {
    if (value.length > MAX_BYTES) return append(output, `${begun},"omitted":true}\n`);
    append(output, `${begun},"data":"`);
    append(output, value.toBase64(), 1);
    append(output, '"}\n');
  } else {
    const text = jsonOf(value);
    const isTooLong = text.length > MAX_TEXT;
    append(output, `${begun},${isTooLong ? '"omitted":true' : `"value":${text}`}}\n`);
  }
}

/** Appends a read. This is the one that must be fast, and nothing in it needs an escape. */
function appendData(output: OutputBuffer, event: Extract<RelayEvent, { type: "data" }>): void {
  const { id, time, elapsed, from, data } = event;
  const begun = `{"type":"data","id":${id},"time":"${new Date(time).toISOString()}",` +
    `"elapsed":${elapsed},"from":"${from}","offset":`;
  for (let at = 0; at === 0 || at < data.length; at += MAX_BYTES) {
    const part = data.subarray(at, at + MAX_BYTES);
    append(output, `${begun}${event.offset + at},"length":${part.length},"data":"`);
    append(output, part.toBase64(), 1);
    append(output, '"}\n');
  }
}

/** What a message was decoded to as JSON: a text that was sent as JSON is passed on as it is. */
export function jsonOf(value: unknown): string {
  if (value instanceof JsonText) return escapeJson(value.text);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // A bigint, a cycle: what a codec decodes to may be anything.
  }
  return escapeJson(text ?? JSON.stringify(String(value)));
}

/** Appends text whose UTF-16 units take up to `unitSize` bytes each: 1 for ASCII. */
export function append(output: OutputBuffer, text: string, unitSize = 3): void {
  const at = output.reserve(text.length * unitSize);
  output.advance(encoder.encodeInto(text, output.bytes.subarray(at)).written);
}
