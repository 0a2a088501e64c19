/**
 * How long to wait before trying again.
 *
 * @module
 */

/** The bounds of a {@linkcode Backoff}, in milliseconds. */
export interface BackoffOptions {
  /** The first wait. */
  min: number;
  /** The longest wait. */
  max: number;
  /** How much of each wait is drawn by chance: 0 none of it, 1 all of it. */
  jitter: number;
}

/** Waits that double from `min` to `max`, with as much jitter as asked for. */
export class Backoff {
  readonly #options: BackoffOptions;
  #next: number;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#next = options.min;
  }

  /** The next wait in milliseconds. */
  next(): number {
    const { max, jitter } = this.#options;
    const wait = Math.min(this.#next, max);
    this.#next = Math.min(wait * 2, max);
    return wait * (1 - jitter * Math.random());
  }

  /** Starts again from `min`: what failed has worked. */
  reset(): void {
    this.#next = this.#options.min;
  }
}

/** A sleep that can be cut short. */
export interface Sleep {
  /** Settles when the time is over or the sleep was cut short; it never rejects. */
  readonly done: Promise<void>;
  /** Ends the sleep now. */
  wake(): void;
}

/** Sleeps for `ms` milliseconds, or until {@linkcode Sleep.wake} is called. */
export function sleep(ms: number): Sleep {
  const { promise, resolve: wake } = Promise.withResolvers<void>();
  const timer = setTimeout(wake, ms);
  return { done: promise.then(() => clearTimeout(timer)), wake };
}
