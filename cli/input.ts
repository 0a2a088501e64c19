/** The standard input, read ahead by one piece while the last one is being sent. @module */

/** What reading begins with. */
const MIN_SIZE = 64 * 1024;
/** What it grows to while reads fill it: two buffers of this are all that is held. */
const MAX_SIZE = 1024 * 1024;

/** How to read. */
export interface InputOptions {
  /**
   * Bytes for one read at most.
   *
   * @default {1_048_576}
   */
  maxRead?: number;
}

/**
 * Reads the standard input to its end. While a piece is being taken the next one is read, and no
 * more: a slow taker makes the writer of the input wait.
 *
 * @param take Takes a piece; its memory is used again when the promise has settled.
 * @param options How to read.
 * @throws What `take` has thrown.
 */
export async function readInput(
  take: (piece: Uint8Array) => Promise<void>,
  options: InputOptions = {},
): Promise<void> {
  const { maxRead = MAX_SIZE } = options;
  let size = Math.min(MIN_SIZE, maxRead);
  let free = new Uint8Array(size);
  let busy = new Uint8Array(size);
  let taking: Promise<void> = Promise.resolve();
  while (true) {
    if (free.length < size) free = new Uint8Array(size);
    const n = await Deno.stdin.read(free);
    await taking;
    if (n === null) return;
    taking = take(free.subarray(0, n));
    taking.catch(() => {}); // it is awaited after the next read
    if (n === free.length) size = Math.min(size * 4, maxRead);
    [free, busy] = [busy, free];
  }
}
