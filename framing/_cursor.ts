/** What a scanner works on: a window of the stream and the place reached in it. @module */
import type { FrameError } from "../errors.ts";
import type { DecoderProgress } from "./codec.ts";

const EMPTY = new Uint8Array(0);

/** A window of the stream. All indexes are indexes of `bytes`. */
export class Cursor implements DecoderProgress {
  /** The window: all of it is input. */
  bytes: Uint8Array = EMPTY;
  /** Where the frame being read begins; scanners move it behind a frame before they emit it. */
  start = 0;
  /** Where the frame emitted last began. */
  emitted = 0;
  /** Set when `emit` returned `false`. */
  stopped = false;
  /** Set while what arrives belongs to a frame that is being dropped. */
  dropping = false;
  /** Set between calls: whether bytes wait that are not framed yet. */
  partial = false;
  /** The error that ended the framing. */
  failure: FrameError | undefined = undefined;
  /** How many of the next bytes are to be dropped. */
  #skip = 0;
  /** Where in the stream the window begins. */
  #base = 0;

  get frameStart(): number {
    return this.#base + this.emitted;
  }

  get position(): number {
    return this.#base + this.start;
  }

  /** Whether all the bytes to be dropped have come. */
  get skipped(): boolean {
    return this.#skip === 0;
  }

  /** Moves on to another window that begins at `base` in the stream, at index `start` in it. */
  load(bytes: Uint8Array, start: number, base: number): void {
    this.emitted += this.#base - base;
    this.#base = base;
    this.bytes = bytes;
    this.start = start;
    if (this.#skip > 0) this.skip(this.#skip);
  }

  /** Lets go of the window, so that its memory can be freed. */
  unload(): void {
    this.bytes = EMPTY;
  }

  /** Drops `count` bytes from `start` on, also those that have yet to come. */
  skip(count: number): void {
    const now = Math.min(count, this.bytes.length - this.start);
    this.start += now;
    this.#skip = count - now;
    this.dropping = this.#skip > 0;
  }

  /** Ends the framing: from here on the decoder throws `error`. */
  fail(error: FrameError): never {
    this.failure = error;
    throw error;
  }

  /** Forgets the frame that has begun. */
  reset(): void {
    this.#skip = 0;
    this.dropping = false;
    this.partial = false;
    this.stopped = false;
  }
}
