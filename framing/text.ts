/** Frames whose contents are text. @module */
import { FrameError } from "../errors.ts";
import { typeOf } from "../common/kinds.ts";
import type { Codec, Emit, FramingCodec } from "./codec.ts";
import { appendTextOf } from "./_append_text.ts";
import { checkCodec } from "./_checks.ts";
import { CORRUPT_NAMES, DropPolicy } from "./_drop_policy.ts";
import { encodeInto } from "./encode.ts";
import type { CorruptOptions } from "./limits.ts";
import { Broken } from "./_frame_error.ts";
import { MappedDecoder } from "./_mapped_decoder.ts";
import { checkOneOf, checkOptions, type OptionNames } from "../common/options.ts";
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
 * Strings, as UTF-8 in the frames of another codec. Nothing is added or removed: a byte order mark is a
 * character like any other.
 *
 * Short strings from one chunk may share memory, as JavaScript engines do with substrings: one string
 * can keep the text of its whole chunk alive.
 *
 * @param codec What finds the frames.
 * @param options What to do about bytes that are not UTF-8.
 * @returns The codec. Decoding throws a `FrameError` with code `corrupt` for a frame that is not UTF-8;
 * the decoder resumes after it when it is pushed an empty chunk. `encode` throws one for a string with
 * half a surrogate pair, which UTF-8 cannot represent.
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
  checkOptions<TextOptions>("text", options, OPTIONS);
  const { fatal = true } = options;
  checkOneOf("fatal", fatal, [false, true]);
  checkCodec("text", codec);
  const policy = DropPolicy.ofCorrupt(options);
  const decode = fatal ? decodeStrictly : decodeLeniently;
  const check = fatal ? checkWellFormed : checkString;
  const appendText = appendTextOf(codec);
  /** Memory to encode in; absent while it is in use. */
  let free: Uint8Array | undefined;
  return {
    detached: true,
    decoder() {
      const inner = codec.decoder();
      return inner instanceof ScanDecoder
        ? new TextScanDecoder(inner, decode, policy)
        : new MappedDecoder(inner, decode, policy);
    },
    encode(message) {
      check(message);
      return codec.encode(ENCODER.encode(message));
    },
    encodeInto(message, output) {
      check(message);
      if (appendText?.(message, output)) return;
      // A UTF-16 unit takes at most three bytes.
      if (message.length * 3 > SCRATCH_SIZE) {
        return encodeInto(codec, ENCODER.encode(message), output);
      }
      const scratch = free ?? new Uint8Array(SCRATCH_SIZE);
      free = undefined;
      try {
        const { written } = ENCODER.encodeInto(message, scratch);
        encodeInto(codec, scratch.subarray(0, written), output);
      } finally {
        free = scratch;
      }
    },
  };
}

const OPTIONS: OptionNames<TextOptions> = { ...CORRUPT_NAMES, fatal: true };

function checkString(message: unknown): asserts message is string {
  // Bytes, for one, would become the digits of their values.
  if (typeof message === "string") return;
  throw new TypeError(`Cannot use message as text: current value is of type ${typeOf(message)}`);
}

function checkWellFormed(message: unknown): void {
  checkString(message);
  if (message.isWellFormed()) return;
  const { length } = message;
  const at = message.toWellFormed().split("").findIndex((unit, i) => unit !== message[i]);
  throw new FrameError(
    "corrupt",
    `Cannot write a message as UTF-8: it has half a surrogate pair at index ${at}`,
    { length },
  );
}

/**
 * Decodes the frames of a chunk. Decoding is expensive to start and cheap to continue, so from the second
 * frame on the chunk is decoded whole, and if all of it is ASCII, frames are parts of its text.
 */
class TextScanDecoder extends MappedDecoder<Uint8Array, string> {
  readonly #scanner: ScanDecoder;
  /** The chunk pushed last, as long as a part of it is left, and its text if it is all ASCII. */
  #chunk: Uint8Array = EMPTY;
  #text: string | undefined = undefined;
  /** How many frames of the chunk were emitted so far. */
  #count = 0;

  constructor(inner: ScanDecoder, decode: typeof decodeStrictly, policy: DropPolicy) {
    super(inner, decode, policy);
    this.#scanner = inner;
  }

  override push(chunk: Uint8Array, emit: Emit<string>): void {
    const current = chunk.length === 0 ? this.#chunk : chunk;
    let text: string | undefined;
    let frames = 0;
    if (current === this.#chunk) {
      text = this.#text;
      frames = this.#count;
    }
    this.begin();
    try {
      this.#scanner.pushRanges(chunk, (bytes, start, end) => {
        if (frames++ === 1) text = decodeAscii(current);
        if (text !== undefined && bytes === current) return emit(text.slice(start, end));
        return this.emitDecoded(bytes.subarray(start, end), emit);
      });
    } finally {
      const isLeft = this.stalled;
      this.#chunk = isLeft ? current : EMPTY;
      this.#text = isLeft ? text : undefined;
      this.#count = isLeft ? frames : 0;
    }
  }
}

function decodeStrictly(frame: Uint8Array): string | Broken {
  return decodeUtf8(frame) ?? new Broken("corrupt", NOT_UTF8, frame.length);
}

function decodeLeniently(frame: Uint8Array): string {
  return LENIENT_DECODER.decode(frame);
}
