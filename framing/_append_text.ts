/** Codecs of bytes whose frames text can be written into without being encoded first. @module */
import type { Codec } from "./codec.ts";
import type { OutputBuffer } from "./output_buffer.ts";

/** The method of a codec that does it. */
export const APPEND_TEXT: unique symbol = Symbol("append text");

/**
 * Adds the frame of a text, if it is certain that encoding it first would give the same frame.
 *
 * @param text Well-formed, or what is not may become U+FFFD.
 * @returns Whether it was added.
 */
export type AppendText = (text: string, output: OutputBuffer) => boolean;

/** The method, if a codec has it. */
export function appendTextOf(codec: Codec<Uint8Array>): AppendText | undefined {
  return (codec as { readonly [APPEND_TEXT]?: AppendText })[APPEND_TEXT];
}
