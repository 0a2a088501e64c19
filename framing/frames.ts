/** Frames from any source of chunks, one by one or in batches. @module */
import { END, PullIterator } from "../common/pull_iterator.ts";
import { nextTurn, spend } from "../common/turn_budget.ts";
import { MAX_BATCH } from "./batch_decoder.ts";
import { bounded, type BoundedDecoder } from "./_bounded_decoder.ts";
import { show } from "../common/options.ts";
import type { Codec } from "./codec.ts";
import { checkBytes, checkCodec } from "./_checks.ts";

const EMPTY = new Uint8Array(0);
/** What a batch costs in the budget of a turn, in bytes: enough that the clock is read. */
const BATCH_COST = 256 * 1024;

/** Where chunks come from: a stream, an async generator, an array. */
export type ChunkSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * The frames of a source. It can be iterated once, frame by frame or in batches.
 *
 * @typeParam T What a frame is.
 */
export interface Frames<T> extends AsyncIterableIterator<T> {
  /**
   * Ends the iteration: the source's own `return` is called, which closes a stream or generator.
   *
   * @returns The end of the iteration.
   */
  return(): Promise<IteratorResult<T>>;
  /**
   * The same frames in arrays, as many as each chunk completed but at most 1,024: several times as fast
   * as one by one, because only whole batches are waited for.
   *
   * @returns An iterator over arrays of at least one frame.
   */
  batches(): AsyncIterableIterator<T[]>;
  /** Returns itself. */
  [Symbol.asyncIterator](): Frames<T>;
}

/**
 * Cuts the chunks of `source` into frames.
 *
 * Frames are owned: each chunk is copied once, and byte frames are views of the copy. One that you
 * keep keeps that copy, which is as large as the chunk; keep `frame.slice()` if the chunks are large
 * and you keep few small frames of them. (Codecs whose messages share no memory with the input, such
 * as `text` and `json`, copy nothing.)
 *
 * The next chunk is requested when the frames of the last one have been taken; until then the source
 * must not change that chunk. Leaving the loop early, as well as an error in a frame, calls the source's
 * `return`. Frames before an error are delivered before it is thrown, and it ends the iteration. An
 * iteration that finds many frames in memory gives up the turn of the event loop every few milliseconds.
 *
 * @typeParam T What a frame is.
 * @param source Chunks of bytes, cut anywhere.
 * @param codec What finds the frames.
 * @returns The frames.
 * @throws {FrameError} From the iteration, when the bytes are not the frames that the codec expects.
 * @throws {TypeError} When the source is not iterable or the codec is not a codec.
 *
 * @example
 * ```ts
 * import { frames, lines, text } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const source = new Blob(["one\ntw", "o\nthree"]).stream();
 * const seen: string[] = [];
 * for await (const line of frames(source, text(lines()))) seen.push(line);
 * assertEquals(seen, ["one", "two", "three"]);
 * ```
 */
export function frames<T>(source: ChunkSource, codec: Codec<T, unknown>): Frames<T> {
  checkCodec("frames", codec);
  if (!isIterable(source)) {
    throw new TypeError(`Cannot use the source of frames: current value is ${show(source)}`);
  }
  return new FrameIterator(source, codec);
}

function isIterable(source: unknown): source is ChunkSource {
  return typeof source === "object" && source !== null &&
    (Symbol.asyncIterator in source || Symbol.iterator in source);
}

/** Written by hand: an async generator takes half as long again for each frame. */
class FrameIterator<T> implements Frames<T> {
  readonly #batches: BatchIterator<T>;
  #batch: T[] = [];
  #next = 0;
  /** How many calls wait for a batch; later ones must queue after them. */
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();
  #returned = false;

