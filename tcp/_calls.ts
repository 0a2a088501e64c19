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
  /** How long it waits; `undefined` for as long as it takes. */
  readonly limits: CallLimits | undefined;
  /** Where the socket puts the bytes: room in the reader's buffer, or memory of the call's own. */
  room(buffer: ReadBuffer): Uint8Array;
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

/** The two ends of a promise. */
type Resolve<T> = (value: T) => void;
type Reject = (reason: unknown) => void;

/** A call whose memory the socket fills. */
export class DirectCall implements Call {
  readonly limits = undefined;
  readonly failed: Reject;
  readonly #memory: Uint8Array;
  readonly #resolve: Resolve<number | null>;

  constructor(memory: Uint8Array, resolve: Resolve<number | null>, reject: Reject) {
    this.failed = reject;
    this.#memory = memory;
    this.#resolve = resolve;
  }

  room(): Uint8Array {
    return this.#memory;
  }

  arrived(_: ReadBuffer, n: number | null): true {
    this.#resolve(n);
    return true;
  }
}

/** A call that takes what it wants from the buffer. */
export class WantCall<T> implements Call {
  readonly limits: CallLimits | undefined;
  readonly failed: Reject;
  readonly #want: Pick<Want<T>, "take" | "missing">;
  readonly #resolve: Resolve<T>;

  constructor(
    want: Pick<Want<T>, "take" | "missing">,
    resolve: Resolve<T>,
    reject: Reject,
    limits?: CallLimits,
  ) {
    this.limits = limits;
    this.failed = reject;
    this.#want = want;
    this.#resolve = resolve;
  }

  room(buffer: ReadBuffer): Uint8Array {
    return buffer.room(this.#want.missing?.(buffer) ?? 0);
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
