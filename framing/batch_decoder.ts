/** Decoding chunk by chunk for a reader that takes messages at its own pace. @module */
import { bounded, type BoundedDecoder } from "./_bounded_decoder.ts";
import type { Codec, DecoderProgress, Emit } from "./codec.ts";
import { concat } from "../common/concat.ts";

const EMPTY = new Uint8Array(0);
/**
 * How many messages a batch holds at most, and how many frames one `pull` drops at most. A message is
 * an object of a hundred bytes and costs up to some microseconds to decode, however short it is: a
 * chunk of 256 KiB may hold 262,144 of them. A thousand are decoded in about a millisecond.
 */
export const MAX_BATCH = 1024;
/** Arrays for so many messages serve batch after batch. */
const MAX_REUSED = 16;

/**
 * Owned messages from borrowed chunks. The bytes after the last message taken can be taken back, to
 * resume with another codec.
 *
 * The reader's loop: `pull()`; if it returned `true`, `take()` or `takeAll()`; else, if there is
 * something `unfinished`, `pull()` again, in another turn of the event loop if this one has lasted
 * long enough; else, unless it is `done`, `feed(await read())`. Each `pull` does a bounded amount of
 * work: it decodes at most {@linkcode MAX_BATCH} messages and drops at most as many frames. Decoding
 * happens in `pull` only, so a chunk that arrives when no one waits can be fed and left.
 *
 * What is held is one chunk, one batch and the decoder's frame begun.
 *
 * A byte message keeps the copy of its chunk alive, or 1 KiB if the chunk was smaller than that.
 *
 * @typeParam T What a message is.
 */
export class BatchDecoder<T> {
  readonly #decoder: BoundedDecoder<T>;
  readonly #progress: DecoderProgress | undefined;
  readonly #emit: Emit<T>;
  #messages: (T | undefined)[] = []; // `undefined` where a message was taken
  /** Where each message of the batch ends in the stream. */
  #ends: number[] = [];
  /** How many messages the batch has. */
  #count = 0;
  /** The batch is full with this many. */
  #maxCount = MAX_BATCH;
  /** The message to take next. */
  #next = 0;
  /** Where the last message ends that `takeAll` took since the last pull. */
  #takenTo: number | undefined = undefined;
  #chunk: Uint8Array = EMPTY;
  /** Where the chunk begins in the stream. */
  #chunkStart = 0;
  /** Whether the chunk was fed and not decoded. */
  #fed = false;
  /** Whether the decoder may have more without being fed. */
  #stalled = false;
  #ended = false;
  #finished = false;
  /** An error that comes after the messages of the batch. */
  #failure: { error: unknown } | undefined = undefined;

  /** @param codec What finds the messages. */
  constructor(codec: Codec<T, unknown>) {
    this.#decoder = bounded(codec.decoder(), MAX_BATCH);
    const progress = this.#decoder.progress;
    this.#progress = progress;
    // Without progress, stopping after each message is the only way to know where it ended.
    this.#emit = progress === undefined
      ? (message) => {
        this.#messages[this.#count++] = message;
        return false;
      }
      : (message) => {
        this.#ends[this.#count] = progress.position;
        this.#messages[this.#count++] = message;
        return this.#count < this.#maxCount;
      };
  }

  /** How many messages can be taken without another pull. */
  get size(): number {
    return this.#count - this.#next;
  }

  /**
   * Whether a message has begun and not ended, as far as the bytes fed to `pull` say: the time for a
   * frame runs. Always `false` for a codec without progress.
   */
  get partial(): boolean {
    return this.#fed || (this.#progress?.partial ?? false);
  }

  /**
   * Where the frame that has begun begins in the stream. Another value means another frame; it stays
   * the same while a frame is dropped.
   */
  get begun(): number {
    return this.#progress?.begun ?? this.#progress?.position ?? 0;
  }

  /**
   * Whether input is left that `pull` has not decoded: after a `pull` that returned `false`, call it
   * again before more is fed.
   */
  get unfinished(): boolean {
    return this.#fed || this.#stalled;
  }

  /** Whether there is nothing to take or decode until a chunk is fed. */
  get isIdle(): boolean {
    return this.size === 0 && !this.unfinished && !this.#ended && this.#failure === undefined;
  }

