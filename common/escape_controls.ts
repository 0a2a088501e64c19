/**
 * Text of others in messages and logs: nothing in it may act on a terminal or begin a new line.
 *
 * @module
 */

/** What a terminal obeys, what begins a line, what shows text in another order or not at all, and
 * halves of characters. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const SHORT: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };
/** An escape that was cut off. */
const PARTIAL_ESCAPE = /\\(x[\da-f]?|u(\{[\da-f]*)?)?$/;

/**
 * Writes control characters, format characters (such as those that change the direction of text) and
 * line separators as `\n`, `\x1b`, `\u{202e}`.
 *
 * A backslash stays as it is, so that text in which such characters were escaped before, as in the
 * messages of codecs, is not escaped twice.
 *
 * @param text Anything.
 * @param maxLength The longest result, in UTF-16 units; what is longer ends with `…`.
 */
export function escapeControls(text: string, maxLength = Infinity): string {
  // Escaping never makes text shorter: what is cut off first would have been cut off anyway.
  const start = text.length > maxLength ? text.slice(0, maxLength) : text;
  const escaped = start.replace(UNSAFE, escapeCharacter);
  if (escaped.length <= maxLength && start.length === text.length) return escaped;
  return escaped.slice(0, maxLength - 1).replace(PARTIAL_ESCAPE, "") + "…";
}

/** A character as an escape: `\n`, `\x1b`, `\u{202e}`. */
export function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return SHORT[character] ??
    (code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`);
}
