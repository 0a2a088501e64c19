/**
 * A timer that can be brought forward and never put off.
 *
 * @module
 */

/** The longest time a timer can be set for (a signed 32-bit number of milliseconds). */
const MAX_TIMER = 2 ** 31 - 1;

/** Calls one function once, at the earliest of the times it was started with. */
export class EarliestTimer {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at = Infinity;

  /**
   * Calls `act` in `ms` milliseconds, unless it was started to do so earlier. Unlike a deadline on the
   * sweep timer it keeps the process alive: what waits for it may have nothing else that does.
   */
  start(ms: number, act: () => void): void {
    const at = performance.now() + ms;
    if (at >= this.#at) return;
    this.stop();
    this.#at = at;
    if (ms <= MAX_TIMER) this.#timer = setTimeout(act, ms);
  }

  /** Forgets the time. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#at = Infinity;
  }
}
