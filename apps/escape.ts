/**
 * Showing bytes exactly, as those who look at a wire want it: what a terminal might obey is written as
 * an escape, and so are backslashes, so that each escape stands for one thing. For text that people read,
 * where a backslash is only a backslash, there is `printable.ts`.
 *
 * @module
 */
import { escapeCharacter } from "../common/escape_controls.ts";
import { OutputBuffer } from "../framing/output_buffer.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();
const BACKSLASH = "\\";
const LINE_FEED = 0x0a;

/** What a terminal might obey or show in another order: controls, format characters (marks that
 * change the direction of text, invisible ones), line and paragraph separators. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** The same, the escape character itself, and what stands for bytes that are no text. */
const AMBIGUOUS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\\ufffd]/gu;
/** No byte of input takes more bytes of output than the end of a line. */
const MAX_GROWTH = 5;

/** Text with everything that a terminal might obey written as `\n`, `\x1b`, `\u{202e}`. */
export function escapeText(text: string): string {
  return text.replace(AMBIGUOUS, escapeOne);
}

/**
 * Text for people, of several lines: what a terminal might obey is escaped in the same way; line ends,
 * tabs and backslashes stay.
 */
export function escapeLines(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(
    UNSAFE,
    (character) =>
      character === "\n" || character === "\t" ? character : escapeCharacter(character),
  );
}

/** Bytes as UTF-8 text, what is not UTF-8 or not printable written as `\xff`, `\n`, `\u{202e}`. */
export function escapeBytes(bytes: Uint8Array): string {
  const output = new OutputBuffer();
  appendEscaped(output, bytes);
  return decoder.decode(output.bytes.subarray(0, output.length));
}

/**
 * Appends bytes as {@linkcode escapeBytes} shows them, in a time that depends on their number alone.
 *
 * @param output Where to.
 * @param bytes The bytes.
 * @param lineBreak What follows each line feed that is not the last byte, in ASCII and at most three
 * characters.
 */
export function appendEscaped(output: OutputBuffer, bytes: Uint8Array, lineBreak = ""): void {
  const begin = output.reserve(bytes.length * MAX_GROWTH);
  const memory = output.bytes;
  let to = begin;
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] as number;
    const code = byte < 0x80 ? byte : characterAt(bytes, at);
    if (code >= 0 && !isAmbiguous(code)) {
      const end = at + lengthOf(code);
      while (at < end) memory[to++] = bytes[at++] as number;
      continue;
    }
    const escape = code < 0x80 ? ESCAPES[byte] as Uint8Array : escapeCode(code);
    for (let index = 0; index < escape.length; index++) memory[to++] = escape[index] as number;
    at += code < 0 ? 1 : lengthOf(code);
    if (byte === LINE_FEED && at < bytes.length) {
      for (let index = 0; index < lineBreak.length; index++) {
        memory[to++] = lineBreak.charCodeAt(index);
      }
    }
  }
  output.advance(to - begin);
}

/** A value as one line of JSON, in which everything a terminal might obey is escaped too. */
export function jsonLine(value: unknown): string {
  return `${escapeJson(JSON.stringify(value))}\n`;
}

/**
 * JSON on one line, with everything a terminal might obey escaped, and all else as it was written.
 * Inside strings an escape means the same; line ends and tabs only occur between the parts of JSON,
 * where a space means the same.
 */
export function escapeJson(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === "\n" || character === "\r" || character === "\t") return " ";
    return Array.from(
      { length: character.length },
      (_, index) => `${BACKSLASH}u${hex(character.charCodeAt(index), 4)}`,
    ).join("");
  });
}

function escapeOne(character: string): string {
  return character === BACKSLASH ? BACKSLASH + BACKSLASH : escapeCharacter(character);
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

/** Which of 256 code points are ambiguous, made when one of them is first met. */
const pages: (Uint8Array | undefined)[] = [];

function isAmbiguous(code: number): boolean {
  const page = pages[code >> 8] ??= makePage(code & ~0xff);
  return page[code & 0xff] === 1;
}

function makePage(first: number): Uint8Array {
  return Uint8Array.from(
    { length: 256 },
    (_, index) => String.fromCodePoint(first + index).search(AMBIGUOUS) < 0 ? 0 : 1,
  );
}

/** The escapes of all bytes, as they are when they are no part of a longer character. */
const ESCAPES: readonly Uint8Array[] = Array.from(
  { length: 256 },
  (_, byte) =>
    encoder.encode(
      byte < 0x80 ? escapeOne(String.fromCharCode(byte)) : `${BACKSLASH}x${hex(byte, 2)}`,
    ),
);

/** The escapes of other code points, made when one of them is first met: Unicode has some hundreds. */
const longEscapes = new Map<number, Uint8Array>();

function escapeCode(code: number): Uint8Array {
  let escape = longEscapes.get(code);
  if (escape === undefined) {
    escape = encoder.encode(escapeOne(String.fromCodePoint(code)));
    longEscapes.set(code, escape);
  }
  return escape;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
