/**
 * Writes `apps/chat/_confusables.ts`: which characters look like which, from Unicode's confusables.txt
 * as the package `unhomoglyph` has it. The package itself is no dependency of what ships.
 *
 *     deno run --allow-write=apps/chat tools/confusables.ts
 */
import table from "unhomoglyph/data.json" with { type: "json" };
import { isLiving } from "../apps/chat/_scripts.ts";

const WIDTH = 96;

/**
 * The table in the form that `apps/chat/_skeleton.ts` reads: a line for each prototype, with the code
 * points of those that look like it, as differences in base 36.
 *
 * Left out is what no name can have when its skeleton is made: characters of historic scripts, and those
 * that Unicode's form NFKC replaces.
 */
export function confusables(): string {
  const groups = new Map<string, number[]>();
  for (const [character, prototype] of Object.entries<string>(table)) {
    if (!isLiving(character) || character.normalize("NFKC").normalize("NFD") !== character) {
      continue;
    }
    const code = character.codePointAt(0) ?? 0;
    groups.set(prototype, [...groups.get(prototype) ?? [], code]);
  }
  return Array.from(groups, ([prototype, codes]) => {
    const points = Array.from(prototype, (character) => base36(character.codePointAt(0) ?? 0));
    const sorted = codes.sort((a, b) => a - b);
    const steps = sorted.map((code, index) => base36(code - (sorted[index - 1] ?? 0)));
    return `${points.join("+")}=${steps.join(",")}`;
  }).sort().join(" ");
}

function base36(value: number): string {
  return value.toString(36);
}

/** The module's text. */
function moduleOf(groups: string): string {
  const lines: string[] = [];
  for (const group of groups.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + group.length >= WIDTH) lines.push(group);
    else lines[lines.length - 1] = `${last} ${group}`;
  }
  return `/**
 * Which characters look like which. Written by tools/confusables.ts: change that instead.
 *
 * From Unicode's confusables.txt, version 13.0 (Unicode's technical standard 39; data under the Unicode
 * Licence), as the package unhomoglyph 1.0.6 (MIT) has it.
 *
 * @module
 */

/** Groups, set apart by blanks: the prototype's code points, \`=\`, those that look like it. */
export const CONFUSABLES = \`
${lines.join("\n")}
\`;
`;
}

if (import.meta.main) {
  const path = new URL("../apps/chat/_confusables.ts", import.meta.url);
  await Deno.writeTextFile(path, moduleOf(confusables()));
}
