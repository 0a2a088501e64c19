/** Suggestions for words that a program does not know. @module */
import { closest } from "../common/closest.ts";

/** What similar programs call these options: `nc`, `curl`, `ssh`. One letter is too little to guess from. */
const USUAL_LETTERS: Readonly<Record<string, readonly string[]>> = {
  i: ["include", "timeout"],
  k: ["keep-open", "insecure"],
  o: ["output"],
  p: ["port"],
  q: ["quit"],
  t: ["timeout"],
  u: ["udp"],
  U: ["unix"],
  v: ["verbose"],
  w: ["timeout"],
  x: ["hex"],
};

/** A word this long is completed if only one known word begins with it. */
const MIN_PREFIX = 3;

/**
 * `, did you mean …?`, or nothing, for a word that is not known: the known word that begins with it, or
 * the one that is closest to it.
 *
 * @param word What was given.
 * @param known What there is.
 * @param prefix What stands before a suggestion.
 */
export function nearest(word: string, known: readonly string[], prefix = ""): string {
  const best = word.length === 1
    ? USUAL_LETTERS[word]?.find((name) => known.includes(name))
    : completed(word, known) ?? closest(word, known);
  return best === undefined ? "" : `, did you mean ${prefix}${best}?`;
}

function completed(word: string, known: readonly string[]): string | undefined {
  const longer = word.length < MIN_PREFIX ? [] : known.filter((name) => name.startsWith(word));
  return longer.length === 1 ? longer[0] : undefined;
}
