/** Frames whose contents are text. @module */
import { FrameError } from "../errors.ts";
import { typeOf } from "../common/kinds.ts";
import type { Codec, Decoder, DecoderProgress, Emit, FramingCodec } from "./codec.ts";
import { BOUNDED, type BoundedDecoder } from "./_bounded_decoder.ts";
import { checkCodec } from "./_checks.ts";
import { CORRUPT_NAMES, DropPolicy } from "./_drop_policy.ts";
import { encodeInto } from "./encode.ts";
import type { CorruptOptions } from "./limits.ts";
import { Broken, frameError, frameReport } from "./_frame_error.ts";
import { MappedDecoder } from "./_mapped_decoder.ts";
import { checkOneOf, checkOptions, type OptionNames } from "../common/options.ts";
import type { OutputBuffer } from "./output_buffer.ts";
import { ScanDecoder } from "./_scan_decoder.ts";
import { decodeAscii, decodeUtf8 } from "./_utf8.ts";

/** Strings that may need more memory than this are encoded into memory of their own. */
const SCRATCH_SIZE = 16 * 1024;
const EMPTY = new Uint8Array(0);
const NOT_UTF8 = "Cannot decode a frame: it is not UTF-8";
const ENCODER = new TextEncoder();
const LENIENT_DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** Options for {@linkcode text}. */
export interface TextOptions extends CorruptOptions {
  /**
   * Whether bytes that are not UTF-8 make a frame a broken one, and half a surrogate pair a message
   * that cannot be encoded. If not, each is read or written as U+FFFD.
   *
   * @default {true}
   */
  fatal?: boolean | undefined;
}

/**
 * Strings, as UTF-8 in the frames of another codec. Nothing is added or taken away: a byte order mark
 * is a character like any other.
 *
 * Short strings from one chunk may share memory, as JavaScript engines do with substrings: a string
 * that is kept can keep the text of the chunk it came in.
 *
 * @param codec What finds the frames.
 * @param options What to do about bytes that are not UTF-8.
 * @returns The codec. Decoding throws a `FrameError` with code `corrupt` for a frame that is not UTF-8;
 * the decoder resumes after it when it is pushed an empty chunk. `encode` throws one for a string with
 * half a surrogate pair, which no UTF-8 can say.
 * @throws {TypeError} When an option is of the wrong kind.
 *
 * @example
 * ```ts
 * import { lines, text } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const codec = text(lines());
 * const seen: string[] = [];
 * codec.decoder().push(codec.encode("hello"), (line) => void seen.push(line));
 * assertEquals(seen, ["hello"]);
 * ```
 */
export function text(codec: Codec<Uint8Array>, options: TextOptions = {}): FramingCodec<string> {
  return new TextCodec(codec, options);
}

const OPTIONS: OptionNames<TextOptions> = { ...CORRUPT_NAMES, fatal: true };

class TextCodec implements FramingCodec<string> {
  readonly detached = true;
  readonly #codec: Codec<Uint8Array>;
  readonly #isFatal: boolean;
  readonly #policy: DropPolicy;
  /** Memory to encode in; absent while it is in use. */
  #scratch: Uint8Array | undefined = undefined;

  constructor(codec: Codec<Uint8Array>, options: TextOptions) {
    checkOptions<TextOptions>("text", options, OPTIONS);
    const { fatal = true } = options;
    this.#isFatal = checkOneOf("fatal", fatal, [false, true]);
    this.#codec = checkCodec("text", codec);
    this.#policy = DropPolicy.ofCorrupt(options);
  }

