/** Frames that end with a checksum of their contents. @module */
import { byteCodec } from "./_byte_codec.ts";
import type { Codec, FramingCodec } from "./codec.ts";
import { crc32 } from "./crc32.ts";
import { checkCodec } from "./_checks.ts";
import { CORRUPT_NAMES, DropPolicy } from "./_drop_policy.ts";
import { encodeInto } from "./encode.ts";
import { Broken } from "./_frame_error.ts";
import { readBigEndian, readLittleEndian, writeInteger } from "./_integer.ts";
import type { CorruptOptions } from "./limits.ts";
import { MappedDecoder } from "./_mapped_decoder.ts";
import { checkCount, checkOneOf, checkOptions, type OptionNames } from "../common/options.ts";
import type { OutputBuffer } from "./output_buffer.ts";

/** The most bytes in which every number is exact. */
const MAX_NUMBER_SIZE = 6;

/** A checksum of your own. */
export interface ChecksumFunction {
  /** How many bytes the checksum takes in the frame, at least 1. */
  readonly size: number;
  /**
   * Computes the checksum. A number must be a whole one from 0 that fits in `size` bytes, at most 6;
   * bytes must be `size` many.
   *
   * @param contents What the frame holds before its checksum, valid during the call.
   * @returns The checksum as a number, written in the byte order of the options, or as bytes, written
   * as they are.
   */
  compute(contents: Uint8Array): number | Uint8Array;
}

/** Options for {@linkcode checksummed}. */
export interface ChecksummedOptions extends CorruptOptions {
  /**
   * Whether the lowest byte of a checksum that is a number comes first.
   *
   * @default {false}
   */
  littleEndian?: boolean | undefined;
}

const CRC32: ChecksumFunction = { size: 4, compute: (contents) => crc32(contents) };

/**
 * Bytes in the frames of another codec, with a checksum after them inside the frame. The checksum is
 * the trailer: contents first, then `size` bytes, highest byte first unless specified otherwise. The
 * limit of the codec below counts both.
 *
 * A frame whose checksum does not fit is thrown as a `FrameError` with code `checksum` (`corrupt` if
 * it is too short to have one). The codec below has found its end by then, so nothing but that frame
 * is lost: the decoder resumes after it when it is pushed an empty chunk, or by itself with
 * `onCorrupt: "discard"`. Whether the next frame is found depends on the codec below: `slip` and `cobs`
 * always find it, while a damaged length prefix may lead anywhere.
 *
 * A checksum can be any bytes, so delimiter codecs such as `lines` do not work below it: their `encode`
 * throws when the checksum happens to hold a delimiter.
 *
 * @param codec What finds the frames.
 * @param checksum `"crc32"` (as in zlib) or an object that computes one.
 * @param options Byte order, and what to do about frames whose checksum does not fit.
 * @returns The codec.
 * @throws {RangeError | TypeError} When the checksum or an option is out of range or of the wrong kind.
 *
 * @example
 * ```ts
 * import { checksummed, cobs } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const sum = { size: 1, compute: (bytes: Uint8Array) => bytes.reduce((a, b) => (a + b) & 255, 0) };
 * const bytes = checksummed(cobs(), sum).encode(Uint8Array.of(1, 2));
 * assertEquals(bytes, Uint8Array.of(4, 1, 2, 3, 0));
 * ```
 */
export function checksummed(
  codec: Codec<Uint8Array>,
  checksum: "crc32" | ChecksumFunction,
  options: ChecksummedOptions = {},
): FramingCodec<Uint8Array> {
  checkOptions<ChecksummedOptions>("checksummed", options, OPTIONS);
  const { littleEndian = false } = options;
  checkCodec("checksummed", codec);
  const sums = toChecksum(checksum);
  const size = checkCount("checksum.size", sums.size, 1, Number.MAX_SAFE_INTEGER);
  checkOneOf("littleEndian", littleEndian, [false, true]);
  const policy = DropPolicy.ofCorrupt(options);
  return byteCodec(() => new MappedDecoder(codec.decoder(), verified, policy), encodeWithSum);

  function encodeWithSum(message: Uint8Array, output: OutputBuffer): void {
    const { length } = message;
    const frame = new Uint8Array(length + size);
    frame.set(message);
    const sum = compute(message);
    if (typeof sum !== "number") frame.set(sum, length);
    else writeInteger(frame, length, { value: sum, size, littleEndian });
    encodeInto(codec, frame, output);
  }

  /** Returns the contents of `frame`. */
  function verified(frame: Uint8Array): Uint8Array | Broken {
    const { length } = frame;
    const end = length - size;
    if (end < 0) {
      const message = `Cannot check a frame of ${length} bytes: its checksum alone takes ${size}`;
      return new Broken("corrupt", message, length);
    }
    const contents = frame.subarray(0, end);
    const sum = compute(contents);
    const read = littleEndian ? readLittleEndian : readBigEndian;
    const fits = typeof sum === "number"
      ? sum === read(frame, end, size)
      : sum.every((byte, i) => byte === frame[end + i]);
    if (fits) return contents;
    const message =
      `Cannot accept a frame of ${length} bytes: its checksum does not fit its contents`;
    return new Broken("checksum", message, length);
  }

  function compute(contents: Uint8Array): number | Uint8Array {
    const sum = sums.compute(contents);
    if (typeof sum === "number") {
      return checkCount("checksum", sum, 0, 256 ** Math.min(size, MAX_NUMBER_SIZE) - 1);
    }
    checkCount("length of the checksum", sum.length, size, size);
    return sum;
  }
}

const OPTIONS: OptionNames<ChecksummedOptions> = { ...CORRUPT_NAMES, littleEndian: true };

function toChecksum(checksum: unknown): ChecksumFunction {
  if (checksum === "crc32") return CRC32;
  if (isChecksum(checksum)) return checksum;
  throw new TypeError(
    `Cannot use checksum as "crc32" or an object with size and compute: current value is ${
      String(checksum)
    }`,
  );
}

function isChecksum(checksum: unknown): checksum is ChecksumFunction {
  return typeof checksum === "object" && checksum !== null && "size" in checksum &&
    "compute" in checksum && typeof checksum.compute === "function";
}
