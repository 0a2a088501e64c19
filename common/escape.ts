/**
 * Text of others, made harmless: nothing in it may act on a terminal or begin a new line of a log.
 *
 * | function | for | what a terminal acts on becomes | backslashes |
 * |---|---|---|---|
 * | `toPrintable` | text that people read: chat, names, reasons | `␛`, `<U+009B>` | stay |
 * | `escapeControls` | messages and lines of a log | `\x1b`, `\u{9b}` | stay |
 * | `escapeLines` | text of several lines; `\n` and `\t` stay | `\x1b`, `\u{9b}` | stay |
 * | `escapeText`, `escapeBytes` | what is on the wire, exactly | `\x1b`, `\u{9b}`, `\xff` | `\\` |
 * | `escapeJson`, `jsonLine` | JSON, which stays the same JSON | `\u001b`, `\u009b` | stay |
 *
 * All but `toPrintable` also escape format characters that are not shown, such as joiners: text that is
 * inspected shows all it holds. In text that people read they are parts of words and of emoji.
 *
 * @module
 */

/** What a terminal acts on, what begins a line, what shows text in another order or not at all, and
 * halves of characters. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** The same, the escape character itself, and what stands for bytes that are not text. */
export const AMBIGUOUS: RegExp = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\\\ufffd]/gu;
/**
 * What a terminal acts on instead of showing it, and what shows text in another order than it was
 * written in: C0 controls with ESC, DEL, C1 controls, line and paragraph separators, bidirectional
 * embeddings, overrides and isolates (Unicode annex 9), interlinear annotations.
 */
const HARMFUL = /[\p{Cc}\u2028-\u202e\u2066-\u2069\ufff9-\ufffb]/gu;

const BACKSLASH = "\\";
const SHORT: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };
/** An escape that was cut off. */
const PARTIAL_ESCAPE = /\\(x[\da-f]?|u(\{[\da-f]*)?)?$/;
/** Where Unicode has pictures of the control characters: U+2400 for NUL and so on. */
const PICTURES = 0x2400;
const PICTURE_OF_DELETE = "\u2421";

/**
 * Text that a terminal shows as it is: each control character is replaced by something that can be
 * seen, so that no one can move the cursor, change colours, set the window's title or reverse text on
 * the screen of another.
 *
 * A tab becomes a space; the controls up to U+001F and DEL become their pictures (`␛` for ESC); C1
 * controls, line separators and bidirectional controls become `<U+009B>` and the like. All other text,
 * also text written from right to left, stays as it is. Doing it twice changes nothing more.
 *
 * @param text Anything.
 * @returns The text with nothing in it that a terminal would act on.
 *
 * @example
 * ```ts
 * import { toPrintable } from "@tincan/net/chat";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(toPrintable("\x1b[2Jgone?"), "\u241b[2Jgone?");
 * assertEquals(toPrintable("\u202egnp.exe"), "<U+202E>gnp.exe");
 * assertEquals(toPrintable("\u05e9\u05dc\u05d5\u05dd, \u4f60\u597d"), "\u05e9\u05dc\u05d5\u05dd, \u4f60\u597d");
 * ```
 */
export function toPrintable(text: string): string {
  return text.replace(HARMFUL, (character) => character === "\t" ? " " : pictureOf(character));
}

/** A character as its picture, or as `<U+009B>` if it has none. */
export function pictureOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCharCode(PICTURES + code);
  if (code === 0x7f) return PICTURE_OF_DELETE;
  return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}

/**
 * Text for a message or a log, on one line. A backslash stays as it is, so that text in which such
 * characters were escaped before, as in the messages of codecs, is not escaped twice.
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

/** Text of several lines for people: `\r\n` becomes `\n`; line ends and tabs stay. */
export function escapeLines(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(
    UNSAFE,
    (character) =>
      character === "\n" || character === "\t" ? character : escapeCharacter(character),
  );
}

/** Text exactly as it is on the wire: each escape stands for one character. */
export function escapeText(text: string): string {
  return text.replace(AMBIGUOUS, escapeCharacter);
}

/** A value as one line of JSON, with a line feed. */
export function jsonLine(value: unknown): string {
  return `${escapeJson(JSON.stringify(value))}\n`;
}

/**
 * JSON on one line, and all else as it was written. Inside strings an escape means the same; line ends
 * and tabs only occur between the parts of JSON, where a space means the same.
 */
export function escapeJson(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === "\n" || character === "\r" || character === "\t") return " ";
    return character.split("").map((unit) => {
      return `${BACKSLASH}u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
    }).join("");
  });
}

/** A character as an escape: `\n`, `\x1b`, `\u{202e}`, `\\`. */
export function escapeCharacter(character: string): string {
  if (character === BACKSLASH) return BACKSLASH + BACKSLASH;
  const code = character.codePointAt(0) ?? 0;
  return SHORT[character] ??
    (code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`);
}
