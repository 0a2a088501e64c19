/**
 * Bytes as text, exactly as they are on the wire. See `escape.ts` for text.
 *
 * @module
 */
import { AMBIGUOUS, escapeCharacter } from "./escape.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();
const LINE_FEED = 0x0a;
/** No byte of input takes more bytes of output than the end of a line. */
const MAX_GROWTH = 5;

/** Memory that grows: an `OutputBuffer`. */
interface EscapedOutput {
  readonly bytes: Uint8Array;
  reserve(count: number): number;
  advance(count: number): void;
}

/** Bytes as UTF-8 text, what is not UTF-8 or not printable written as `\xff`, `\n`, `\u{202e}`. */
export function escapeBytes(bytes: Uint8Array): string {
  const memory = new Uint8Array(bytes.length * MAX_GROWTH);
  return decoder.decode(memory.subarray(0, escapeInto(memory, 0, bytes, "")));
}

/**
 * Appends bytes as {@linkcode escapeBytes} shows them, in a time that depends on their number alone.
 *
 * @param output Where to.
 * @param bytes The bytes.
 * @param lineBreak What follows each line feed that is not the last byte, in ASCII and at most three
 * characters.
 */
export function appendEscaped(output: EscapedOutput, bytes: Uint8Array, lineBreak = ""): void {
  const begin = output.reserve(bytes.length * MAX_GROWTH);
  output.advance(escapeInto(output.bytes, begin, bytes, lineBreak) - begin);
}

/** Writes to `memory` from `begin`, and returns where it ended. */
function escapeInto(
  memory: Uint8Array,
  begin: number,
  bytes: Uint8Array,
  lineBreak: string,
): number {
  let to = begin;
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] as number;
    const code = byte < 0x80 ? byte : characterAt(bytes, at);
    const end = at + (code < 0 ? 1 : lengthOf(code));
    const escape = code < 0 ? BYTES[byte] : escapeOf(code);
    if (escape === undefined) {
      while (at < end) memory[to++] = bytes[at++] as number;
      continue;
    }
    for (let index = 0; index < escape.length; index++) memory[to++] = escape[index] as number;
    at = end;
    if (byte === LINE_FEED && at < bytes.length) {
      for (let index = 0; index < lineBreak.length; index++) {
        memory[to++] = lineBreak.charCodeAt(index);
      }
    }
  }
  return to;
}

/** The code point of the UTF-8 character at `at`, which is not ASCII; -1 if there is none. */
function characterAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first < 0xc2 || first > 0xf4) return -1;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > bytes.length) return -1;
  let code = first & (0x7f >> length);
  for (let index = 1; index < length; index++) {
    const next = bytes[at + index] as number;
    if ((next & 0xc0) !== 0x80) return -1;
    code = code << 6 | next & 0x3f;
  }
  const isShortest = lengthOf(code) === length;
  const isSurrogate = code >= 0xd800 && code < 0xe000;
  return isShortest && !isSurrogate && code <= 0x10ffff ? code : -1;
}

/** How many bytes a code point takes. */
function lengthOf(code: number): 1 | 2 | 3 | 4 {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
}

/** The escapes of bytes that are not part of a character. */
const BYTES = Array.from({ length: 256 }, (_, byte) => encoder.encode(`\\x${byte.toString(16)}`));

/** The escapes of 256 code points each, made when one of them is first met. */
const pages: (Uint8Array | undefined)[][] = [];

/** How a code point is escaped; `undefined` if it stays as it is. */
function escapeOf(code: number): Uint8Array | undefined {
  const page = pages[code >> 8] ??= Array.from(
    { length: 256 },
    (_, low) => makeEscape(String.fromCodePoint((code & ~0xff) + low)),
  );
  return page[code & 0xff];
}

function makeEscape(character: string): Uint8Array | undefined {
  return character.search(AMBIGUOUS) < 0 ? undefined : encoder.encode(escapeCharacter(character));
}
