/** How often something may happen. @module */

/**
 * A token bucket: it holds `burst` tokens, each event takes one, and `perSecond` come back each
 * second. The caller passes the time, in milliseconds.
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
    if (this.wait(now) > 0) return false;
    this.#tokens--;
    return true;
  }

  /** Milliseconds until there is a token; 0 if there is one. */
  wait(now: number): number {
    this.#fill(now);
    return this.#tokens >= 1 ? 0 : (1 - this.#tokens) / this.#perMillisecond;
  }

  /** Whether no token was taken lately. */
  isFull(now: number): boolean {
    this.#fill(now);
    return this.#tokens === this.#burst;
  }

  #fill(now: number): void {
    if (this.#perMillisecond === Infinity) {
      this.#tokens = this.#burst;
      return;
    }
    const gained = Math.max(0, now - this.#filledAt) * this.#perMillisecond;
    this.#filledAt = now;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
  }
}
