/** Which names people may have in a room, and which names are the same. @module */

/** Characters in a name, unless said otherwise: more does not fit in front of a message. */
export const DEFAULT_MAX_NAME_LENGTH = 32;

/** What {@linkcode checkChatName} found. */
export type ChatNameCheck =
  | {
    /** The name can be used. */
    readonly ok: true;
    /** The name as it is shown: in Unicode's form NFC, without blanks around it. */
    readonly name: string;
    /** What is the same for two names that nobody could tell apart. */
    readonly key: string;
  }
  | {
    /** The name cannot be used. */
    readonly ok: false;
    /** Why, as a part of a sentence: `the name is empty`. */
    readonly reason: string;
  };

/** Blanks of every kind, those included that Unicode counts as letters or symbols. */
const BLANK = "[\\p{Z}\\t\\u115f\\u1160\\u2800\\u3164\\ufeff\\uffa0]";
const OUTER_BLANKS = new RegExp(`^${BLANK}+|${BLANK}+$`, "gu");
const INNER_BLANKS = new RegExp(`${BLANK}+`, "gu");

/** Joiners and variation selectors are part of emoji and of some alphabets, but can't be seen. */
const UNSEEN_PARTS = /[\u200c\u200d\ufe0e\ufe0f]/gu;
const INVISIBLE = /[\p{Cf}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}]/u;
const ALL_INVISIBLE = new RegExp(INVISIBLE.source, "gu");
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;

/** Alphabets whose letters look like those of another: `a` is Latin, `\u0430` is Cyrillic. */
const LOOKALIKES: readonly (readonly [string, RegExp])[] = [
  ["Latin", /\p{Script=Latin}/u],
  ["Greek", /\p{Script=Greek}/u],
  ["Cyrillic", /\p{Script=Cyrillic}/u],
  ["Armenian", /\p{Script=Armenian}/u],
  ["Cherokee", /\p{Script=Cherokee}/u],
];

/** How to check a name. */
export interface ChatNameOptions {
  /**
   * The longest name, in characters (Unicode code points).
   *
   * @default {32}
   */
  maxLength?: number;
}

/**
 * Checks a name that somebody wants to have in a room.
 *
 * A name is one word that can be seen: no blanks in it, no control or invisible characters, none of
 * `< > [ ]`, not `*` or `/` at its beginning, because these tell the lines of a room apart; and no
 * letters of alphabets that look alike in one name. Blanks around it are dropped.
 *
 * Two names are the same if their `key` is: it ignores case, width and how characters are composed
 * (Unicode's NFKC with case folding).
 *
 * @param text What was typed.
 * @param options The longest name.
 * @returns The name and its key, or why it cannot be used.
 *
 * @example
 * ```ts
 * import { checkChatName } from "@tincan/net/chat";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const zoe = checkChatName("  Zoe\u0308 ");
 * const capitals = checkChatName("ZO\u00cb");
 * assert(zoe.ok && capitals.ok);
 * assertEquals(zoe.name, "Zo\u00eb");
 * assertEquals(zoe.key, capitals.key);
 * assertEquals(checkChatName(" \u3000 "), { ok: false, reason: "the name is empty" });
 * ```
 */
export function checkChatName(text: string, options: ChatNameOptions = {}): ChatNameCheck {
  const { maxLength = DEFAULT_MAX_NAME_LENGTH } = options;
  // Nothing longer than this can become short enough, and what is short is cheap to look at.
  if (text.length > 64 * maxLength) return refuse(tooLong(maxLength));
  const name = text.normalize("NFC").replace(OUTER_BLANKS, "");
  if (name === "") return refuse("the name is empty");
  if (/\p{Cc}/u.test(name)) return refuse("the name has control characters in it");
  if (name.includes("\ufffd")) return refuse("the name is not UTF-8");
  if ([...name].length > maxLength) return refuse(tooLong(maxLength));
  const joined = name.replace(INNER_BLANKS, "_");
  if (joined !== name) return refuse(`a name is one word, such as ${joined}`);
  const seen = name.replace(UNSEEN_PARTS, "");
  if (INVISIBLE.test(seen)) return refuse("the name has invisible characters in it");
  if (!VISIBLE.test(seen)) return refuse("the name has nothing in it that can be seen");
  if (/^[*/]|[<>[\]]/.test(name)) {
    return refuse("a name has none of < > [ ] in it and neither * nor / at its beginning");
  }
  const scripts = LOOKALIKES.filter(([, script]) => script.test(name)).map(([label]) => label);
  if (scripts.length > 1) return refuse(`the name mixes ${scripts.join(" and ")} letters`);
  return { ok: true, name, key: chatNameKey(name) };
}

/** What is the same for names that differ in case, width, composition or invisible parts only. */
export function chatNameKey(name: string): string {
  // Upper case first, so that the letters with one capital and two small forms become the same.
  const folded = name.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
  return folded.replace(ALL_INVISIBLE, "");
}

function refuse(reason: string): ChatNameCheck {
  return { ok: false, reason };
}

function tooLong(maxLength: number): string {
  return `the name is longer than ${maxLength} characters`;
}
