/**
 * The calls that wait for a {@linkcode Reader}.
 *
 * @module
 */
import type { CallLimits } from "./_call_limits.ts";
import type { ReadBuffer } from "./_read_buffer.ts";
import type { Want } from "./_wants.ts";

/** A call that waits. */
export interface Call {
  /** Where the socket puts the bytes; `undefined` for the reader's buffer. */
  readonly memory: Uint8Array | undefined;
  /** How long it waits; `undefined` for as long as it takes. */
  readonly limits: CallLimits | undefined;
  /** How many bytes it needs at least, if that is known; otherwise 0. */
  missing(buffer: ReadBuffer): number;
  /**
   * Bytes have arrived, or the stream has ended. Must not throw.
   *
   * @param n How many bytes; `null` for none.
   * @param isEnd Whether nothing will follow.
   * @returns Whether that was enough. If not, it waits on.
   */
  arrived(buffer: ReadBuffer, n: number | null, isEnd: boolean): boolean;
  /** Reading has failed, was stopped, or took too long. */
  failed(reason: unknown): void;
}

/** A call whose memory the socket fills. */
export class DirectCall implements Call {
  readonly memory: Uint8Array;
  readonly limits = undefined;
  readonly failed: (reason: unknown) => void;
  readonly #resolve: (n: number | null) => void;

  constructor(
    memory: Uint8Array,
    resolve: (n: number | null) => void,
    reject: (reason: unknown) => void,
  ) {
    this.memory = memory;
    this.#resolve = resolve;
    this.failed = reject;
  }

  missing(): number {
    return 0;
  }

  arrived(_: ReadBuffer, n: number | null): true {
    this.#resolve(n);
    return true;
  }
}

/** What a {@linkcode WantCall} is made from. */
interface WantCallInit<T> {
  readonly want: Want<T>;
  readonly limits: CallLimits | undefined;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/** A call that takes what it wants from the buffer. */
export class WantCall<T> implements Call {
  readonly memory = undefined;
  readonly limits: CallLimits | undefined;
  readonly failed: (reason: unknown) => void;
  readonly #want: Want<T>;
  readonly #resolve: (value: T) => void;

  constructor({ want, limits, resolve, reject }: WantCallInit<T>) {
    this.limits = limits;
    this.failed = reject;
    this.#want = want;
    this.#resolve = resolve;
  }

  missing(buffer: ReadBuffer): number {
    return this.#want.missing?.(buffer) ?? 0;
  }

  arrived(buffer: ReadBuffer, _: number | null, isEnd: boolean): boolean {
    try {
      const taken = this.#want.take(buffer, isEnd);
      if (taken === undefined) return false;
      this.#resolve(taken);
    } catch (error) {
      this.failed(error);
    }
    return true;
  }
}

/** A call that has what it wants, and waits for a turn of the event loop that has time for it. */
export class HeldCall implements Call {
  readonly memory = undefined;
  readonly limits = undefined;
  readonly failed: (reason: unknown) => void;
  readonly #handOut: () => void;

  constructor(handOut: () => void, failed: (reason: unknown) => void) {
    this.#handOut = handOut;
    this.failed = failed;
  }

  missing(): number {
    return 0;
  }

  arrived(): true {
    this.#handOut();
    return true;
  }
}
