/**
 * Bytes that are put together.
 *
 * @module
 */

/** Both, one after the other, in memory of their own. */
export function concat(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
