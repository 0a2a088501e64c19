/** Decoding a bounded amount at a time. @module */
import { concat } from "../common/concat.ts";
import type { Decoder, DecoderProgress, Emit } from "./codec.ts";

const EMPTY = new Uint8Array(0);
/** The least that a decoder from outside this module is handed at a time, in bytes. */
const MIN_SLICE = 16 * 1024;
/** The most, in bytes: a flood of small messages may come after a large one. */
const MAX_SLICE = 1024 * 1024;
/** After a slice with fewer messages than this, the next slice may be larger. */
const SPARSE = 64;
/** Marks the decoders of this module, which need not be handed slices. */
export const BOUNDED: unique symbol = Symbol("bounded");

/** A decoder that can stop in the middle of a chunk at no cost. */
export interface BoundedDecoder<T> extends Decoder<T> {
  readonly [BOUNDED]: true;
  /** @throws {TypeError} When the decoder is one of the user's own that cannot do it. */
  takeRemaining(): Uint8Array;
  /**
   * From now on the caller does not change a chunk before it is decoded, so the rest of it need not be
   * copied after a stop; and each call stops after it has dropped `maxDrops` frames.
   */
  bound(maxDrops: number): void;
  /** Whether the last call stopped or threw before it had seen all bytes: an empty chunk resumes. */
  readonly stalled: boolean;
}

/** Makes a decoder bounded: from outside this module, by handing it chunks in slices. */
export function bounded<T>(decoder: Decoder<T>, maxDrops: number): BoundedDecoder<T> {
  const own = BOUNDED in decoder ? decoder as BoundedDecoder<T> : new SliceDecoder(decoder);
  own.bound(maxDrops);
  return own;
}

/**
 * Takes from a decoder what it holds.
 *
 * @param isFed Whether it may hold anything.
 * @throws {TypeError} When it may, and cannot hand it over.
 */
export function takeRemaining(decoder: Decoder<unknown>, isFed: boolean): Uint8Array {
  if (decoder.takeRemaining !== undefined) return decoder.takeRemaining();
  if (!isFed || decoder.progress?.partial === false) return EMPTY;
  throw new TypeError(
    "Cannot hand over the bytes after the last message: the codec's decoder has no takeRemaining()",
  );
}

/**
 * Hands chunks to another decoder slice by slice. Slices grow while they hold few messages, so that a
 * large frame is not put together from many small pieces.
 */
class SliceDecoder<T> implements BoundedDecoder<T> {
  readonly [BOUNDED] = true;
  readonly #decoder: Decoder<T>;
  /** What was not handed on yet. */
  #rest: Uint8Array = EMPTY;
  #slice = MIN_SLICE;
  /** How many messages the slice has had so far. */
  #count = 0;
  /** Whether the decoder holds a part of the slice, because it was stopped or threw. */
  #isStopped = false;
  /** Whether the decoder was ever handed bytes. */
  #isFed = false;

  constructor(decoder: Decoder<T>) {
    this.#decoder = decoder;
  }

  get progress(): DecoderProgress | undefined {
    return this.#decoder.progress;
  }

  get stalled(): boolean {
    return this.#isStopped || this.#rest.length > 0;
  }

  bound(): void {}

  push(chunk: Uint8Array, emit: Emit<T>): void {
    if (chunk.length > 0) {
      // Bytes are left only after an error; they go first.
      this.#rest = this.#rest.length > 0 ? concat(this.#rest, chunk) : chunk;
    }
    if (this.#isStopped) this.#hand(EMPTY, emit);
    if (this.#isStopped || this.#rest.length === 0) return;
    const rest = this.#rest;
    const slice = rest.subarray(0, this.#slice);
    this.#rest = slice.length < rest.length ? rest.subarray(slice.length) : EMPTY;
    this.#count = 0;
    this.#hand(slice, emit);
  }

  end(emit: Emit<T>): void {
    this.#decoder.end(emit);
  }

  takeRemaining(): Uint8Array {
    const held = takeRemaining(this.#decoder, this.#isFed);
    this.#isStopped = false;
    const rest = this.#rest;
    this.#rest = EMPTY;
    return rest.length === 0 ? held : concat(held, rest);
  }

  #hand(slice: Uint8Array, emit: Emit<T>): void {
    this.#isStopped = true; // unless it returns by itself
    this.#isFed = true;
    let isStopped = false;
    this.#decoder.push(slice, (message) => {
      this.#count++;
      isStopped = emit(message) === false;
      return !isStopped;
    });
    this.#isStopped = isStopped;
    if (isStopped) return;
    this.#slice = this.#count < SPARSE ? Math.min(2 * this.#slice, MAX_SLICE) : MIN_SLICE;
  }
}
