/** Messages of any kind in the frames of another codec. @module */
import { FrameError } from "../errors.ts";
import type { Codec, FramingCodec } from "./codec.ts";
import { checkCodec } from "./_checks.ts";
import { CORRUPT_NAMES, DropPolicy } from "./_drop_policy.ts";
import { checkOptions, namesOf, type OptionNames, unfit } from "../common/options.ts";
import { encodeInto } from "./encode.ts";
import type { CorruptOptions } from "./limits.ts";
import { MappedDecoder } from "./_mapped_decoder.ts";
import { messageOf } from "../common/system_reason.ts";

/**
 * Options for {@linkcode mapped}.
 *
 * @typeParam Frame What the codec below decodes to and encodes.
 * @typeParam In What is decoded.
 * @typeParam Out What is encoded.
 */
export interface MappedOptions<Frame, In, Out = In> extends CorruptOptions {
  /**
   * Turns the contents of a frame into a message. A byte frame is borrowed just as it is in `emit`, so
   * a message may hold views of it. An exception makes the frame a broken one; any exception but a
   * `FrameError` becomes the `cause` of one with code `corrupt`.
   */
  decode: (frame: Frame) => In;
  /**
   * Turns a message into the contents of a frame. What is thrown becomes a `FrameError` in the same
   * way.
   */
  encode: (message: Out) => Frame;
  /**
   * Whether messages hold no views of the frames they were decoded from. See `Codec.detached`.
   *
   * @default {that of the codec below}
   */
  detached?: boolean | undefined;
}

/**
 * Frames of another codec whose contents are decoded and encoded by two functions.
 *
 * @param codec What finds the frames.
 * @param options The two functions, and what to do about frames that cannot be decoded.
 * @returns The codec.
 * @throws {TypeError} When an option is of the wrong kind.
 *
 * @example
 * ```ts
 * import { lengthPrefixed, mapped } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const numbers = mapped(lengthPrefixed({ size: 1 }), {
 *   decode: (frame) => frame.reduce((sum, byte) => sum * 256 + byte, 0),
 *   encode: (value: number) => Uint8Array.of(value >>> 8, value & 255),
 * });
 * assertEquals(numbers.encode(513), Uint8Array.of(2, 2, 1));
 * ```
 */
export function mapped<Frame, In, Out = In>(
  codec: Codec<Frame>,
  options: MappedOptions<Frame, In, Out>,
): FramingCodec<In, Out> {
  checkOptions<MappedOptions<unknown, unknown>>("mapped", options, OPTIONS);
  for (const name of ["decode", "encode"] as const) {
    if (typeof options?.[name] !== "function") {
      throw new TypeError(unfit(name, "a function", options?.[name]));
    }
  }
  checkCodec("mapped", codec);
  const { decode, encode, detached = codec.detached ?? false } = options;
  const policy = DropPolicy.ofCorrupt(options);
  const toFrame = (message: Out): Frame => {
    try {
      return encode(message);
    } catch (cause) {
      if (cause instanceof FrameError) throw cause;
      throw new FrameError("corrupt", `Cannot encode a message: ${messageOf(cause)}`, { cause });
    }
  };
  return {
    detached,
    decoder: () => new MappedDecoder(codec.decoder(), decode, policy),
    encode: (message) => codec.encode(toFrame(message)),
    encodeInto: (message, output) => encodeInto(codec, toFrame(message), output),
  };
}

const OPTIONS: OptionNames<MappedOptions<unknown, unknown>> = {
  ...CORRUPT_NAMES,
  ...namesOf("decode", "detached", "encode"),
};
