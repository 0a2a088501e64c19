/**
 * When a read that waits gives up.
 *
 * @module
 */
import { afterLook } from "../common/after_look.ts";
import { type Sweepable, unwatch, watch } from "../common/sweep.ts";

/** The deadline of one reader: set for a call, and cleared when the call has ended. */
export class ReadDeadline implements Sweepable {
  #at = Infinity;
  #call = 0; // which one it is for, to know one from the next
  #looking = -1; // the call whose time is over
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
    this.#call++;
  }

  /** Watches no more. */
  stop(): void {
    this.clear();
    unwatch(this);
  }

  /** What the system had by the deadline is taken first, also where the deadline was "now". */
  sweep(now: number): number {
    const call = this.#call;
    if (now < this.#at) return this.#at;
    if (this.#looking !== call) {
      this.#looking = call;
      afterLook(() => {
        if (call === this.#call) this.#onExpired();
      });
    }
    return Infinity;
  }
}
