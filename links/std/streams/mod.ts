// The parts of @std/streams this repository uses, typed; the code is the standard library's own.
import * as lib from "npm:deno-std@1.4.0/streams/mod.js";

export const toBytes: (stream: ReadableStream<Uint8Array>) => Promise<Uint8Array<ArrayBuffer>> =
  lib.toBytes;
export const toText: (stream: ReadableStream) => Promise<string> = lib.toText;
export const TextLineStream: new (options?: { allowCR?: boolean }) => TransformStream<
  string,
  string
> = lib.TextLineStream;
export const DelimiterStream: new (
  delimiter: Uint8Array,
  options?: { disposition?: "suffix" | "prefix" | "discard" },
) => TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> = lib.DelimiterStream;
