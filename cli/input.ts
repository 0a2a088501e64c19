/** The standard input, read ahead by one piece while the last one is being sent. @module */
import { AdaptiveSize } from "../common/adaptive_size.ts";
import { pump } from "../common/pump.ts";

/** What reading begins with. */
const MIN_SIZE = 64 * 1024;
/** What it grows to while reads fill it: two buffers of this are all that is held. */
const MAX_SIZE = 1024 * 1024;

/**
 * Reads the standard input to its end. While a piece is being taken the next one is read, and no
 * more: a slow taker makes the writer of the input wait.
 *
 * @param take Takes a piece; its memory is used again when the promise has settled.
 * @param maxRead Bytes for one read at most.
 * @throws What `take` has thrown.
 */
export function readInput(
  take: (piece: Uint8Array) => Promise<void>,
  maxRead = MAX_SIZE,
): Promise<void> {
  return pump(new AdaptiveSize(Math.min(MIN_SIZE, maxRead), maxRead), {
    fill: async (buffer) => await Deno.stdin.read(buffer) ?? 0,
    drain: take,
  });
}
