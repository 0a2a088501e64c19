/** What a text looks like: Unicode's technical standard 39, section 4. @module */
import { CONFUSABLES } from "./_confusables.ts";
import { isAscii } from "./_scripts.ts";

const IGNORED = /\p{Default_Ignorable_Code_Point}/gu;
/** A dot above an `i` or `j` does not show: they have one. */
const HIDDEN_DOT = /(\p{Soft_Dotted}\p{M}*?)\u0307/gu;

let prototypes: ReadonlyMap<string, string> | undefined; // read for the first text

/** The same for texts that look the same, not to be shown; for text in form NFKC. */
export function skeleton(text: string): string {
  const parts = isAscii(text)
    ? text
    : text.normalize("NFD").replace(IGNORED, "").replace(HIDDEN_DOT, "$1");
  const known = prototypes ??= readPrototypes();
  return Array.from(parts, (character) => known.get(character) ?? character)
    .join("").normalize("NFD");
}

function readPrototypes(): ReadonlyMap<string, string> {
  const read = new Map<string, string>();
  for (const group of CONFUSABLES.trim().split(/\s+/)) {
    const [points = "", steps = ""] = group.split("=");
    const prototype = points.split("+").map((point) => String.fromCodePoint(parse(point))).join("");
    let code = 0;
    for (const step of steps.split(",")) {
      code += parse(step);
      read.set(String.fromCodePoint(code), prototype);
    }
  }
  return read;
}

function parse(digits: string): number {
  return parseInt(digits, 36);
}
