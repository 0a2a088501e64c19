/** How much one client may say. @module */

/**
 * A token bucket: it holds `burst` tokens, each line takes one, and `perSecond` come back each
 * second. Time is told by whoever asks, in milliseconds.
 */
export class RateLimit {
  readonly #perMillisecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;

  constructor(perSecond: number, burst: number, now: number) {
    this.#perMillisecond = perSecond / 1_000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAt = now;
  }

  /** Takes a token; `false` if there is none. */
  take(now: number): boolean {
    if (this.#perMillisecond === Infinity) return true;
    const gained = Math.max(0, now - this.#filledAt) * this.#perMillisecond;
    this.#filledAt = now;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
