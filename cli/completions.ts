/** `tincan completions`: the script that a shell needs to complete command lines of tincan. @module */
import { bash, fish, type ShellCompletion, zsh } from "@optique/core/completion";
import { operand, section, UsageError } from "../terminal/arguments.ts";
import { defineProgram, printData } from "../terminal/program.ts";
import { oneOf } from "../terminal/values.ts";

/** The shells that can be served. */
export const SHELLS: Readonly<Record<string, ShellCompletion>> = { bash, zsh, fish };

const fields = section("Arguments", {
  shell: operand(oneOf(Object.keys(SHELLS), "SHELL"), "bash, zsh or fish"),
});

/** What it is called, takes and does. */
export const program = defineProgram({
  name: "tincan completions",
  summary: "Prints what a shell needs to complete the commands and options of tincan.",
  usage: [Object.keys(SHELLS).join("|")],
  fields,
  notes:
    "On the tab key the shell asks tincan, which answers from the descriptions of its commands.",
  examples: [
    'eval "$($0 bash)"     # in ~/.bashrc',
    'eval "$($0 zsh)"      # in ~/.zshrc, after compinit',
    "$0 fish | source      # in ~/.config/fish/config.fish",
  ],
  async main({ shell = "" }) {
    const generator = SHELLS[shell];
    if (generator === undefined) throw new UsageError("Expected bash or zsh or fish");
    await printData(generator.generateScript("tincan", ["completions", shell]));
  },
});
