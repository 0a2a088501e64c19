/** The decoder of all payload wrappers. @module */
import { FrameError } from "../errors.ts";
import type { Decoder, DecoderProgress, Emit } from "./codec.ts";
import { BOUNDED, bounded, type BoundedDecoder } from "./_bounded_decoder.ts";
import type { Report } from "./_options.ts";

/** Decodes the contents of another decoder's frames. */
export class MappedDecoder<Frame, In> implements BoundedDecoder<In> {
  readonly [BOUNDED] = true;
  #inner: Decoder<Frame>;
  readonly #decode: (frame: Frame) => In;
  readonly #report: Report | undefined;
  #bounded: BoundedDecoder<Frame> | undefined = undefined;
  #maxDrops = Infinity;
  /** How many frames were dropped in this call. */
  #drops = 0;

  /**
   * @param inner Finds the frames.
   * @param decode Turns one into a message. What it throws arrives as a `FrameError`.
   * @param report Takes the error of a frame that is dropped; without it, such an error is thrown.
   */
  constructor(
    inner: Decoder<Frame>,
    decode: (frame: Frame) => In,
    report: Report | undefined,
  ) {
    this.#inner = inner;
    this.#decode = decode;
    this.#report = report;
  }

  get progress(): DecoderProgress | undefined {
    return this.#inner.progress;
  }

  get stalled(): boolean {
    return this.#bounded?.stalled ?? false;
  }

  bound(maxDrops: number): void {
    this.#bounded = bounded(this.#inner, maxDrops);
    this.#inner = this.#bounded;
    this.#maxDrops = maxDrops;
  }

  push(chunk: Uint8Array, emit: Emit<In>): void {
    this.#drops = 0;
    this.#inner.push(chunk, (frame) => this.#emit(frame, emit));
  }

  end(emit: Emit<In>): void {
    this.#inner.end((frame) => this.#emit(frame, emit));
  }

  takeRemaining(): Uint8Array {
    return this.#inner.takeRemaining();
  }

  #emit(frame: Frame, emit: Emit<In>): void | boolean {
    let message: In;
    try {
      message = this.#decode(frame);
    } catch (cause) {
      reject(cause, { offset: this.#inner.progress?.frameStart, report: this.#report });
      return ++this.#drops < this.#maxDrops;
    }
    return emit(message);
  }
}

/** Deals with a frame at `offset` that cannot be decoded because of `cause`. */
export function reject(
  cause: unknown,
  { offset, report }: { offset: number | undefined; report: Report | undefined },
): void {
  const error = asFrameError(cause, offset);
  if (report === undefined) throw error;
  report(error);
}

/** A `FrameError` with its offset, as far as that is known. */
function asFrameError(cause: unknown, offset: number | undefined): FrameError {
  if (!(cause instanceof FrameError)) {
    return new FrameError("corrupt", `Cannot decode a frame: ${reason(cause)}`, { cause, offset });
  }
  if (cause.offset !== undefined || offset === undefined) return cause;
  const { code, message, length, limit } = cause;
  return new FrameError(code, message, { length, limit, offset, cause: cause.cause });
}

/** What went wrong, in one line. */
export function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
