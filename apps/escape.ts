/**
 * Showing bytes exactly, as those who look at a wire want it: what a terminal might obey is written as
 * an escape, and so are backslashes, so that each escape stands for one thing. For text that people read,
 * where a backslash is only a backslash, there is `printable.ts`.
 *
 * @module
 */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const BACKSLASH = "\\";

/** What a terminal might obey or show in another order: controls, format characters (marks that
 * change the direction of text, invisible ones), line and paragraph separators. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** The same, the escape character itself, and what stands for bytes that are no text. */
const AMBIGUOUS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\\ufffd]/gu;
const SHORT: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
};

/** Text with everything that a terminal might obey written as `\n`, `\x1b`, `\u{202e}`. */
export function escapeText(text: string): string {
  return text.replace(AMBIGUOUS, escapeCharacter);
}

/** Bytes as UTF-8 text, what is not UTF-8 or not printable written as `\xff`, `\n`, `\u{202e}`. */
export function escapeBytes(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  if (!text.includes("\ufffd")) return escapeText(text);
  let shown = "";
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes, at);
    shown += length === 0
      ? `${BACKSLASH}x${hex(bytes[at] ?? 0, 2)}`
      : escapeText(decoder.decode(bytes.subarray(at, at + length)));
    at += length || 1;
  }
  return shown;
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

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return SHORT[character] ??
    (code < 0x80 ? `${BACKSLASH}x${hex(code, 2)}` : `${BACKSLASH}u{${hex(code, 1)}}`);
}

/** How many bytes the UTF-8 character at `at` has, 0 if there is none. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first >> 5 === 6 ? 2 : first >> 4 === 14 ? 3 : 4;
  if (at + length > bytes.length) return 0;
  return decoder.decode(bytes.subarray(at, at + length)).startsWith("\ufffd") &&
      !(length === 3 && bytes[at] === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd)
    ? 0
    : length;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
