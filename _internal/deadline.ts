/**
 * A deadline on the sweep timer, for waits that happen once.
 *
 * @module
 */
import { type Sweepable, unwatch, watch } from "./sweep.ts";

/**
 * Calls `expire` once, `ms` milliseconds from now or a little later.
 *
 * @param ms Milliseconds; with `Infinity` it never happens.
 * @returns A function that calls it off.
 */
export function deadline(ms: number, expire: () => void): () => void {
  if (ms === Infinity) return () => {};
  const at = performance.now() + ms;
  const entry: Sweepable = {
    sweep(now) {
      if (now < at) return at;
      unwatch(entry);
      expire();
      return Infinity;
    },
  };
  watch(entry, at);
  return () => unwatch(entry);
}
