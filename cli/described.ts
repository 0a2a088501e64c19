/** What completions need to know of the commands: taken from their options and their help. @module */
import type { Program } from "../terminal/program.ts";
import { type Command, loadProgram } from "./command.ts";

/** What stands behind an option. */
export type OptionValue = "none" | "file" | "folder" | "text" | readonly string[];

/** One option of a command. */
export interface DescribedOption {
  /** Its name without dashes. */
  readonly name: string;
  /** Its short name without the dash. */
  readonly short?: string | undefined;
  readonly value: OptionValue;
  /** What it does: its line in the help. */
  readonly summary: string;
}

/** One command. */
export interface DescribedCommand {
  readonly name: string;
  readonly summary: string;
  /** What may stand behind the name: `serve`, `client`. */
  readonly commands: readonly string[];
  readonly options: readonly DescribedOption[];
  /** Whether it takes names of files. */
  readonly takesFiles: boolean;
}

/** All commands with all their options. */
export async function describeCommands(
  commands: readonly Command[],
): Promise<DescribedCommand[]> {
  return await Promise.all(commands.map(async (command) => {
    const programs = [await loadProgram(command)];
    if (command.loadUdp !== undefined) programs.push(await command.loadUdp());
    const options = new Map<string, DescribedOption>();
    for (const program of programs) {
      for (const option of describeOptions(program)) {
        if (!options.has(option.name)) options.set(option.name, option);
      }
    }
    return {
      name: command.name,
      summary: command.summary,
      commands: [...new Set(programs.flatMap(({ commands = [] }) => commands))],
      options: [...options.values()],
      takesFiles: programs.some(({ help }) => /^Usage:[^]*? (?:DIR|FILE)\b[^]*?\n\n/m.test(help)),
    };
  }));
}

/** The options of a program with their lines in the help. */
export function describeOptions(program: Program): DescribedOption[] {
  const { string = [], collect = [], boolean = [], alias = {}, values = {}, help } = program;
  const shorts: Readonly<Record<string, string>> = { help: "h", ...alias };
  const describe = (name: string, takesValue: boolean): DescribedOption => {
    const { placeholder, summary } = readHelp(help, name);
    const value = takesValue ? values[name] ?? valueOf(placeholder) : "none";
    return { name, short: shorts[name], value, summary };
  };
  return [
    ...[...string, ...collect].map((name) => describe(name, true)),
    ...[...boolean, "help"].map((name) => describe(name, false)),
  ];
}

/** The line of an option in the help, such as `-o, --output FILE  where it goes`. */
function readHelp(help: string, name: string): { placeholder: string; summary: string } {
  const line = new RegExp(`^ +(?:-\\w, )?--${name}(?: ('[^']*'|\\S+))?(?: {2,}| *\\n +)(.*)$`, "m");
  const [, placeholder = "", summary = ""] = line.exec(help) ?? [];
  return { placeholder, summary: summary.trim() };
}

function valueOf(placeholder: string): OptionValue {
  if (/^(?:FILE|PATH)\b/.test(placeholder)) return "file";
  return placeholder.startsWith("DIR") ? "folder" : "text";
}
