/**
 * Making the text of others harmless before a terminal shows it: messages, names, reasons. For bytes that
 * are to be shown exactly, there is `escape.ts`.
 *
 * @module
 */

/**
 * What a terminal obeys instead of showing it, and what makes text show in another order than it
 * was written in: C0 controls with ESC, DEL, C1 controls, line and paragraph separators, and
 * bidirectional embeddings, overrides and isolates (Unicode annex 9), interlinear annotations.
 */
const HARMFUL = /[\p{Cc}\u2028-\u202e\u2066-\u2069\ufff9-\ufffb]/u;
const ALL_HARMFUL = new RegExp(HARMFUL.source, "gu");

/** Where Unicode has pictures of the control characters: U+2400 for NUL and so on. */
const PICTURES = 0x2400;
const PICTURE_OF_DELETE = "\u2421";

/**
 * Text that a terminal shows as it is: each control character is replaced by something that can be
 * seen, so that nobody can move the cursor, change colours, set the window's title or turn text
 * around on somebody else's screen.
 *
 * A tab becomes a space; the controls up to U+001F and DEL become their pictures (`␛` for ESC); C1
 * controls, line separators and bidirectional controls become `<U+009B>` and the like. All other text,
 * also text written from right to left, stays as it is. Doing it twice changes nothing more.
 *
 * @param text Anything.
 * @returns The text with nothing in it that a terminal would obey.
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
  return HARMFUL.test(text) ? text.replace(ALL_HARMFUL, show) : text;
}

function show(character: string): string {
  const code = character.charCodeAt(0);
  if (character === "\t") return " ";
  if (code < 0x20) return String.fromCharCode(PICTURES + code);
  if (code === 0x7f) return PICTURE_OF_DELETE;
  return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}
