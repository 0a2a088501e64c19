/**
 * What the lines of a capture must hold to be events.
 *
 * @module
 */
import { FrameError } from "../../errors.ts";
import type { RelayEvent } from "./events.ts";

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
export function toEvent(value: unknown, line: number): RelayEvent {
  const corrupt = (what: string, cause?: unknown) =>
    new FrameError("corrupt", `Cannot read the capture: ${what} in line ${line}`, { cause });
  if (typeof value !== "object" || value === null) throw corrupt("no event");
  const written: Record<string, unknown> = { ...value };
  const type = String(written.type);
  if (!Object.hasOwn(FIELDS, type)) throw corrupt("no event");
  const fields = FIELDS[type as RelayEvent["type"]];
  const at = typeof written.time === "string" ? Date.parse(written.time) : NaN;
  if (Number.isNaN(at)) throw corrupt("no time");
  written.time = at;
  if (typeof written.data === "string") {
    try {
      written.data = Uint8Array.fromBase64(written.data);
      if (type === "message") written.value = written.data;
    } catch (cause) {
      throw corrupt("bad base64", cause);
    }
  }
  for (const [name, isRight] of Object.entries({ id: count, elapsed: time, ...fields })) {
    if (!isRight(written[name])) throw corrupt(`no ${name}`);
  }
  if (type === "message") delete written.data;
  else if (type !== "partial") delete written.length;
  return written as unknown as RelayEvent;
}
