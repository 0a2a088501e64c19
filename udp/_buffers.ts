/**
 * Buffers to receive into, which sockets that come and go pass on.
 *
 * @module
 */

/** So many buffers wait for the next socket: 1 MiB with the default of `maxDatagramSize`. */
const MAX_KEPT = 16;

let kept: Uint8Array[] = [];

/** A buffer of `size` bytes, with anything in it. */
export function borrowBuffer(size: number): Uint8Array {
  const last = kept.at(-1);
  if (last === undefined || last.length !== size) return new Uint8Array(size);
  kept.pop();
  return last;
}

/** Takes a buffer back into which no one receives any more. */
export function returnBuffer(buffer: Uint8Array): void {
  if (kept.length > 0 && kept[0]?.length !== buffer.length) kept = []; // one size at a time
  if (kept.length < MAX_KEPT) kept.push(buffer);
}
