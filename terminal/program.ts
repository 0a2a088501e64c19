/**
 * What all programs of this project have in common: how they are described, how they report, and how
 * they end. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
 *
 * @module
 */
import type { DocPage } from "@optique/core/doc";
import { getDocPageSync } from "@optique/core/parser";
import {
  type Field,
  type Fields,
  parseArguments,
  parserOf,
  section,
  toggle,
  UsageError,
  type Values,
} from "./arguments.ts";
import { printData, printNote } from "./output.ts";

export { abortOnInterrupt, onInterrupt, type Served, serveUntilInterrupted } from "./interrupt.ts";
export { foreignPrinter, printData, printNote, statusLine } from "./output.ts";
export { UsageError, type Values } from "./arguments.ts";

/** What a program is called, what it takes, and what it does. */
export interface ProgramDescription<F extends Fields> {
  /** What it is called unless it is a part of another program. */
  name: string;
  /** What it does, in a sentence or two. */
  summary: string;
  /** What stands after its name, one form in each line. */
  usage: readonly string[];
  /** Its arguments and options. Every program has `--help` besides. */
  fields: F;
  /** What else the help says. */
  notes?: string | undefined;
  /** Command lines, in which `$0` stands for the name of the program. */
  examples: readonly string[];
  /** What to say of options that other programs have and this one does not, by their names. */
  hints?: Readonly<Record<string, string>> | undefined;
  /** What it does with its arguments. */
  main(values: Values<F>): Promise<void>;
}

/** A program. */
export interface Program {
  /** Its arguments and options, for those who complete command lines. */
  readonly parser: Field<unknown>;
  /** Its help, by the name it was called. */
  help(calledAs?: string): Promise<string>;
  /**
   * Runs it.
   *
   * @throws {UsageError} If the arguments are wrong.
   */
  run(args: readonly string[], calledAs?: string): Promise<void>;
}

const HELP = toggle("-h, --help", "show this text");

/** Makes a program from its description. */
export function defineProgram<F extends Fields>(description: ProgramDescription<F>): Program {
  const { name, fields, hints, main } = description;
  const parser = parserOf<F & { help: typeof HELP }>({ ...fields, help: HELP }, hints);
  const help = (calledAs = name) => helpOf(description, calledAs);
  return {
    parser,
    help,
    async run(args, calledAs) {
      const values = parseArguments(parser, args);
      if (values.help) await printData(await help(calledAs));
      else await main(values);
    },
  };
}

async function helpOf<F extends Fields>(
  { summary, usage, fields, notes, examples }: ProgramDescription<F>,
  calledAs: string,
): Promise<string> {
  const { formatDocPage } = await import("@optique/core/doc");
  const shown = parserOf({ ...fields, ...section("Help", { help: HELP }) });
  const { sections } = getDocPageSync(shown) as DocPage;
  const page = formatDocPage(calledAs, { sections }, { maxWidth: 100, termWidth: "auto" });
  const options = page.split("\n").map((line) => line.trimEnd()).join("\n");
  const blocks = [
    summary,
    usage.map((line, index) => `${index === 0 ? "Usage:" : "      "} ${calledAs} ${line}`).join(
      "\n",
    ),
    options.replace(/^\n+/, "").trimEnd(),
    ...notes === undefined ? [] : [notes.trim()],
    `Examples:\n${examples.map((line) => `  ${line.replaceAll("$0", calledAs)}`).join("\n")}`,
  ];
  return blocks.join("\n\n") + "\n";
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

/** Says in one line what went wrong, and ends the process. */
export function fail(error: unknown, calledAs?: string): never {
  const message = error instanceof Error ? error.message : String(error);
  printNote(message.replace(/\s*\n\s*/g, " ")); // a peer's words may be in it
  if (!(error instanceof UsageError)) Deno.exit(1);
  printNote(calledAs === undefined ? "Try --help" : `Try ${calledAs} --help`);
  Deno.exit(2);
}
