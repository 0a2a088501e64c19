/**
 * A stream of which every byte is known, and what each way to read it has to give from any place.
 */
import { type Codec, delimited, fixed, lengthPrefixed, lines, text } from "../../mod.ts";
import { between } from "../_util/random.ts";

/** Everything a codec can decode to here, as bytes. */
export type Message = Uint8Array | string;

/** A codec, and the place where the message that begins at `at` ends according to the reference. */
export interface Reference {
  readonly name: string;
  codec(): Codec<Message>;
  /** The message at `at` and the place after it; `undefined` if the stream has no whole one there. */
  next(stream: Uint8Array, at: number): { message: Uint8Array; after: number } | undefined;
}

/** Lines of letters and digits, numbered so that no two places look alike. */
export function makeStream(chance: () => number, size: number): Uint8Array<ArrayBuffer> {
  const parts: string[] = [];
  let length = 0;
  for (let number = 0; length < size; number++) {
    const long = chance() < 0.03 ? between(chance, 500, 6_000) : between(chance, 0, 60);
    const word = chance() < 0.2 ? "" : `${number},`.repeat(Math.ceil(long / 5)).slice(0, long);
    const line = word + (chance() < 0.2 ? "\r\n" : "\n");
    parts.push(line);
    length += line.length;
  }
  if (chance() < 0.3) parts.push("the end without its newline");
  return new TextEncoder().encode(parts.join(""));
}

/** Where `delimiter` begins at or after `at`, -1 if it does not occur. */
export function find(stream: Uint8Array, delimiter: Uint8Array, at: number): number {
  search: for (let i = at; i + delimiter.length <= stream.length; i++) {
    for (let k = 0; k < delimiter.length; k++) {
      if (stream[i + k] !== delimiter[k]) continue search;
    }
    return i;
  }
  return -1;
}

/** The line at `at` without its end, and the place after it. */
export function lineAt(
  stream: Uint8Array,
  at: number,
): { message: Uint8Array; after: number } | undefined {
  if (at >= stream.length) return undefined;
  const newline = stream.indexOf(0x0a, at);
  if (newline < 0) return { message: stream.subarray(at), after: stream.length };
  const end = newline > at && stream[newline - 1] === 0x0d ? newline - 1 : newline;
  return { message: stream.subarray(at, end), after: newline + 1 };
}

/** A codec at random, with its reference. */
export function pickReference(chance: () => number): Reference {
  const size = between(chance, 1, 300);
  const references: Reference[] = [
    { name: "lines", codec: () => lines() as Codec<Message>, next: lineAt },
    { name: "text(lines)", codec: () => text(lines()) as Codec<Message>, next: lineAt },
    {
      name: `fixed(${size})`,
      codec: () => fixed(size) as Codec<Message>,
      next: (stream, at) =>
        at + size > stream.length
          ? undefined
          : { message: stream.subarray(at, at + size), after: at + size },
    },
    {
      name: "delimited(,)",
      codec: () => delimited(",") as Codec<Message>,
      next(stream, at) {
        const end = stream.indexOf(0x2c, at);
        return end < 0 ? undefined : { message: stream.subarray(at, end), after: end + 1 };
      },
    },
    {
      name: "lengthPrefixed(1)",
      codec: () => lengthPrefixed({ size: 1 }) as Codec<Message>,
      next(stream, at) {
        const after = at + 1 + (stream[at] ?? Infinity);
        return after > stream.length
          ? undefined
          : { message: stream.subarray(at + 1, after), after };
      },
    },
  ];
  return references[between(chance, 0, references.length - 1)] as Reference;
}
