/**
 * Suggestions for words that a program does not know.
 *
 * @module
 */

/** So many letters of a word may be wrong for each mistake that is assumed: one of three to five. */
const LETTERS_PER_MISTAKE = 3;
/** More mistakes than this are another word, however long it is. */
const MAX_MISTAKES = 2;
/** A word this long is completed if only one known word begins with it. */
const MIN_PREFIX = 3;

/**
 * What programs that do similar things call the options: `nc`, `curl`, `ssh`. One letter is too
 * little to guess from, so the others have no suggestion.
 */
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

/**
 * `, did you mean …?`, or nothing, for a word that is not known. A known word is meant if the given
 * one is the beginning of it alone, or differs from it by one mistake for every three letters: a
 * letter too many, too few or wrong, or two letters that changed places.
 *
 * @param word What was given.
 * @param known What there is.
 * @param prefix What stands before a suggestion.
 */
export function nearest(word: string, known: readonly string[], prefix = "--"): string {
  const best = word.length === 1 ? usual(word, known) : completed(word, known) ??
    closest(word, known);
  return best === undefined ? "" : `, did you mean ${prefix}${best}?`;
}

function usual(letter: string, known: readonly string[]): string | undefined {
  return USUAL_LETTERS[letter]?.find((name) => known.includes(name));
}

function completed(word: string, known: readonly string[]): string | undefined {
  if (word.length < MIN_PREFIX) return undefined;
  const names = known.filter((name) => name.startsWith(word));
  return names.length === 1 ? names[0] : undefined;
}

function closest(word: string, known: readonly string[]): string | undefined {
  const limit = Math.min(MAX_MISTAKES, Math.floor(word.length / LETTERS_PER_MISTAKE));
  const [best] = known
    .map((name) => ({ name, distance: editDistance(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return best?.name;
}

/** The Damerau-Levenshtein distance, for letters that change places once. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const before = rows[i - 1] as number[];
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (before[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min(replaced, (before[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, (rows[i - 2]?.[j - 2] ?? 0) + 1);
      }
      row.push(distance);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}
