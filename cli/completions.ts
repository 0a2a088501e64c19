/** `tincan completions`: what a shell needs to complete a command line of tincan. @module */
import { printData, type Program } from "../terminal/program.ts";
import type { Command } from "./command.ts";
import { bashCompletions } from "./completions_bash.ts";
import { fishCompletions } from "./completions_fish.ts";
import { zshCompletions } from "./completions_zsh.ts";
import { describeCommands } from "./described.ts";

const SHELLS = new Map([
  ["bash", bashCompletions],
  ["zsh", zshCompletions],
  ["fish", fishCompletions],
]);

/**
 * Makes the program.
 *
 * @param all The commands to complete.
 */
export function completions(all: readonly Command[]): Program {
  return {
    name: "tincan completions",
    help: `Prints what a shell needs to complete the commands and options of tincan.

Usage: tincan completions bash|zsh|fish

Options:
  -h, --help  show this text

Examples:
  eval "$(tincan completions bash)"     # in ~/.bashrc
  eval "$(tincan completions zsh)"      # in ~/.zshrc, behind compinit
  tincan completions fish | source      # in ~/.config/fish/config.fish
`,
    commands: [...SHELLS.keys()],
    needsCommand: true,
    async main({ command }) {
      const generate = SHELLS.get(command);
      if (generate !== undefined) await printData(generate(await describeCommands(all)));
    },
  };
}
