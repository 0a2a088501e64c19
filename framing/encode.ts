/** Encoding with and without a buffer at hand. @module */
import type { Codec } from "./codec.ts";
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

/** A codec that encodes into a buffer. */
export interface BufferEncoder<Out> {
  encodeInto(message: Out, output: OutputBuffer): void;
}

/** Encodes `message` into memory of its own. */
export function encodeAlone<Out>(codec: BufferEncoder<Out>, message: Out): Uint8Array {
  const output = new OutputBuffer();
  codec.encodeInto(message, output);
  return output.take();
}
