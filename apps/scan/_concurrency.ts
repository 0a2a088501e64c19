/**
 * How many probes may be in flight: fewer when the system has no descriptors left or packets get lost,
 * then more again, one at a time.
 *
 * @module
 */

/** Descriptors that are left to others when there are too few. */
const SPARE_DESCRIPTORS = 16;
/** Milliseconds after which one more is tried. */
const REGROW_AFTER = 100;
/** When packets are lost, the limit is no less than this. */
const MIN_CONCURRENCY = 32;

/** A limit that follows what the system and the network can take. */
export class Concurrency {
  /** The limit now. */
  limit: number;

  readonly #highest: number;
  #changedAt = 0;
  #halvedAt = -Infinity;

  constructor(highest: number) {
    this.limit = this.#highest = highest;
  }

  /** There is no room for another socket beside those in flight. */
  exhausted(inFlight: number, now: number): void {
    this.#changedAt = now;
    this.limit = Math.max(1, Math.min(this.limit, inFlight - SPARE_DESCRIPTORS));
  }

  /** Packets got lost: then fewer at once arrive sooner. Halves the limit, once in `gap` milliseconds. */
  packetsLost(now: number, gap: number): void {
    if (now - this.#halvedAt < gap) return;
    this.#halvedAt = this.#changedAt = now;
    this.limit = Math.max(Math.min(MIN_CONCURRENCY, this.limit), this.limit >> 1);
  }

  /** Raises the limit by one, if nothing has lowered it lately. */
  regrow(now: number): void {
    if (this.limit >= this.#highest || now - this.#changedAt <= REGROW_AFTER) return;
    this.#changedAt = now;
    this.limit++;
  }
}
