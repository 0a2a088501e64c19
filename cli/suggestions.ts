/** What completes a command line of tincan: the answers that the scripts of the shells ask for. @module */
import { type Suggestion, suggestSync } from "@optique/core/parser";
import { plain } from "../terminal/values.ts";
import { COMMANDS, loadProgram } from "./commands.ts";
import { SHELLS } from "./completions.ts";

/** What may be given instead of a command. */
const OTHERS = [
  { name: "help", summary: "show what a command takes" },
  { name: "--help", summary: "show the commands" },
  { name: "--version", summary: "print the version" },
];

/**
 * What completes a command line, in the form that the script of a shell reads.
 *
 * @param shell The shell.
 * @param words The words after `tincan`; the last one is to be completed.
 */
export async function answer(shell: string, words: readonly string[]): Promise<string> {
  return [...SHELLS[shell]?.encodeSuggestions(await suggest(words)) ?? []].join("");
}

async function suggest([first = "", ...rest]: readonly string[]): Promise<readonly Suggestion[]> {
  if (rest.length === 0) return names(first, [...COMMANDS, ...OTHERS]);
  if (first === "help") return names(rest.at(-1) ?? "", COMMANDS);
  const command = COMMANDS.find(({ name }) => name === first);
  if (command === undefined) return [];
  const { program, args: [word = "", ...words] } = await loadProgram(command, rest);
  const found = suggestSync(program.parser, [word, ...words]);
  // Where a command can stand, files cannot.
  const isWord = (suggestion: Suggestion) =>
    suggestion.kind === "literal" && !suggestion.text.startsWith("-");
  return found.some(isWord) ? found.filter(isWord) : found;
}

function names(
  prefix: string,
  known: readonly { readonly name: string; readonly summary: string }[],
): Suggestion[] {
  return known
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name, summary }) => ({ kind: "literal", text: name, description: plain(summary) }));
}
