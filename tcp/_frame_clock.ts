/**
 * How long the message that has begun may still take.
 *
 * @module
 */

/** Times one message after the other, each from the first look at it. */
export class FrameClock {
  /** When the message must be complete, on the clock of `performance.now()`. */
  until = Infinity;
  readonly #frame: number;
  #begun = 0; // which message that is: where it begins in the stream

  /** @param frame Milliseconds from a message's first byte to its last. */
  constructor(frame: number) {
    this.#frame = frame;
  }

  /** Whether the message was not complete in time. */
  get isOver(): boolean {
    return this.until < Infinity && performance.now() >= this.until;
  }

  /** Looks at the message that begins at `begun` in the stream. */
  look(begun: number): void {
    if (this.#frame === Infinity || (this.until < Infinity && begun === this.#begun)) return;
    this.until = performance.now() + this.#frame;
    this.#begun = begun;
  }

  /** The message is complete. */
  clear(): void {
    this.until = Infinity;
  }
}
