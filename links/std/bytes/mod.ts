// The parts of @std/bytes this repository uses, typed; the code is the standard library's own.
import * as lib from "npm:deno-std@1.4.0/bytes/mod.js";

export const concat: (buffers: readonly Uint8Array[]) => Uint8Array<ArrayBuffer> = lib.concat;
export const equals: (a: Uint8Array, b: Uint8Array) => boolean = lib.equals;
export const indexOfNeedle: (source: Uint8Array, needle: Uint8Array, start?: number) => number =
  lib.indexOfNeedle;
export const startsWith: (source: Uint8Array, prefix: Uint8Array) => boolean = lib.startsWith;
export const endsWith: (source: Uint8Array, suffix: Uint8Array) => boolean = lib.endsWith;
