/**
 * Continuing after frames that are broken.
 *
 * @module
 */

/** Input for a decoder that is to continue with what it has. */
export const NOTHING: Uint8Array = new Uint8Array(0);

/** A frame that a decoder could not decode. */
export interface BrokenFrame {
  readonly error: unknown;
  /** Whether it is reported for the second time: the decoder cannot continue after it. */
  readonly isLast: boolean;
}

/**
 * Pushes bytes to a decoder, and continues after frames of which only the contents are broken. Only the
 * next push shows whether the decoder can: one that cannot throws the same error again.
 */
export class FrameSkipper<T> {
  readonly #decoder: { push(bytes: Uint8Array, emit: (message: T) => unknown): void };
  #error: unknown;

  constructor(decoder: { push(bytes: Uint8Array, emit: (message: T) => unknown): void }) {
    this.#decoder = decoder;
  }

  /**
   * Decodes up to the first broken frame.
   *
   * @returns The broken frame: push {@linkcode NOTHING} to continue, unless it was the last one.
   */
  push(bytes: Uint8Array, emit: (message: T) => unknown): BrokenFrame | undefined {
    const before = this.#error;
    this.#error = undefined;
    try {
      this.#decoder.push(bytes, emit);
      return undefined;
    } catch (error) {
      this.#error = error;
      return { error, isLast: error === before };
    }
  }
}
