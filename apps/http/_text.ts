/**
 * Text that came from a stranger: reading its bytes and showing it without harm.
 *
 * @module
 */

/** So many arguments at once that no stack overflows. */
const PIECE = 4096;

/** Each byte as the character with its number (ISO 8859-1), as the fields of HTTP are read. */
export function fromLatin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE) {
    text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  }
  return text;
}

/** What {@linkcode fromLatin1} undoes. */
export function toLatin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Characters of a quotation; the rest would say nothing more. */
const QUOTE_LENGTH = 60;

/** Quotes a stranger's text in a message: one line, ASCII, not long. */
export function quote(text: string): string {
  const shown = text.length > QUOTE_LENGTH ? `${text.slice(0, QUOTE_LENGTH)}…` : text;
  return JSON.stringify(shown).replace(
    /[\x7f-\u2025\u2027-\uffff]/g, // all but the ellipsis
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Control characters, invisible ones, and those that turn the direction of writing. */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\\]/gu;
const SHORT: Readonly<Record<string, string>> = {
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  "\\": "\\\\",
};

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Shows bytes as text, with everything escaped that a terminal might obey. */
export function escapeBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes).replace(HARMFUL, escapeCharacter);
  } catch {
    return fromLatin1(bytes).replace(
      /[^\x20-\x5b\x5d-\x7e]/g,
      (character) => SHORT[character] ?? hex(character.charCodeAt(0)),
    );
  }
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return SHORT[character] ?? (code < 0x80 ? hex(code) : `\\u{${code.toString(16)}}`);
}

function hex(code: number): string {
  return `\\x${code.toString(16).padStart(2, "0")}`;
}
