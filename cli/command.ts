/** What a command is, and how its program is loaded. @module */
import type { Program } from "../terminal/program.ts";

/** One command. Programs are loaded when they are called: starting stays quick. */
export interface Command {
  /** What it is called: `tincan NAME`. */
  readonly name: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** The program. */
  readonly load: () => Promise<Program>;
  /** The program that is called with `--udp`, if that is another one. */
  readonly loadUdp?: () => Promise<Program>;
}

/**
 * Loads the program of a command.
 *
 * @param command The command.
 * @param isUdp Whether it was called with `--udp`.
 * @returns The program; where `--udp` chooses another one, its help says so.
 */
export async function loadProgram(
  { name, load, loadUdp }: Command,
  isUdp = false,
): Promise<Program> {
  if (isUdp && loadUdp !== undefined) return await loadUdp();
  const program = await load();
  if (loadUdp === undefined) return program;
  const udp = `Over UDP:\n  --udp  another program: see tincan ${name} --udp --help\n`;
  return {
    ...program,
    help: program.help.replace("\nExamples:", () => `\n${udp}\nExamples:`),
    boolean: [...program.boolean ?? [], "udp"],
  };
}
