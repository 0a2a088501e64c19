/**
 * How long one reading call waits.
 *
 * @module
 */
import type { Link } from "./_link.ts";
import type { ReadOptions } from "./read_options.ts";
import { notComplete, nothingArrived } from "./_read_errors.ts";

/** What a caller may limit. */
export interface WaitLimits extends ReadOptions {
  /** When the timeout is over, on the clock of `performance.now()`, if the call began before. */
  readonly until?: number | undefined;
}

/** What a connection limits. */
export interface ReadTimeouts {
  /** Milliseconds for a call that sets no timeout of its own. */
  readonly read: number;
  /** Milliseconds from the first byte of a message to its last. */
  readonly frame: number;
}

/** The limits of one call that waits. */
export class CallLimits {
  readonly #timeout: number;
  readonly #until: number;
  readonly #frame: number;
  readonly #signal: AbortSignal | undefined;
  #frameUntil = Infinity; // from when the message has begun
  #onAbort: (() => void) | undefined;

  /** @param frame How long the message may take that is waited for; `Infinity` for plain bytes. */
  constructor(given: WaitLimits | undefined, read: number, frame: number) {
    const { timeout = read, signal } = given ?? {};
    this.#timeout = timeout;
    this.#until = given?.until ??
      (timeout === Infinity ? Infinity : performance.now() + timeout);
    this.#frame = frame;
    this.#signal = signal;
  }

  /**
   * Watches the signal.
   *
   * @param leave Is called with its reason when it aborts.
   */
  begin(leave: (reason: unknown) => void): void {
    const signal = this.#signal;
    if (signal === undefined || this.#onAbort !== undefined) return;
    this.#onAbort = () => leave(signal.reason);
    signal.addEventListener("abort", this.#onAbort);
  }

  /** Watches it no more. */
  end(): void {
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  /**
   * When the call gives up, on the clock of `performance.now()`.
   *
   * @param hasBegun Whether a part of its message is there.
   */
  deadline(hasBegun: boolean): number {
    if (hasBegun && this.#frame < Infinity && this.#frameUntil === Infinity) {
      this.#frameUntil = performance.now() + this.#frame;
    }
    return Math.min(this.#until, this.#frameUntil);
  }

  /** Which limit has passed. */
  expired(link: Link): Error {
    return this.#until <= this.#frameUntil
      ? nothingArrived(link, this.#timeout)
      : notComplete(link, "read", this.#frame);
  }
}

/** The limits of a call; `undefined` for one that waits as long as it takes. */
export function limitsOf(
  given: WaitLimits | undefined,
  timeouts: ReadTimeouts,
  isMessage: boolean,
): CallLimits | undefined {
  const frame = isMessage ? timeouts.frame : Infinity;
  const { timeout = timeouts.read, until = timeout, signal } = given ?? {};
  const isLimited = frame < Infinity || timeout < Infinity || until < Infinity ||
    signal !== undefined;
  return isLimited ? new CallLimits(given, timeouts.read, frame) : undefined;
}
