/**
 * When a read that waits gives up.
 *
 * @module
 */
import { type Sweepable, unwatch, watch } from "../common/sweep.ts";

/** The deadline of one reader: set for a call, and cleared when the call has ended. */
export class ReadDeadline implements Sweepable {
  #at = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #onExpired: () => void;

  /** @param onExpired Is called when the deadline has passed. */
  constructor(onExpired: () => void) {
    this.#onExpired = onExpired;
  }

  /** Sets the deadline, on the clock of `performance.now()`. */
  set(at: number): void {
    this.#at = at;
    watch(this, at);
  }

  /** There is none any more. */
  clear(): void {
    this.#at = Infinity;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Watches no more. */
  stop(): void {
    this.clear();
    unwatch(this);
  }

  /**
   * The runtime calls timers before it looks at its sockets. So one more timer passes before the call
   * gives up: what had arrived by the deadline is taken, also where the deadline was "now".
   */
  sweep(now: number): number {
    const at = this.#at;
    if (now < at) return at;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#at <= performance.now()) this.#onExpired();
    }, 0);
    return Infinity;
  }
}
