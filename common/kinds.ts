/**
 * What kind of value something is.
 *
 * @module
 */

/** The type of a value, for messages in which it is more useful than the value. */
export function typeOf(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" ? tagOf(value) : typeof value;
}

/** Whether a value is bytes: a `Uint8Array`, also a subclass or one of another realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array ||
    (ArrayBuffer.isView(value) && tagOf(value) === "Uint8Array");
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}
