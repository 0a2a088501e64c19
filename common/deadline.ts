/**
 * A deadline on the sweep timer, for waits that happen once.
 *
 * @module
 */
import { afterLook } from "./after_look.ts";
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

/**
 * Does the same for a wait for something from a socket: what has arrived by the deadline is in time, also
 * if the program was busy and the runtime has not looked at its sockets since.
 *
 * @param ms Milliseconds; with 0 the sockets are looked at, and no more.
 * @param expire What to do then.
 * @returns A function that calls it off.
 */
export function arrivalDeadline(ms: number, expire: () => void): () => void {
  let isOver = false;
  const look = () =>
    afterLook(() => {
      if (!isOver) expire();
    });
  const cancel = ms === 0 ? look() : deadline(ms, look);
  return () => {
    isOver = true;
    cancel?.();
  };
}

/**
 * Calls `expire` once, when `progress` has not changed for `ms` milliseconds or a little longer.
 *
 * @param progress What is to change: a count that only grows.
 * @param ms Milliseconds; with `Infinity` it never happens.
 * @param expire What to do then.
 * @returns A function that calls it off.
 */
export function whenStalled(progress: () => number, ms: number, expire: () => void): () => void {
  let last = progress();
  let cancel = deadline(ms, look);
  return () => cancel();

  function look(): void {
    const now = progress();
    if (now === last) return expire();
    last = now;
    cancel = deadline(ms, look);
  }
}
