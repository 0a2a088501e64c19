/**
 * Moving bytes through two buffers, so that one is filled while the other is emptied.
 *
 * @module
 */

import { AdaptiveSize } from "./adaptive_size.ts";

/** Where bytes come from and where they go. */
export interface Pump {
  /**
   * Puts the next bytes into the buffer.
   *
   * @returns How many they are; 0 at the end.
   */
  fill(buffer: Uint8Array<ArrayBuffer>): Promise<number>;
  /** Takes a piece, which is valid until the returned promise settles. */
  drain(piece: Uint8Array<ArrayBuffer>): void | Promise<void>;
}

/**
 * Moves all bytes: each piece is drained while the next one is filled.
 *
 * When it settles, neither is under way. Of two errors the one of `drain` is thrown; what was filled
 * before an error of `fill` was drained.
 *
 * @param size The length of each of the two buffers, or what it is learned by.
 */
export async function pump(size: number | AdaptiveSize, { fill, drain }: Pump): Promise<void> {
  const sizes = typeof size === "number" ? new AdaptiveSize(size, size) : size;
  let current = new Uint8Array(sizes.current);
  let spare: Uint8Array<ArrayBuffer> | undefined;
  let length = await fill(current);
  while (length > 0) {
    const piece = current.subarray(0, length);
    sizes.learn(length, current.length);
    const next = spare?.length === sizes.current ? spare : new Uint8Array(sizes.current);
    [current, spare] = [next, current];
    const filling = fill(current); // first, because draining may compute for long before it waits
    const draining = (async () => await drain(piece))();
    const [drained, filled] = await Promise.allSettled([draining, filling]);
    if (drained.status === "rejected") throw drained.reason;
    if (filled.status === "rejected") throw filled.reason;
    length = filled.value;
  }
}
