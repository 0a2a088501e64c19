/** Suggestions for words that a program does not know. @module */
import { closest } from "../common/closest.ts";

/** A word this long is completed if only one known word begins with it. */
const MIN_PREFIX = 3;

/**
 * `, did you mean …?`, or nothing, for a word that is not known: the known word that begins with it, or
 * the one that is closest to it.
 */
export function nearest(word: string, known: readonly string[], prefix = ""): string {
  const longer = word.length < MIN_PREFIX ? [] : known.filter((name) => name.startsWith(word));
  const best = longer.length === 1 ? longer[0] : closest(word, known);
  return best === undefined ? "" : `, did you mean ${prefix}${best}?`;
}
