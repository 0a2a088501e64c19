/**
 * Buffers to receive into, reused by the next socket.
 *
 * @module
 */

/** Buffers that are kept for the next sockets: 1 MiB with the default of `maxDatagramSize`. */
const MAX_KEPT = 16;

let kept: Uint8Array[] = [];

/** A buffer of `size` bytes, with anything in it. */
export function borrowBuffer(size: number): Uint8Array {
  const last = kept.at(-1);
  if (last === undefined || last.length !== size) return new Uint8Array(size);
  kept.pop();
  return last;
}

/** Takes back a buffer that is no longer in use. */
export function returnBuffer(buffer: Uint8Array): void {
  if (kept.length > 0 && kept[0]?.length !== buffer.length) kept = []; // one size at a time
  if (kept.length < MAX_KEPT) kept.push(buffer);
}
