/**
 * A part of a JSON text, as it was written.
 *
 * @module
 */

/** The parts of JSON: a string, a bracket, a comma or colon, a number or word; and what is between. */
const PART = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s"{}[\],:]+|\s+/gy;

/**
 * The text of a member of an object, as it was written: of several with the same name, the last one.
 *
 * @param json An object as JSON, checked by `JSON.parse`.
 * @param name The name of the member.
 * @returns Its text; `undefined` if there is none.
 */
export function memberText(json: string, name: string): string | undefined {
  let found: string | undefined;
  let depth = 0;
  let key: string | undefined; // what the string just read would be, if a colon follows
  let begin = -1; // of the member that is being read
  PART.lastIndex = 0;
  for (let match = PART.exec(json); match !== null; match = PART.exec(json)) {
    const [part] = match;
    if (depth === 1 && begin >= 0 && (part === "," || part === "}")) {
      found = json.slice(begin, match.index).trim();
      begin = -1;
    }
    if (part === "{" || part === "[") depth++;
    else if (part === "}" || part === "]") depth--;
    else if (depth !== 1 || begin >= 0) continue;
    else if (part === ":" && key === name) begin = PART.lastIndex;
    else if (part.startsWith('"')) key = JSON.parse(part);
    else if (part === ",") key = undefined;
  }
  return found;
}
