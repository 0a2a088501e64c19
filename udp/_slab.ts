/**
 * Memory for datagrams that are kept.
 *
 * @module
 */
import { Slab } from "../common/slab.ts";

/**
 * Small datagrams share 8 KiB: little enough to be kept alive by one of them, enough to be worth it. From
 * 1 KiB on, a datagram has memory of its own.
 */
const slab = new Slab(8 * 1024, 1_023);

/** Copies a datagram out of the receive buffer. */
export function own(view: Uint8Array): Uint8Array<ArrayBuffer> {
  return slab.copy(view);
}
