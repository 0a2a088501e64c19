/** Decoding chunk by chunk for a reader that takes messages when it likes. @module */
import type { Codec, Decoder, DecoderProgress, Emit } from "./codec.ts";

const EMPTY = new Uint8Array(0);
/** Arrays for so many messages serve batch after batch. */
const MAX_REUSED = 16;

/**
 * Owned messages from borrowed chunks, with the way back: bytes behind the last message taken can be
 * had again, to go on with another codec.
 *
 * The reader's loop: `while (!batch.pull()) batch.feed(await read())`, then `take()` or `takeAll()`.
 * Decoding happens in `pull`, so a chunk that arrives when nobody waits can be fed and left.
 *
 * A byte message that is kept keeps the copy of its chunk alive, or 1 KiB if the chunk was smaller than
 * that.
 *
 * @typeParam T What a message is.
 */
export class BatchDecoder<T> {
  readonly #decoder: Decoder<T>;
  readonly #progress: DecoderProgress | undefined;
  readonly #emit: Emit<T>;
  #messages: (T | undefined)[] = []; // those that were taken are not there any more
  /** Where each message of the batch ends in the stream. */
  #ends: number[] = [];
  /** How many messages the batch has. */
  #count = 0;
  /** The message to take next. */
  #next = 0;
  #chunk: Uint8Array = EMPTY;
  /** Where the chunk begins in the stream. */
  #chunkStart = 0;
  /** Whether the chunk was fed and not decoded. */
  #fed = false;
  /** Whether the decoder may have more without being fed. */
  #stalled = false;
  #ended = false;
  #finished = false;
  /** An error that comes behind the messages of the batch. */
  #failure: { error: unknown } | undefined = undefined;

  /** @param codec What finds the messages. */
  constructor(codec: Codec<T, unknown>) {
    this.#decoder = codec.decoder();
    const progress = this.#decoder.progress;
    this.#progress = progress;
    // Without progress, stopping behind each message is the only way to know where it ended.
    this.#emit = progress === undefined
      ? (message) => {
        this.#messages[this.#count++] = message;
        return false;
      }
      : (message) => {
        this.#ends[this.#count] = progress.position;
        this.#messages[this.#count++] = message;
      };
  }

  /** How many messages can be taken without another pull. */
  get size(): number {
    return this.#count - this.#next;
  }

  /**
   * Whether a message has begun and not ended, as far as the bytes fed to `pull` say: the time for a
   * frame runs. A codec without progress never says so.
   */
  get partial(): boolean {
    return this.#fed || (this.#progress?.partial ?? false);
  }

  /** Whether nothing can be had without feeding. */
  get isIdle(): boolean {
    return this.size === 0 && !this.#fed && !this.#stalled && !this.#ended &&
      this.#failure === undefined;
  }

  /** Whether the input has ended and everything in it was taken. */
  get done(): boolean {
    return this.#finished && this.size === 0 && this.#failure === undefined;
  }

  /**
   * Hands in a chunk. Allowed once `pull` has returned `false` or thrown, or as the first call.
   *
   * @param chunk Must not change before everything was pulled from it and taken; and never, if the
   * codec's messages share memory with it (see `Codec.detached`).
   */
  feed(chunk: Uint8Array): void {
    if (this.#fed || this.size > 0) throw new TypeError("Cannot feed: the last chunk is in use");
    this.#release();
    this.#chunk = chunk;
    this.#fed = true;
  }

  /** Says that no chunk follows. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Decodes what was fed, if all messages were taken.
   *
   * @returns Whether there is a message to take. If not, feed more, or see `done`.
   * @throws What the decoder threw, once the messages in front were taken. After an error in the
   * contents of one frame the next pull goes on behind it; any other is thrown again.
   */
  pull(): boolean {
    while (this.#next === this.#count) {
      this.#next = 0;
      this.#count = 0;
      if (this.#failure !== undefined) {
        const { error } = this.#failure;
        this.#failure = undefined;
        throw error;
      }
      if (!this.#decode()) {
        this.#release();
        return false;
      }
    }
    return true;
  }

  /** Takes the next message. There must be one. */
  take(): T {
    const next = this.#next++;
    const message = this.#messages[next] as T;
    this.#messages[next] = undefined; // whoever took it holds it now
    return message;
  }

  /** Takes all messages of the batch. */
  takeAll(): T[] {
    const messages = this.#messages;
    messages.length = this.#count;
    if (this.#next > 0) messages.splice(0, this.#next);
    this.#messages = [];
    this.#next = 0;
    this.#count = 0;
    return messages as T[];
  }

  /**
   * Hands over all bytes behind the last message taken, decoded or not. Only a message that was pulled
   * must have been taken first.
   */
  takeRemaining(): Uint8Array {
    const { size } = this;
    if (size > 0 && this.#next === 0) {
      throw new TypeError("Cannot take the remaining bytes: a message was pulled and not taken");
    }
    if (size > 0) {
      // What was decoded too early is in the chunk still.
      const from = this.#ends[this.#next - 1]! - this.#chunkStart;
      this.takeAll();
      this.#decoder.takeRemaining();
      return new Uint8Array(this.#chunk.subarray(from));
    }
    const held = this.#decoder.takeRemaining();
    if (!this.#fed) return held;
    this.#fed = false;
    const bytes = new Uint8Array(held.length + this.#chunk.length);
    bytes.set(held);
    bytes.set(this.#chunk, held.length);
    return bytes;
  }

  /** Lets go of the messages taken and of their chunk. */
  #release(): void {
    this.#chunkStart += this.#chunk.length;
    this.#chunk = EMPTY;
    // What is left of a large batch is not worth keeping for the next one.
    if (this.#ends.length > MAX_REUSED) {
      this.#messages = [];
      this.#ends = [];
    }
  }

  /** Does the next step of decoding; returns whether there was one. */
  #decode(): boolean {
    const fed = this.#fed;
    if (!fed && !this.#stalled && (!this.#ended || this.#finished)) return false;
    const finishing = !fed && !this.#stalled;
    this.#fed = false;
    this.#stalled = false;
    try {
      if (finishing) {
        this.#decoder.end(this.#emit);
        this.#finished = this.#progress !== undefined || this.#count === 0;
      } else {
        this.#decoder.push(fed ? this.#chunk : EMPTY, this.#emit);
        this.#stalled = this.#progress === undefined && this.#count > 0;
      }
    } catch (error) {
      this.#failure = { error };
      this.#stalled = !finishing;
    }
    return true;
  }
}
