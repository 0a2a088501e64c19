/** Bytes and words of a peer in error messages. @module */

/** What a terminal obeys, does not show, or shows in another order: controls, format characters,
 * separators, surrogates, and what no one has assigned. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** Unicode's pictures of the control characters begin here, with that of NUL. */
const PICTURES = 0x2400;
const PICTURE_OF_DELETE = "\u2421";

/**
 * What a peer sent, in the form that all error messages have: at most `max` UTF-16 units of it, on one
 * line, with nothing in it that a terminal obeys. `\r\n` becomes `␍␊`, what has no picture becomes `<U+009B>` and the like.
 * There are no backslashes in it that were not sent, so whoever shows the message may escape it in any
 * way, and it still reads as it is here.
 */
export function shown(text: string, max: number): string {
  const part = text.length > max ? `${text.slice(0, max)}…` : text;
  return part.replace(UNPRINTABLE, picture);
}

function picture(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x20) return String.fromCharCode(PICTURES + code);
  if (code === 0x7f) return PICTURE_OF_DELETE;
  return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}