  /** Whether the input has ended and everything in it was taken. */
  get done(): boolean {
    return this.#finished && this.size === 0 && this.#failure === undefined;
  }

  /**
   * Hands in a chunk. Allowed while there is no message to take and nothing is `unfinished`.
   *
   * @param chunk Must not change before everything was pulled from it and taken; and never, if the
   * codec's messages share memory with it (see `Codec.detached`).
   */
  feed(chunk: Uint8Array): void {
    if (this.unfinished || this.size > 0) {
      throw new TypeError("Cannot feed: the last chunk is in use");
    }
    this.#release();
    this.#chunk = chunk;
    this.#fed = true;
  }

  /** Marks the end of the input: no chunk follows. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Decodes the next part of what was fed, if all messages were taken.
   *
   * @returns Whether there is a message to take. If not, see `unfinished` and `done`.
   * @throws What the decoder threw, once the messages before it were taken. After an error in the
   * contents of one frame the next pull resumes after it; any other is thrown again.
   */
  pull(): boolean {
    if (this.#next < this.#count) return true;
    this.#next = 0;
    this.#count = 0;
    this.#takenTo = undefined;
    if (this.#failure === undefined) {
      try {
        if (this.unfinished) this.#decode();
        const isThrough = this.#count === 0 && !this.unfinished;
        if (isThrough && this.#ended && !this.#finished) this.#finish();
      } catch (error) {
        this.#failure = { error };
      }
      if (this.#count > 0) return true;
    }
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      throw error;
    }
    if (!this.unfinished) this.#release();
    return false;
  }

  /** Takes the next message. There must be one. */
  take(): T {
    const next = this.#next++;
    const message = this.#messages[next] as T;
    this.#messages[next] = undefined; // its receiver holds it now
    return message;
  }

  /** Takes all messages of the batch. */
  takeAll(): T[] {
    const messages = this.#messages;
    this.#takenTo = this.#ends[this.#count - 1];
    messages.length = this.#count;
    if (this.#next > 0) messages.splice(0, this.#next);
    this.#messages = [];
    this.#next = 0;
    this.#count = 0;
    return messages as T[];
  }

  /**
   * Hands over all bytes after the last message taken, decoded or not. Only a message that was pulled
   * must have been taken first.
   */
  takeRemaining(): Uint8Array {
    if (this.size > 0 && this.#next === 0) {
      throw new TypeError("Cannot take the remaining bytes: a message was pulled and not taken");
    }
    const held = this.#decoder.takeRemaining(); // first: it throws if a decoder cannot do it
    const from = this.#next > 0 ? this.#ends[this.#next - 1] : this.#takenTo;
    this.takeAll();
    this.#takenTo = undefined;
    const wasFed = this.#fed;
    this.#fed = false;
    this.#stalled = false;
    this.#failure = undefined;
    const chunk = this.#chunk;
    const start = this.#chunkStart;
    this.#chunk = EMPTY;
    this.#chunkStart = this.#progress?.position ?? 0;
    if (wasFed) return concat(held, chunk);
    // What was decoded too early, or dropped after the message taken last, is still in the chunk.
    return from === undefined || from < start ? held : new Uint8Array(chunk.subarray(from - start));
  }

  /** Releases the messages taken and their chunk. */
  #release(): void {
    this.#chunkStart += this.#chunk.length;
    this.#chunk = EMPTY;
    this.#takenTo = undefined;
    // The arrays of a large batch are not worth keeping for the next one.
    if (this.#ends.length > MAX_REUSED) {
      this.#messages = [];
      this.#ends = [];
    }
  }

  /** Decodes a part of the chunk. */
  #decode(): void {
    const chunk = this.#fed ? this.#chunk : EMPTY;
    this.#fed = false;
    this.#stalled = true; // unless it returns
    this.#decoder.push(chunk, this.#emit);
    this.#stalled = this.#decoder.stalled;
  }

  /** Decodes what ends with the input: one message at a time, as its chunk may be gone. */
  #finish(): void {
    this.#maxCount = 1;
    this.#decoder.end(this.#emit);
    this.#finished = this.#count === 0;
  }
}
