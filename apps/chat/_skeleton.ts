/** What a text looks like: Unicode's technical standard 39, section 4. @module */
import confusables from "./_confusables.json" with { type: "json" };
import { isAscii } from "./_scripts.ts";

const IGNORED = /\p{Default_Ignorable_Code_Point}/gu;
/** A dot above an `i` or `j` does not show: they have one. */
const HIDDEN_DOT = /(\p{Soft_Dotted}\p{M}*?)\u0307/gu;

let prototypes: ReadonlyMap<string, string> | undefined; // made for the first text

/** The same for texts that look the same, not to be shown; for text in form NFKC. */
export function skeleton(text: string): string {
  const parts = isAscii(text)
    ? text
    : text.normalize("NFD").replace(IGNORED, "").replace(HIDDEN_DOT, "$1");
  const known = prototypes ??= new Map(
    Object.entries<string>(confusables).flatMap(([prototype, alike]) =>
      Array.from(alike, (character) => [character, prototype] as const)
    ),
  );
  return Array.from(parts, (character) => known.get(character) ?? character)
    .join("").normalize("NFD");
}
