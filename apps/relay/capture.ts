/**
 * Reading what a relay has written down as JSON.
 *
 * @module
 */
import { FrameError } from "../../errors.ts";
import { type ChunkSource, frames } from "../../framing/frames.ts";
import { lines } from "../../framing/lines.ts";
import { text } from "../../framing/text.ts";
import { memberText } from "./_member_text.ts";
import type { RelayEvent, RelayMessageEvent } from "./events.ts";
import { JsonText } from "./json_text.ts";

/** The longest line: the largest read or message in base64, and some room. */
const MAX_LINE = 4 * 1024 * 1024;

/** How to read a capture. */
export interface ReadCaptureOptions {
  /**
   * Give the messages that were JSON as a {@linkcode JsonText}, which keeps the text as it was sent,
   * instead of as values.
   *
   * @default {false}
   */
  jsonText?: boolean;
}

/** The fields of each type of event, with what they must be. */
const FIELDS: Readonly<Record<RelayEvent["type"], Readonly<Record<string, string>>>> = {
  open: { client: "address", target: "address" },
  refused: { client: "address", reason: "string" },
  data: { from: "side", offset: "number", data: "bytes" },
  message: { from: "side", number: "number", offset: "number", length: "number", reads: "number" },
  partial: { from: "side", number: "number", length: "number" },
  unframed: { from: "side", reason: "string", lost: "boolean" },
  end: { from: "side" },
  close: { first: "string", fromClient: "number", fromTarget: "number" },
};

/**
 * Reads a capture: the events that a relay wrote down as JSON.
 *
 * @param source The bytes of the capture, in chunks: a file's `readable`, for one.
 * @param options What messages are given as.
 * @returns The events as the observer of the relay was told them.
 * @throws {FrameError} With the code `corrupt`, if a line is not an event; with the code `too_long`, if
 * it is longer than 4 MiB.
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
  let number = 0;
  for await (const line of frames(source, text(lines({ maxLength: MAX_LINE })))) {
    number++;
    const event = toEvent(parse(line, number), number);
    if (event.type !== "message" || options.jsonText !== true) yield event;
    else yield keepText(event, line);
  }
}

function keepText(event: RelayMessageEvent, line: string): RelayMessageEvent {
  const value = event.value instanceof Uint8Array ? undefined : memberText(line, "value");
  return value === undefined ? event : { ...event, value: JsonText.parse(value) };
}

function parse(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new FrameError("corrupt", `Cannot read the capture: no JSON in line ${number}`, {
      cause,
    });
  }
}

function toEvent(value: unknown, line: number): RelayEvent {
  const corrupt = (what: string) =>
    new FrameError("corrupt", `Cannot read the capture: ${what} in line ${line}`);
  if (typeof value !== "object" || value === null) throw corrupt("no event");
  const written: Record<string, unknown> = { ...value };
  const fields = Object.hasOwn(FIELDS, String(written.type))
    ? FIELDS[written.type as RelayEvent["type"]]
    : undefined;
  if (fields === undefined) throw corrupt("no event");
  const time = typeof written.time === "string" ? Date.parse(written.time) : NaN;
  if (Number.isNaN(time)) throw corrupt("no time");
  written.time = time;
  const wanted = { id: "number", elapsed: "number", ...fields };
  if (typeof written.data === "string") {
    try {
      const bytes = Uint8Array.fromBase64(written.data);
      if (written.type === "message") written.value = bytes;
      written.data = bytes;
    } catch (cause) {
      throw new FrameError("corrupt", `Cannot read the capture: bad base64 in line ${line}`, {
        cause,
      });
    }
  }
  for (const [name, kind] of Object.entries(wanted)) {
    if (!isKind(written[name], kind)) throw corrupt(`no ${name}`);
  }
  if (written.type === "message") delete written.data;
  else delete written.length;
  if (written.type === "partial") written.length = (value as { length: number }).length;
  return written as unknown as RelayEvent;
}

function isKind(value: unknown, kind: string): boolean {
  switch (kind) {
    case "side":
      return value === "client" || value === "target";
    case "bytes":
      return value instanceof Uint8Array;
    case "address":
      return typeof value === "object" && value !== null && "hostname" in value && "port" in value;
    case "number":
      return typeof value === "number";
    case "boolean":
      return typeof value === "boolean";
    default:
      return typeof value === "string";
  }
}
