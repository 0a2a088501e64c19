/** Which names people may have in a room, which are the same, and which look alike. @module */
import { isAscii, mixedScripts } from "./_scripts.ts";
import { skeleton } from "./_skeleton.ts";

/** What {@linkcode checkChatName} found. */
type ChatNameCheck =
  | {
    /** The name can be used. */
    readonly ok: true;
    /** The name as it is shown: in Unicode's form NFC, without blanks around it. */
    readonly name: string;
    /** Equal for names that differ only in case, width, composition or invisible parts. */
    readonly key: string;
    /** What the name looks like. Two names that share one of these are hard to tell apart. */
    readonly looks: readonly string[];
  }
  | {
    /** The name cannot be used. */
    readonly ok: false;
    /** Why, as a part of a sentence: `the name is empty`. */
    readonly reason: string;
  };

/**
 * Blanks of every kind, those included that Unicode counts as letters or symbols: fillers, the blank
 * of Braille, of hieroglyphs, of musical and of sign notation, and the place of an object.
 */
const BLANK = "[\\p{Z}\\t\\u115f\\u1160\\u2800\\u3164\\ufeff\\uffa0\\ufffc" +
  "\\u{13441}\\u{13442}\\u{16fe4}\\u{1d159}\\u{1da7f}\\u{1da80}]";
const ONE_BLANK = new RegExp(`^${BLANK}$`, "u");
const ANY_BLANK = new RegExp(BLANK, "u");
const INNER_BLANKS = new RegExp(`${BLANK}+`, "gu");

/** Joiners and variation selectors are part of emoji and of some alphabets, but can't be seen. */
const UNSEEN_PARTS = /[\u200c\u200d\ufe0e\ufe0f]/gu;
const INVISIBLE = /[\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}]/u;
const ALL_INVISIBLE = new RegExp(INVISIBLE.source, "gu");
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;

/** Marks on one letter: no living language needs more (Unicode's technical standard 39, section 5.4). */
const MAX_MARKS = 4;
const STACKED_MARKS = new RegExp(`[\\p{Mn}\\p{Me}]{${MAX_MARKS + 1}}|([\\p{Mn}\\p{Me}])\\1`, "u");

/**
 * Checks a name for a room.
 *
 * A name is one word that can be seen: no blanks in it, no control or invisible characters, no piles of
 * combining marks, none of `< > [ ]`, not `*` or `/` at its beginning, because these tell the lines of a
 * room apart; and one writing system, because letters of another imitate its own (Unicode's technical
 * standard 39, "highly restrictive"). Blanks around it are dropped.
 *
 * Two names are the same if their `key` is: it ignores case, width and how characters are composed
 * (Unicode's NFKC with case folding). Two names look alike if they have one of `looks` in common: these
 * are the skeletons of the name as it is, in small and in capital letters, after Unicode's table of
 * confusable characters.
 *
 * @param text What was typed.
 * @param maxLength The longest name, in characters (Unicode code points).
 * @returns The name and its key, or why it cannot be used.
 */
export function checkChatName(text: string, maxLength: number): ChatNameCheck {
  // Nothing longer than this can become short enough, and what is short is cheap to look at.
  if (text.length > 64 * maxLength) return refuse(tooLong(maxLength));
  const name = trimBlanks(text.normalize("NFC"));
  if (name === "") return refuse("the name is empty");
  if (/\p{Cc}/u.test(name)) return refuse("the name has control characters in it");
  if (name.includes("\ufffd")) return refuse("the name is not UTF-8");
  if ([...name].length > maxLength) return refuse(tooLong(maxLength));
  const joined = name.replace(INNER_BLANKS, "_");
  if (joined !== name) return refuse(`a name is one word, such as ${joined}`);
  const problem = imitation(name);
  if (problem !== undefined) return refuse(problem);
  if (/^[*/]|[<>[\]]/.test(name)) {
    return refuse("a name has none of < > [ ] in it and neither * nor / at its beginning");
  }
  return { ok: true, name, key: chatNameKey(name), looks: chatNameLooks(name) };
}

/** Why a word is hard to see or to tell from others; `undefined` if it is not. */
export function imitation(word: string): string | undefined {
  if (/^[!-~]+$/.test(word)) return undefined;
  const seen = word.replace(UNSEEN_PARTS, "");
  if (INVISIBLE.test(seen) || ANY_BLANK.test(seen)) {
    return "the name has invisible characters in it";
  }
  if (!VISIBLE.test(seen)) return "the name has nothing in it that can be seen";
  if (/^\p{M}/u.test(seen)) return "the name begins with a combining mark";
  if (STACKED_MARKS.test(seen.normalize("NFD"))) return "the name has too many marks on one letter";
  return mixedScripts(word);
}

/** Equal for names that differ only in case, width, composition or invisible parts. */
export function chatNameKey(name: string): string {
  if (isAscii(name)) return name.toLowerCase();
  // Upper case first, so that the letters with one capital and two small forms become the same.
  const folded = name.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
  return folded.replace(ALL_INVISIBLE, "");
}

/** What a name looks like, as it is, in small and in capital letters. */
export function chatNameLooks(name: string): string[] {
  const plain = name.normalize("NFKC");
  const forms = [plain, chatNameKey(name), plain.toUpperCase()];
  return [...new Set(forms.map(skeleton))];
}

/** The text without blanks around it. A pattern that ends in `$` would try each blank of a long run. */
function trimBlanks(text: string): string {
  const characters = [...text];
  let start = 0;
  let end = characters.length;
  while (start < end && ONE_BLANK.test(characters[start] as string)) start++;
  while (end > start && ONE_BLANK.test(characters[end - 1] as string)) end--;
  return characters.slice(start, end).join("");
}

function refuse(reason: string): ChatNameCheck {
  return { ok: false, reason };
}

function tooLong(maxLength: number): string {
  return `the name is longer than ${maxLength} characters`;
}
