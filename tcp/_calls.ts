/**
 * The calls that wait for a {@linkcode Reader}, and how long each waits.
 *
 * @module
 */
import { messageLate, nothingArrived } from "./_errors.ts";
import type { Link } from "./_link.ts";
import type { ReadBuffer } from "./_read_buffer.ts";
import { MORE, type Want } from "./_wants.ts";
import type { ReadOptions } from "./read_options.ts";

/** A call that waits for what it wants. */
export class Call {
  /** How long it waits; `undefined` without limit. */
  readonly limits: CallLimits | undefined;
  /** Ends the call: reading has failed, was stopped, or took too long. */
  readonly failed: (reason: unknown) => void;
  readonly #want: Want<unknown>;
  readonly #resolve: (value: unknown) => void;

  constructor(
    want: Want<unknown>,
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
    limits?: CallLimits,
  ) {
    this.limits = limits;
    this.failed = reject;
    this.#want = want;
    this.#resolve = resolve;
  }

  /** Where the socket puts the bytes: room in the reader's buffer, or memory of the call's own. */
  room(buffer: ReadBuffer): Uint8Array {
    return this.#want.room === undefined ? buffer.room(0) : this.#want.room(buffer);
  }

  /**
   * Bytes have arrived, or the stream has ended.
   *
   * @param n How many bytes; `null` for none.
   * @param isEnd Whether nothing will follow.
   * @returns Whether that was enough. If not, it must wait again.
   */
  arrived(buffer: ReadBuffer, n: number | null, isEnd: boolean): boolean {
    try {
      const taken = this.#want.take(buffer, isEnd, n);
      if (taken === MORE) return false;
      this.#resolve(taken);
    } catch (error) {
      this.failed(error);
    }
    return true;
  }
}

/** What a caller may limit. */
export interface WaitLimits extends ReadOptions {
  /** When the timeout is over, on the clock of `performance.now()`, if the call began before. */
  readonly until?: number | undefined;
}

/** The limits of one call that waits. */
export class CallLimits {
  /** Whether the call's time is over; what had arrived by then is still to be handed over. */
  isOver = false;
  readonly #timeout: number;
  readonly #until: number;
  readonly #frame: number;
  readonly #signal: AbortSignal | undefined;
  #frameUntil = Infinity; // from when the message has begun
  #onAbort: (() => void) | undefined;

  /** @param frame How long the message may take that is waited for; `Infinity` for plain bytes. */
  constructor({ timeout, until, signal }: WaitLimits, read: number, frame: number) {
    this.#timeout = timeout ?? read;
    this.#until = until ??
      (this.#timeout === Infinity ? Infinity : performance.now() + this.#timeout);
    this.#frame = frame;
    this.#signal = signal;
  }

  /** When the call gives up, on the clock of `performance.now()`. */
  get until(): number {
    return Math.min(this.#until, this.#frameUntil);
  }

  /** Watches the signal; when it aborts, `leave` is called with its reason. */
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

  /** A part of the message is there: its time runs from the first call on. */
  messageBegun(): void {
    if (this.#frame < Infinity && this.#frameUntil === Infinity) {
      this.#frameUntil = performance.now() + this.#frame;
    }
  }

  /** Makes the error for the limit that has passed. */
  expired(link: Link): Error {
    return this.#until <= this.#frameUntil
      ? nothingArrived(link, this.#timeout)
      : messageLate(link, "read");
  }
}

/** The limits of a call; `undefined` if neither the caller nor the connection has any. */
export function limitsOf(
  given: WaitLimits | undefined,
  { timeouts }: Link,
  isMessage = false,
): CallLimits | undefined {
  const frame = isMessage ? timeouts.frame : Infinity;
  if (given === undefined && timeouts.read === Infinity && frame === Infinity) return undefined;
  return new CallLimits(given ?? {}, timeouts.read, frame);
}
