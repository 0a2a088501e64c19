/** Frames whose contents are text. @module */
import type { Codec, Decoder, Emit } from "./codec.ts";
import { encodeInto } from "./_encode.ts";
import type { CorruptOptions } from "./limits.ts";
import { MappedDecoder } from "./_mapped_decoder.ts";
import { discardReport, oneOf, type Report } from "./_options.ts";
import type { OutputBuffer } from "./output_buffer.ts";

/** Strings that may need more memory than this are encoded into memory of their own. */
const SCRATCH_SIZE = 16 * 1024;
const EMPTY = new Uint8Array(0);
const ENCODER = new TextEncoder();

/** Options for {@linkcode text}. */
export interface TextOptions extends CorruptOptions {
  /**
   * Whether bytes that are not UTF-8 make a frame a broken one. If not, each is read as U+FFFD.
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
 * the decoder goes on behind it when it is pushed an empty chunk.
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
export function text(codec: Codec<Uint8Array>, options: TextOptions = {}): Codec<string> {
  return new TextCodec(codec, options);
}

class TextCodec implements Codec<string> {
  readonly detached = true;
  readonly #codec: Codec<Uint8Array>;
  readonly #decoder: TextDecoder;
  readonly #report: Report | undefined;
  /** Memory to encode in; absent while it is in use. */
  #scratch: Uint8Array | undefined = undefined;

  constructor(codec: Codec<Uint8Array>, options: TextOptions) {
    const fatal = oneOf("fatal", options.fatal ?? true, [false, true]);
    this.#codec = codec;
    this.#decoder = new TextDecoder("utf-8", { fatal, ignoreBOM: true });
    this.#report = discardReport("onCorrupt", options.onCorrupt, options.onDiscard);
  }

  decoder(): Decoder<string> {
    const chunks = new ChunkText(this.#decoder);
    const decode = (frame: Uint8Array): string => chunks.decode(frame);
    const inner = new MappedDecoder(this.#codec.decoder(), decode, this.#report);
    return new TextFrameDecoder(inner, chunks);
  }

  encode(message: string): Uint8Array {
    return this.#codec.encode(ENCODER.encode(message));
  }

  encodeInto(message: string, output: OutputBuffer): void {
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
}

/** Lets {@linkcode ChunkText} see the chunks that the frames come from. */
class TextFrameDecoder implements Decoder<string> {
  readonly #inner: MappedDecoder<Uint8Array, string>;
  readonly #chunks: ChunkText;

  constructor(inner: MappedDecoder<Uint8Array, string>, chunks: ChunkText) {
    this.#inner = inner;
    this.#chunks = chunks;
  }

  get progress(): Decoder<string>["progress"] {
    return this.#inner.progress;
  }

  push(chunk: Uint8Array, emit: Emit<string>): void {
    this.#chunks.begin(chunk);
    try {
      this.#inner.push(chunk, emit);
    } finally {
      this.#chunks.begin(EMPTY);
    }
  }

  end(emit: Emit<string>): void {
    this.#inner.end(emit);
  }

  takeRemaining(): Uint8Array {
    return this.#inner.takeRemaining();
  }
}

/**
 * Decodes the frames of a chunk. Decoding is dear to start and cheap to go on with, so from the second
 * frame on the chunk is decoded whole, and if it turns out to be ASCII throughout, frames are parts
 * of its text.
 */
class ChunkText {
  readonly #decoder: TextDecoder;
  #chunk: Uint8Array = EMPTY;
  #buffer: ArrayBufferLike = EMPTY.buffer;
  #frames = 0;
  /** The text of the chunk, if the chunk is ASCII. */
  #text: string | undefined = undefined;

  constructor(decoder: TextDecoder) {
    this.#decoder = decoder;
  }

  begin(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#buffer = chunk.buffer;
    this.#frames = 0;
    this.#text = undefined;
  }

  decode(frame: Uint8Array): string {
    if (this.#frames++ === 1) this.#text = asciiText(this.#chunk);
    const text = this.#text;
    if (text !== undefined && frame.buffer === this.#buffer) {
      const start = frame.byteOffset - this.#chunk.byteOffset;
      // A frame may also be a part of the same memory outside the chunk.
      if (start >= 0 && start + frame.length <= text.length) {
        return text.slice(start, start + frame.length);
      }
    }
    return this.#decoder.decode(frame);
  }
}

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of `bytes` if each byte is a character of it. */
function asciiText(bytes: Uint8Array): string | undefined {
  try {
    const text = STRICT.decode(bytes);
    return text.length === bytes.length ? text : undefined;
  } catch {
    return undefined;
  }
}
