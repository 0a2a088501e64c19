/**
 * How large a buffer for reads should be: it grows while reads fill it, and shrinks when they use
 * little of it.
 *
 * @module
 */

/** So many reads in a row that use a small part of the buffer make the next one smaller. */
const SHRINK_AFTER = 8;

/** The size of the next buffer, learned from the reads before. */
export class AdaptiveSize {
  /** How many bytes the next buffer should have. */
  current: number;
  readonly #min: number;
  readonly #max: number;
  #smallReads = 0;

  /**
   * @param min The size to begin with: what a silent connection costs.
   * @param max The largest size.
   */
  constructor(min: number, max: number) {
    this.current = min;
    this.#min = min;
    this.#max = max;
  }

  /**
   * Learns from a read.
   *
   * @param n How many bytes it brought.
   * @param room How many it could have brought.
   */
  learn(n: number, room: number = this.current): void {
    if (n === room && room * 2 >= this.current) {
      this.current = Math.min(this.current * 4, this.#max);
    } else if (n * 16 < this.current && this.current > this.#min) {
      if (++this.#smallReads < SHRINK_AFTER) return;
      this.current = Math.max(this.current / 4, this.#min);
    }
    this.#smallReads = 0;
  }
}

/** One buffer for read after read, as large as they need. */
export class AdaptiveBuffer {
  /** The memory for the next read. */
  bytes: Uint8Array<ArrayBuffer>;
  readonly #size: AdaptiveSize;

  /**
   * @param min How many bytes it begins with.
   * @param max How many bytes it grows to.
   */
  constructor(min: number, max: number) {
    this.#size = new AdaptiveSize(min, max);
    this.bytes = new Uint8Array(min);
  }

  /** Learns from a read of `n` bytes; `bytes` may be other memory afterwards. */
  learn(n: number): void {
    this.#size.learn(n, this.bytes.length);
    if (this.#size.current !== this.bytes.length) this.bytes = new Uint8Array(this.#size.current);
  }
}
