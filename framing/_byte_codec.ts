/** What all codecs of bytes have in common. @module */
import { checkBytes } from "./_checks.ts";
import type { Decoder, FramingCodec } from "./codec.ts";
import { OutputBuffer } from "./output_buffer.ts";
import { ScanDecoder, type Scanner } from "./_scan_decoder.ts";

type EncodeBytes = (message: Uint8Array, output: OutputBuffer) => void;

/** Makes a codec of bytes. `encode` and the check of the message are the same for all of them. */
export function byteCodec(
  decoder: () => Required<Decoder<Uint8Array>>,
  encodeBytes: EncodeBytes,
): FramingCodec<Uint8Array> {
  const encodeInto: EncodeBytes = (message, output) => {
    checkBytes("message", message);
    encodeBytes(message, output);
  };
  return {
    decoder,
    encodeInto,
    encode(message) {
      const output = new OutputBuffer();
      encodeInto(message, output);
      return output.take();
    },
  };
}

/** What {@linkcode scanCodec} needs. */
interface ScanCodecParts {
  /** Makes what finds the frames. */
  scanner: () => Scanner;
  /** How many bytes the longest frame takes, with all that surrounds it. */
  maxSize: number;
  /** Encodes what is known to be bytes. */
  encodeInto: EncodeBytes;
}

/** Makes a codec whose frames are found by a scanner. */
export function scanCodec(parts: ScanCodecParts): FramingCodec<Uint8Array> {
  const { scanner, maxSize, encodeInto } = parts;
  return byteCodec(() => new ScanDecoder(scanner(), maxSize), encodeInto);
}
