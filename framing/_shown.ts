/** Bytes and words of a peer in error messages. @module */
import { pictureOf } from "../common/escape.ts";

/** What a terminal acts on, does not show, or shows in another order: controls, format characters,
 * separators, surrogates, and what is not assigned. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
/**
 * What a peer sent, in the form that all error messages have: at most `max` UTF-16 units of it, on one
 * line, with nothing in it that a terminal acts on. `\r\n` becomes `␍␊`, what has no picture becomes `<U+009B>` and the like.
 * There are no backslashes in it that were not sent, so it may be escaped again in any way,
 * and still reads the same.
 */
export function shown(text: string, max: number): string {
  const part = text.length > max ? `${text.slice(0, max)}…` : text;
  return part.replace(UNPRINTABLE, pictureOf);
}
