/**
 * The least rate at which bytes must come.
 *
 * @module
 */

/** For how many times the grace a peer may save: a fast beginning pays for no longer rest. */
const SAVED_GRACES = 4;

/**
 * Judges whether a transfer keeps up a rate on average. It has no clock: the caller reports what happened.
 *
 * The average is a balance of time: each byte earns the time that it may take at the rate, up to a
 * limit, and the time that passes is paid from it.
 */
export class MinRate {
  readonly #rate: number;
  readonly #grace: number;
  #balance: number;

  /**
   * @param rate Bytes per second; 0 means no minimum.
   * @param grace Milliseconds that a transfer has at its beginning without earning them.
   */
  constructor(rate: number, grace: number) {
    this.#rate = rate;
    this.#grace = this.#balance = grace;
  }

  /** Whether fewer bytes came than must. */
  get isTooSlow(): boolean {
    return this.#rate > 0 && this.#balance < 0;
  }

  /** Forgets what happened: a new transfer begins. */
  reset(): void {
    this.#balance = this.#grace;
  }

  /** Counts time that has passed while bytes should have come, in milliseconds. */
  pay(elapsed: number): void {
    this.#balance -= elapsed;
  }

  /**
   * Counts bytes that came.
   *
   * @param extra Milliseconds that may be saved beyond the limit, for a sender that cannot see all bytes.
   */
  earn(bytes: number, extra = 0): void {
    if (this.#rate === 0) return;
    const most = SAVED_GRACES * this.#grace + extra;
    this.#balance = Math.min(most, this.#balance + this.timeFor(bytes));
  }

  /** How long so many bytes may take, in milliseconds; 0 if there is no minimum. */
  timeFor(bytes: number): number {
    return this.#rate === 0 ? 0 : bytes / this.#rate * 1_000;
  }
}
