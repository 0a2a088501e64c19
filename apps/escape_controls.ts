/**
 * Text of strangers inside a message for people.
 *
 * @module
 */

/** What a terminal might obey, or show in another order; what is no character; line separators. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** The same but line ends and tabs. */
const UNSAFE_IN_LINES = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu;

/** What is escaped. */
export interface EscapeControlsOptions {
  /**
   * Keep line ends and tabs.
   *
   * @default {false}
   */
  keepLines?: boolean;
}

/**
 * Text in which everything that a terminal might obey is written as `\u{1b}`. Backslashes stay as they
 * are, so that doing it twice changes nothing more; where that matters, there is `escape.ts`.
 *
 * @param text Anything.
 * @param options What is escaped.
 */
export function escapeControls(text: string, options: EscapeControlsOptions = {}): string {
  return text.replace(
    options.keepLines ? UNSAFE_IN_LINES : UNSAFE,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
