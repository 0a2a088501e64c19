/** Encoding with and without a buffer at hand. @module */
import type { Codec, Decoder, FramingCodec } from "./codec.ts";
import { OutputBuffer } from "./output_buffer.ts";

/**
 * Encodes `message` after what `output` holds, with any codec. When it throws, `output` holds what
 * it held before.
 */
export function encodeInto<Out>(
  codec: Codec<unknown, Out>,
  message: Out,
  output: OutputBuffer,
): void {
  if (codec.encodeInto) codec.encodeInto(message, output);
  else output.append(codec.encode(message));
}

/** What all codecs of bytes have in common. */
export abstract class ByteCodec implements FramingCodec<Uint8Array> {
  abstract decoder(): Required<Decoder<Uint8Array>>;

  abstract encodeInto(message: Uint8Array, output: OutputBuffer): void;

  encode(message: Uint8Array): Uint8Array {
    const output = new OutputBuffer();
    this.encodeInto(message, output);
    return output.take();
  }
}
