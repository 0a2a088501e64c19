/**
 * What all programs of this project have in common: how they are described, how they report, and how
 * they end. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
 *
 * @module
 */
import type { DocPage, DocSection } from "@optique/core/doc";
import { getDocPageSync } from "@optique/core/parser";
import {
  type Field,
  type Fields,
  parseArguments,
  parserOf,
  section,
  toggle,
  type Values,
} from "./arguments.ts";
import { printData } from "./output.ts";
import { fail } from "./usage_error.ts";

export { abortOnInterrupt, onInterrupt, type Served, serveUntilInterrupted } from "./interrupt.ts";
export { foreignPrinter, printData, printNote, statusLine } from "./output.ts";
export type { Values } from "./arguments.ts";
export { fail, UsageError } from "./usage_error.ts";

/** What a program is called, what it takes, and what it does. */
export interface ProgramDescription<F extends Fields> {
  /** What it is called unless it is a part of another program. */
  name: string;
  /** What it does, in a sentence or two. */
  summary: string;
  /** Its forms, without its name. */
  usage: readonly string[];
  /** Its arguments and options. Every program has `--help` besides. */
  fields: F;
  /** More text for the help. */
  notes?: string | undefined;
  /**
   * What the exit codes mean.
   *
   * @default {"0 done; 1 failed; 2 wrong usage; 130 interrupted"}
   */
  exitCodes?: string | undefined;
  /** Command lines, in which `$0` stands for the name of the program. */
  examples: readonly string[];
  /** Hints for options that other programs have and this one does not, by their names. */
  hints?: Readonly<Record<string, string>> | undefined;
  /** What it does with its arguments. */
  main(values: Values<F>): Promise<void>;
}

/** A program. */
export interface Program {
  /** Its arguments and options, for the completion of command lines. */
  readonly parser: Field<unknown>;
  /** The same program with more options, which it does not look at. */
  with(fields: Fields): Program;
  /** Its help, by the name it was called. */
  help(calledAs?: string): Promise<string>;
  /**
   * Runs it.
   *
   * @throws {UsageError} If the arguments are wrong.
   */
  run(args: readonly string[], calledAs?: string): Promise<void>;
}

/** The heading that stands first. */
const ARGUMENTS = "Arguments";

const HELP = toggle("-h, --help", "show this text");

/** Makes a program from its description. */
export function defineProgram<F extends Fields>(description: ProgramDescription<F>): Program {
  const { name, fields, hints, main } = description;
  const parser = parserOf<F & { help: typeof HELP }>({ ...fields, help: HELP }, hints);
  const help = (calledAs = name) => helpOf(description, calledAs);
  return {
    parser,
    help,
    with: (more) => defineProgram<F>({ ...description, fields: { ...fields, ...more } }),
    async run(args, calledAs) {
      const values = parseArguments(parser, args);
      if (values.help) await printData(await help(calledAs));
      else await main(values);
    },
  };
}

async function helpOf<F extends Fields>(
  description: ProgramDescription<F>,
  calledAs: string,
): Promise<string> {
  const { summary, usage, fields, notes, examples } = description;
  const { exitCodes = "0 done; 1 failed; 2 wrong usage; 130 interrupted" } = description;
  const { formatDocPage } = await import("@optique/core/doc");
  const shown = parserOf({ ...fields, ...section("Help", { help: HELP }) });
  const page = getDocPageSync(shown) as DocPage;
  const isFirst = ({ title }: DocSection) => title === ARGUMENTS;
  const sections = page.sections.toSorted((a, b) => Number(isFirst(b)) - Number(isFirst(a)));
  const options = formatDocPage(calledAs, { sections }, { maxWidth: 100, termWidth: "auto" });
  const forms = usage.map((form) => `${calledAs} ${form}`);
  const blocks = [
    summary,
    `Usage: ${forms.join("\n       ")}`,
    options.replaceAll(/ +$/gm, "").replace(/^\n+/, "").trimEnd(),
    notes,
    `Exit codes: ${exitCodes}.`,
    `Examples:\n${examples.map((line) => `  ${line.replaceAll("$0", calledAs)}`).join("\n")}`,
  ];
  return blocks.filter((block) => block !== undefined).join("\n\n") + "\n";
}

/**
 * Runs a program and ends the process when it fails.
 *
 * @param program The program.
 * @param args Its arguments.
 * @param calledAs What to call it, if it is a part of another program: `tincan echo`.
 */
export async function runProgram(
  program: Program,
  args: readonly string[] = Deno.args,
  calledAs?: string,
): Promise<void> {
  try {
    await program.run(args, calledAs);
  } catch (error) {
    fail(error, calledAs);
  }
}
