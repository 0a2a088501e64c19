/**
 * Memory for datagrams that somebody keeps.
 *
 * @module
 */

/** What a slab holds: small enough to keep one datagram alive, large enough to be worth it. */
const SLAB_SIZE = 8 * 1024;
/** From this size on a datagram gets memory of its own. */
const OWN_SIZE = 1_024;

let slab = new Uint8Array(SLAB_SIZE);
let used = 0;

/**
 * Copies a datagram out of the receive buffer.
 *
 * Allocating costs ten times as much as cutting a piece off, so small datagrams share a slab: one
 * that is kept keeps at most {@linkcode SLAB_SIZE} bytes alive.
 */
export function own(view: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = view;
  if (length >= OWN_SIZE) {
    const copy = new Uint8Array(length); // not slice(): a Buffer's would share its memory
    copy.set(view);
    return copy;
  }
  if (used + length > SLAB_SIZE) {
    slab = new Uint8Array(SLAB_SIZE);
    used = 0;
  }
  const piece = slab.subarray(used, used += length);
  piece.set(view);
  return piece;
}