  constructor(source: ChunkSource, codec: Codec<T, unknown>) {
    this.#batches = new BatchIterator(source, codec);
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#next < this.#batch.length && this.#waiting === 0 && !spend()) {
      return Promise.resolve({ done: false, value: this.#batch[this.#next++] as T });
    }
    return this.#enqueue<T>(async () => {
      if (this.#next < this.#batch.length) {
        if (spend()) await nextTurn();
      } else {
        const { done, value } = await this.#batches.next();
        if (done || this.#returned) return END;
        this.#next = 0;
        this.#batch = value;
      }
      return { done: false, value: this.#batch[this.#next++] as T };
    });
  }

  async return(): Promise<IteratorResult<T>> {
    this.#returned = true;
    this.#batch = [];
    this.#next = 0;
    await this.#batches.return();
    return END;
  }

  batches(): AsyncIterableIterator<T[]> {
    const next = () =>
      this.#enqueue(() => {
        if (this.#next === this.#batch.length) return this.#batches.next();
        const value = this.#batch.slice(this.#next);
        this.#next = this.#batch.length;
        return Promise.resolve({ done: false, value });
      });
    return new PullIterator(next, () => this.return());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * Runs `take` when all earlier calls have their results. Whether `return` was called is checked last,
   * so that no frame arrives after it.
   */
  #enqueue<R>(take: () => Promise<IteratorResult<R>>): Promise<IteratorResult<R>> {
    this.#waiting++;
    return new Promise((resolve, reject) => {
      this.#last = this.#last.then(take).then(
        (result) => {
          this.#waiting--;
          resolve(this.#returned ? END : result);
        },
        (error) => {
          this.#waiting--;
          reject(error);
        },
      );
    });
  }
}

/** Turns chunks into arrays of frames. */
class BatchIterator<T> {
  readonly #source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #decoder: BoundedDecoder<T>;
  readonly #detached: boolean;
  /** An error that comes after the batch handed out last. */
  #failure: { error: unknown } | undefined = undefined;
  /** Whether the source has ended. */
  #ended = false;
  /** Whether the iteration has ended: nothing more is asked for or handed out. */
  #done = false;
  /** How many frames the last batch held. */
  #expected = 0;

  constructor(source: ChunkSource, codec: Codec<T, unknown>) {
    this.#source = Symbol.asyncIterator in source
      ? source[Symbol.asyncIterator]()
      : source[Symbol.iterator]();
    this.#decoder = bounded(codec.decoder(), MAX_BATCH);
    this.#detached = codec.detached ?? false;
  }

  async next(): Promise<IteratorResult<T[], undefined>> {
    while (!this.#done) {
      if (spend(BATCH_COST)) {
        await nextTurn();
        continue;
      }
      if (this.#failure !== undefined) {
        const { error } = this.#failure;
        // As with a loop whose body throws, an error of closing the source does not hide this one.
        await this.return().catch(() => {});
        throw error;
      }
      const batch = this.#decode(this.#decoder.stalled ? EMPTY : await this.#read());
      if (batch.length > 0) return { done: false, value: batch };
    }
    return END;
  }

  async return(): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    await this.#source.return?.();
  }

  async #read(): Promise<Uint8Array> {
    if (this.#ended) return EMPTY;
    try {
      const { done, value } = await this.#source.next();
      if (!done) return value;
      this.#ended = true;
      return EMPTY;
    } catch (error) {
      this.#done = true;
      throw error;
    }
  }

  /** Decodes a chunk, what is left of the one before, or the end of the input. */
  #decode(chunk: Uint8Array): T[] {
    if (this.#done) return [];
    // As many as last time is a good guess, and saves growing the array step by step.
    const batch = new Array<T>(this.#expected);
    let count = 0;
    const emit = (frame: T): boolean => {
      batch[count++] = frame;
      return count < MAX_BATCH;
    };
    try {
      checkBytes("chunk", chunk);
      if (this.#ended && !this.#decoder.stalled) {
        this.#decoder.end(emit);
        if (count < MAX_BATCH) this.#done = true;
      } else {
        const isOwned = this.#detached || chunk.length === 0;
        this.#decoder.push(isOwned ? chunk : new Uint8Array(chunk), emit);
      }
    } catch (error) {
      this.#failure = { error };
    }
    batch.length = count;
    this.#expected = count;
    return batch;
  }
}
