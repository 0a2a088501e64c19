/**
 * Bytes from what a caller gives: mistakes are found here, before the system meets them.
 *
 * @module
 */
import { isBytes, typeOf } from "../common/kinds.ts";

const encoder = new TextEncoder();

/** Takes bytes as they are, and text as UTF-8. */
export function bytesOf(action: string, data: Uint8Array | string): Uint8Array {
  if (typeof data === "string") return encoder.encode(data);
  if (!isBytes(data)) throw notBytes(action, data);
  return data;
}

/** The error of a value that would break the connection if the system were to find it. */
export function notBytes(action: string, value: unknown): TypeError {
  return new TypeError(
    `Cannot ${action}: expected a Uint8Array, current value is of type ${typeOf(value)}`,
  );
}
