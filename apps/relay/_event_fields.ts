/**
 * What the lines of a capture must hold to be events.
 *
 * @module
 */
import { FrameError } from "../../errors.ts";
import type { RelayEvent } from "./events.ts";

/** What a field must be; with a question mark, if it is there. */
type Kind =
  | "address"
  | "boolean"
  | "bytes"
  | "count"
  | "first"
  | "side"
  | "string"
  | "string?"
  | "time";

const BASE: Readonly<Record<string, Kind>> = { id: "count", elapsed: "time" };

/** The fields of each type of event, with what they must be. */
const FIELDS: Readonly<Record<RelayEvent["type"], Readonly<Record<string, Kind>>>> = {
  open: { client: "address", target: "address" },
  refused: { client: "address", reason: "string" },
  data: { from: "side", offset: "count", data: "bytes" },
  message: { from: "side", number: "count", offset: "count", length: "count", reads: "count" },
  partial: { from: "side", number: "count", length: "count" },
  unframed: { from: "side", reason: "string", lost: "boolean" },
  end: { from: "side" },
  close: { first: "first", reason: "string?", fromClient: "count", fromTarget: "count" },
};

/**
 * The event that a line of a capture is.
 *
 * @param value The line, parsed.
 * @param line Its number, for the message.
 * @throws {FrameError} With the code `corrupt`, if it is no event.
 */
export function toEvent(value: unknown, line: number): RelayEvent {
  const corrupt = (what: string, cause?: unknown) =>
    new FrameError("corrupt", `Cannot read the capture: ${what} in line ${line}`, { cause });
  if (typeof value !== "object" || value === null) throw corrupt("no event");
  const written: Record<string, unknown> = { ...value };
  const type = String(written.type);
  if (!Object.hasOwn(FIELDS, type)) throw corrupt("no event");
  const fields = FIELDS[type as RelayEvent["type"]];
  const time = typeof written.time === "string" ? Date.parse(written.time) : NaN;
  if (Number.isNaN(time)) throw corrupt("no time");
  written.time = time;
  if (typeof written.data === "string") {
    try {
      const bytes = Uint8Array.fromBase64(written.data);
      if (type === "message") written.value = bytes;
      written.data = bytes;
    } catch (cause) {
      throw corrupt("bad base64", cause);
    }
  }
  for (const [name, kind] of Object.entries({ ...BASE, ...fields })) {
    if (!isKind(written[name], kind)) throw corrupt(`no ${name}`);
  }
  if (type === "message") delete written.data;
  else if (type !== "partial") delete written.length;
  return written as unknown as RelayEvent;
}

function isKind(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case "address":
      return isAddress(value);
    case "boolean":
      return typeof value === "boolean";
    case "bytes":
      return value instanceof Uint8Array;
    case "count":
      return Number.isSafeInteger(value) && (value as number) >= 0;
    case "first":
      return value === "relay" || isKind(value, "side");
    case "side":
      return value === "client" || value === "target";
    case "string":
      return typeof value === "string";
    case "string?":
      return value === undefined || typeof value === "string";
    case "time":
      return typeof value === "number" && value >= 0 && value < Infinity;
  }
}

function isAddress(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if ("path" in value) return typeof value.path === "string";
  return "hostname" in value && typeof value.hostname === "string" &&
    "port" in value && isKind(value.port, "count");
}
