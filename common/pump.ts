/**
 * Moving bytes through two buffers, so that one is filled while the other is emptied.
 *
 * @module
 */

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
 * @param size The length of each of the two buffers.
 */
export async function pump(size: number, { fill, drain }: Pump): Promise<void> {
  let current = new Uint8Array(size);
  let spare: Uint8Array<ArrayBuffer> | undefined;
  let length = await fill(current);
  while (length > 0) {
    const piece = current.subarray(0, length);
    [current, spare] = [spare ?? new Uint8Array(size), current];
    const filling = fill(current); // first, because draining may compute for long before it waits
    const draining = (async () => await drain(piece))();
    const [drained, filled] = await Promise.allSettled([draining, filling]);
    if (drained.status === "rejected") throw drained.reason;
    if (filled.status === "rejected") throw filled.reason;
    length = filled.value;
  }
}
