/** Encoding with and without a buffer at hand. @module */
import type { Codec } from "./codec.ts";
import type { OutputBuffer } from "./output_buffer.ts";

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
