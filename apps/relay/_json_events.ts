/**
 * Events as lines of JSON, and back.
 *
 * @module
 */
import type { OutputBuffer } from "../../framing/output_buffer.ts";
import { jsonLine } from "../escape.ts";
import type { RelayEvent } from "./events.ts";

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
  const { time, ...rest } = event;
  const written: Record<string, unknown> = { ...rest };
  if (event.type === "message") {
    delete written.value;
    if (event.value instanceof Uint8Array) written.data = event.value.toBase64();
    else written.value = event.value;
  }
  const { type, id } = event;
  append(output, jsonLine({ type, id, time: new Date(time).toISOString(), ...written }));
}

/** Appends text. */
export function append(output: OutputBuffer, text: string): void {
  const at = output.reserve(text.length * 3);
  const { written } = encoder.encodeInto(text, output.bytes.subarray(at));
  output.advance(written);
}
