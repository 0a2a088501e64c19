/**
 * The text of HTTP: bytes as characters and back, and short quotations for messages.
 *
 * @module
 */

/** The most arguments of one call, so that no stack overflows. */
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

/** The most characters of a quotation. */
const QUOTE_LENGTH = 60;

/** Quotes a peer's text in a message: one line, ASCII, not long. */
export function quote(text: string): string {
  const shown = text.length > QUOTE_LENGTH ? `${text.slice(0, QUOTE_LENGTH)}…` : text;
  return JSON.stringify(shown).replace(
    /[\x7f-\u2025\u2027-\uffff]/g, // all but the ellipsis
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
