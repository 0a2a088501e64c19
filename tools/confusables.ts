/**
 * Writes `apps/chat/_confusables.json`: which characters look like which, from Unicode's confusables.txt,
 * version 13.0 (Unicode's technical standard 39; data under the Unicode Licence), as the package
 * unhomoglyph 1.0.6 (MIT) has it. The package itself is no dependency of what ships.
 *
 *     deno run --allow-write=apps/chat tools/confusables.ts
 */
import table from "unhomoglyph/data.json" with { type: "json" };
import { isLiving } from "../apps/chat/_scripts.ts";

/** What would not show by itself, or would change how the rest of the line looks. */
const UNSHOWN = /[\p{M}\p{C}\p{Z}]/gu;

/**
 * The table that `apps/chat/_skeleton.ts` reads: for each prototype the characters that look like it.
 *
 * Left out is what no name can have when its skeleton is made: characters of historic scripts, and those
 * that Unicode's form NFKC replaces.
 */
export function confusables(): Record<string, string> {
  const groups: Record<string, string> = {};
  for (const [character, prototype] of Object.entries<string>(table).sort()) {
    if (isLiving(character) && character.normalize("NFKC").normalize("NFD") === character) {
      groups[prototype] = (groups[prototype] ?? "") + character;
    }
  }
  return groups;
}

/** The text of the file. */
function format(groups: Record<string, string>): string {
  const sorted = Object.fromEntries(Object.entries(groups).sort());
  return JSON.stringify(sorted, null, 2).replaceAll(UNSHOWN, escape) + "\n";
}

function escape(character: string): string {
  if (/[\n ]/.test(character)) return character;
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

if (import.meta.main) {
  const path = new URL("../apps/chat/_confusables.json", import.meta.url);
  await Deno.writeTextFile(path, format(confusables()));
}
