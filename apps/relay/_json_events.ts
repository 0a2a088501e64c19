/**
 * Events as lines of JSON.
 *
 * @module
 */
import type { OutputBuffer } from "../../framing/output_buffer.ts";
import { escapeJson, jsonLine } from "../escape.ts";
import type { RelayEvent } from "./events.ts";
import { JsonText } from "./json_text.ts";

const encoder = new TextEncoder();

/** Appends an event as a line of JSON. Bytes are in base64, so that no byte is lost or misread. */
export function appendJson(output: OutputBuffer, event: RelayEvent): void {
  if (event.type === "data") {
    // The one that must be fast, and nothing in it needs an escape.
    const { id, time, elapsed, from, offset, data } = event;
    const head = `{"type":"data","id":${id},"time":"${new Date(time).toISOString()}",` +
      `"elapsed":${elapsed},"from":"${from}","offset":${offset},"length":${data.length},"data":"`;
    append(output, `${head}${data.toBase64()}"}\n`);
    return;
  }
  const { type, id, time, ...rest } = event;
  const written = { type, id, time: new Date(time).toISOString(), ...rest };
  if (event.type !== "message") return append(output, jsonLine(written));
  const { value, ...fields } = written as typeof written & { value: unknown };
  if (value instanceof Uint8Array) {
    append(output, jsonLine({ ...fields, data: value.toBase64() }));
  } else {
    append(output, `${jsonLine(fields).slice(0, -2)},"value":${jsonOf(value)}}\n`);
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

/** Appends text. */
export function append(output: OutputBuffer, text: string): void {
  const at = output.reserve(text.length * 3);
  const { written } = encoder.encodeInto(text, output.bytes.subarray(at));
  output.advance(written);
}
