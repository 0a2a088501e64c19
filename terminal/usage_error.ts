/** How programs fail. Exit codes: 1 failed, 2 wrong usage. @module */
import { printNote } from "./output.ts";

/** The arguments were wrong; the message says which and how. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Refuses options that make no sense together: the first with any of the others. */
export function refuseTogether(values: Readonly<Record<string, unknown>>): void {
  const [first, ...others] = Object.keys(values);
  const other = others.find((name) => values[name]);
  if (first !== undefined && values[first] && other !== undefined) {
    throw new UsageError(`Cannot use --${other} with --${first}`);
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
