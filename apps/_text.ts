/**
 * Showing text of others without letting it command the terminal.
 *
 * @module
 */

/** Control characters of C0 and C1, line and paragraph separators, and marks that turn the direction
 * of text round: what can move the cursor, hide text, or make a name look like another. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/gu;

/** The text with every character that commands a terminal spelled out, as in `a\u{1b}[2J`. */
export function printable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
