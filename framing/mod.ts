/**
 * Message framing: where one message ends and the next begins on a stream of bytes.
 *
 * A read returns whatever has arrived, not what the peer sent as one message. A codec knows the
 * boundaries. Pick the one that the protocol uses, wrap it if messages are more than bytes, and use it
 * with `frames()` on any source of chunks, with the stream classes, with a connection's `framed()`,
 * or bare, through its decoder. Nothing here does input or output.
 *
 * | codec | a frame is |
 * |---|---|
 * | {@linkcode lines} | a line, ended by `\n` or `\r\n` |
 * | {@linkcode delimited} | what comes before a delimiter, or one of several |
 * | {@linkcode lengthPrefixed} | a binary length in the header, then the contents |
 * | {@linkcode varintPrefixed} | a varint length, then the contents (Protocol Buffers) |
 * | {@linkcode netstring} | `5:hello,` |
 * | {@linkcode fixed} | a number of bytes that is always the same |
 * | {@linkcode slip}, {@linkcode cobs} | an escaped packet, as on serial lines |
 * | {@linkcode text}, {@linkcode json}, {@linkcode mapped} | any of these, with other contents than bytes |
 * | {@linkcode checksummed} | any of these, with a checksum at the end |
 *
 * @example Any source of chunks
 * ```ts
 * import { frames, jsonLines } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const seen: unknown[] = [];
 * const source = new Blob(['{"a":1}\n{"b"', ":2}\n"]).stream();
 * for await (const message of frames(source, jsonLines())) seen.push(message);
 * assertEquals(seen, [{ a: 1 }, { b: 2 }]);
 * ```
 *
 * @module
 */
export { FrameError, type FrameErrorCode } from "../errors.ts";
export * from "./checksummed.ts";
export * from "./cobs.ts";
export * from "./codec.ts";
export * from "./crc32.ts";
export * from "./delimited.ts";
export * from "./fixed.ts";
export * from "./frames.ts";
export * from "./json.ts";
export * from "./length_prefixed.ts";
export * from "./limits.ts";
export * from "./lines.ts";
export * from "./mapped.ts";
export * from "./netstring.ts";
export * from "./output_buffer.ts";
export * from "./slip.ts";
export * from "./streams.ts";
export * from "./text.ts";
export * from "./varint_prefixed.ts";