  decoder(): Required<Decoder<string>> {
    const inner = this.#codec.decoder();
    const decode = this.#isFatal ? decodeUtf8 : decodeLeniently;
    return inner instanceof ScanDecoder
      ? new TextScanDecoder(inner, decode, this.#policy)
      : new MappedDecoder(inner, (frame) => decode(frame) ?? failUtf8(frame), this.#policy);
  }

  encode(message: string): Uint8Array {
    this.#check(message);
    return this.#codec.encode(ENCODER.encode(message));
  }

  encodeInto(message: string, output: OutputBuffer): void {
    this.#check(message);
    // A UTF-16 unit takes at most three bytes.
    if (message.length * 3 > SCRATCH_SIZE) {
      return encodeInto(this.#codec, ENCODER.encode(message), output);
    }
    const scratch = this.#scratch ?? new Uint8Array(SCRATCH_SIZE);
    this.#scratch = undefined;
    try {
      const { written } = ENCODER.encodeInto(message, scratch);
      encodeInto(this.#codec, scratch.subarray(0, written), output);
    } finally {
      this.#scratch = scratch;
    }
  }

  #check(message: unknown): void {
    // Bytes, for one, would become the digits of their values.
    if (typeof message !== "string") {
      throw new TypeError(
        `Cannot use message as text: current value is of type ${typeOf(message)}`,
      );
    }
    if (!this.#isFatal || message.isWellFormed()) return;
    const { length } = message;
    const at = message.toWellFormed().split("").findIndex((unit, i) => unit !== message[i]);
    throw new FrameError(
      "corrupt",
      `Cannot write a message as UTF-8: it has half a surrogate pair at index ${at}`,
      { length },
    );
  }
}

/**
 * Decodes the frames of a chunk. Decoding is expensive to start and cheap to continue, so from the second
 * frame on the chunk is decoded whole, and if it turns out to be ASCII throughout, frames are parts
 * of its text.
 */
class TextScanDecoder implements BoundedDecoder<string> {
  readonly [BOUNDED] = true;
  readonly #inner: ScanDecoder;
  readonly #decode: (frame: Uint8Array) => string | undefined;
  readonly #policy: DropPolicy;
  /** The chunk pushed last, as long as a part of it is left, and its text if it is all ASCII. */
  #chunk: Uint8Array = EMPTY;
  #text: string | undefined = undefined;
  /** How many frames the chunk has had so far. */
  #count = 0;
  #isBounded = false;
  #maxDrops = Infinity;
  /** How many frames were dropped in this call. */
  #drops = 0;

  constructor(
    inner: ScanDecoder,
    decode: (frame: Uint8Array) => string | undefined,
    policy: DropPolicy,
  ) {
    this.#inner = inner;
    this.#decode = decode;
    this.#policy = policy;
  }

  get progress(): DecoderProgress {
    return this.#inner.progress;
  }

  get stalled(): boolean {
    return this.#inner.stalled;
  }

  bound(maxDrops: number): void {
    this.#isBounded = true;
    this.#maxDrops = maxDrops;
    this.#inner.bound(maxDrops);
  }

  push(chunk: Uint8Array, emit: Emit<string>): void {
    const current = chunk.length === 0 ? this.#chunk : chunk;
    let text: string | undefined;
    let frames = 0;
    if (current === this.#chunk) {
      text = this.#text;
      frames = this.#count;
    }
    this.#drops = 0;
    try {
      this.#inner.pushRanges(chunk, (bytes, start, end) => {
        if (frames++ === 1) text = decodeAscii(current);
        if (text !== undefined && bytes === current) return emit(text.slice(start, end));
        return this.#emit(bytes.subarray(start, end), emit);
      });
    } finally {
      const isLeft = this.#isBounded && this.#inner.stalled;
      this.#chunk = isLeft ? current : EMPTY;
      this.#text = isLeft ? text : undefined;
      this.#count = isLeft ? frames : 0;
    }
  }

  end(emit: Emit<string>): void {
    this.#inner.endRanges((bytes, start, end) => this.#emit(bytes.subarray(start, end), emit));
  }

  takeRemaining(): Uint8Array {
    return this.#inner.takeRemaining();
  }

  #emit(frame: Uint8Array, emit: Emit<string>): void | boolean {
    const message = this.#decode(frame);
    if (message !== undefined) return emit(message);
    if (!this.#policy.isSilent) {
      const options = { length: frame.length, offset: this.progress.frameStart };
      if (!this.#policy.drops) throw frameError("corrupt", NOT_UTF8, options);
      this.#policy.report(frameReport("corrupt", NOT_UTF8, options));
    }
    return ++this.#drops < this.#maxDrops;
  }
}

function decodeLeniently(frame: Uint8Array): string {
  return LENIENT_DECODER.decode(frame);
}

function failUtf8({ length }: Uint8Array): never {
  throw new Broken("corrupt", NOT_UTF8, length);
}
