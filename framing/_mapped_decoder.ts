/** The decoder of all payload wrappers. @module */
import { FrameError } from "../errors.ts";
import { BOUNDED, bounded, type BoundedDecoder, takeRemaining } from "./_bounded_decoder.ts";
import type { Decoder, DecoderProgress, Emit } from "./codec.ts";
import type { DropPolicy } from "./_drop_policy.ts";
import { Broken, frameError, frameReport, type MakeFrameError } from "./_frame_error.ts";
import { shown } from "./_shown.ts";
import { messageOf } from "../common/system_reason.ts";

/** How much is shown of what a decoding function threw: it may quote the peer at length. */
const MAX_REASON = 240;

/** Decodes the contents of another decoder's frames. */
export class MappedDecoder<Frame, In> implements BoundedDecoder<In> {
  readonly [BOUNDED] = true;
  #inner: Decoder<Frame>;
  readonly #decode: (frame: Frame) => In | Broken;
  readonly #policy: DropPolicy;
  #bounded: BoundedDecoder<Frame> | undefined = undefined;
  #maxDrops = Infinity;
  /** How many frames were dropped in this call. */
  #drops = 0;
  /** Whether the inner decoder was ever handed bytes. */
  #isFed = false;

  /**
   * @param inner Finds the frames.
   * @param decode Turns one into a message. What it throws arrives as a `FrameError`.
   * @param policy What becomes of a frame that it cannot decode.
   */
  constructor(inner: Decoder<Frame>, decode: (frame: Frame) => In | Broken, policy: DropPolicy) {
    this.#inner = inner;
    this.#decode = decode;
    this.#policy = policy;
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
    this.begin();
    this.#isFed = true;
    this.#inner.push(chunk, (frame) => this.emitDecoded(frame, emit));
  }

  end(emit: Emit<In>): void {
    this.#inner.end((frame) => this.emitDecoded(frame, emit));
  }

  takeRemaining(): Uint8Array {
    return takeRemaining(this.#inner, this.#isFed);
  }

  /** Begins a call, which may drop as many frames as the last one. */
  protected begin(): void {
    this.#drops = 0;
  }

  /** Emits what `frame` is decoded to, unless it cannot be decoded. */
  protected emitDecoded(frame: Frame, emit: Emit<In>): void | boolean {
    let message: In | Broken;
    try {
      message = this.#decode(frame);
    } catch (cause) {
      return this.#refuse(cause);
    }
    return message instanceof Broken ? this.#refuse(message) : emit(message);
  }

  /**
   * Throws or drops the frame that was emitted last.
   *
   * @returns Whether to continue.
   */
  #refuse(cause: unknown): boolean {
    if (!this.#policy.isSilent) {
      const offset = this.#inner.progress?.frameStart;
      if (!this.#policy.drops) throw asFrameError(cause, { offset, make: frameError });
      this.#policy.report(asFrameError(cause, { offset, make: frameReport }));
    }
    return ++this.#drops < this.#maxDrops;
  }
}

/** A `FrameError` with its offset, as far as that is known. */
function asFrameError(
  cause: unknown,
  { offset, make }: { offset: number | undefined; make: MakeFrameError },
): FrameError {
  if (cause instanceof Broken) {
    return make(cause.code, cause.message, { length: cause.length, offset });
  }
  if (!(cause instanceof FrameError)) {
    const message = `Cannot decode a frame: ${shown(messageOf(cause), MAX_REASON)}`;
    return make("corrupt", message, { cause, offset });
  }
  if (cause.offset !== undefined || offset === undefined) return cause;
  const { code, message, length, limit } = cause;
  return make(code, message, {
    length,
    limit,
    offset,
    ...("cause" in cause ? { cause: cause.cause } : {}),
  });
}
