/**
 * The known word that a misspelt one is closest to.
 *
 * @module
 */

/** One mistake is assumed for so many letters. */
const LETTERS_PER_MISTAKE = 3;
/** More mistakes make another word, however long it is. */
const MAX_MISTAKES = 2;

/**
 * The known word that differs least from `word`: by one mistake for every three letters, and by two at
 * most. A mistake is a letter too many, too few or wrong, or two letters that changed places.
 *
 * @returns The closest word, or `undefined` if none is close.
 */
export function closest(word: string, known: readonly string[]): string | undefined {
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
