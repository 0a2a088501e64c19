/** What a peer sent, in error messages. @module */
import { pictureOf } from "../common/escape.ts";

const SHOWN = 8;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const HTTP = /^(GET |HEAD|POST|PUT |PATC|DELE|OPTI|CONN|TRAC|PRI |HTTP)/;
const JSON_TEXT = /^\s*[[{]["\s{[]/;
const PRINTABLE = /^[\t\r\n\x20-\x7e]{2,}$/;

/**
 * What a terminal acts on, does not show, or shows in another order: controls, format characters,
 * separators, surrogates and unassigned characters.
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
/**
 * What a peer sent, as all error messages show it: at most `max` UTF-16 units, on one line, with nothing
 * that a terminal acts on. `\r\n` becomes `␍␊`; a character without a picture becomes `<U+009B>` or the
 * like. No backslashes are added, so the text still reads the same after it is escaped again.
 */
export function shown(text: string, max: number): string {
  const part = text.length > max ? `${text.slice(0, max)}…` : text;
  return part.replace(UNPRINTABLE, pictureOf);
}

/**
 * Which protocol the first bytes of a frame look like, if it is another one: a parenthesis for the end
 * of an error message, or nothing.
 *
 * @param bytes Where they are.
 * @param from The index of the first.
 * @param to The index after those that could not be understood. More bytes are looked at if they
 * are there and are text as well.
 */
export function hint(bytes: Uint8Array, from: number, to: number): string {
  if (isTlsHandshake(bytes, from)) {
    return " (the bytes begin a TLS handshake: the peer wants an encrypted connection)";
  }
  const text = printable(bytes, from, from + SHOWN) ?? printable(bytes, from, to);
  if (text === undefined) return "";
  return ` (the bytes spell ${quoted(text)}: the peer may be ${guess(text)})`;
}

function isTlsHandshake(bytes: Uint8Array, from: number): boolean {
  return bytes[from] === 0x16 && bytes[from + 1] === 0x03 && (bytes[from + 2] ?? 0xff) <= 0x04;
}

function printable(bytes: Uint8Array, from: number, to: number): string | undefined {
  const first = bytes[from] ?? 0;
  if (first >= 0x7f || (first < 0x20 && first !== TAB && first !== LF && first !== CR)) return;
  const text = String.fromCharCode(...bytes.subarray(from, Math.min(to, from + SHOWN)));
  return PRINTABLE.test(text) ? text : undefined;
}

function quoted(text: string): string {
  const quote = text.includes('"') ? "'" : '"';
  return quote + shown(text, SHOWN) + quote;
}

function guess(text: string): string {
  if (HTTP.test(text)) return "speaking HTTP";
  if (text.startsWith("SSH-")) return "speaking SSH";
  if (JSON_TEXT.test(text)) return "sending JSON";
  return "sending text";
}
