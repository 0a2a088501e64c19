// The part of @std/cli this repository uses, typed; the code is the standard library's own.
import * as lib from "npm:deno-std@1.4.0/cli/parse_args.js";

/** The options of `parseArgs` that the programs use. */
export interface ParseOptions {
  boolean?: readonly string[];
  string?: readonly string[];
  collect?: readonly string[];
  negatable?: readonly string[];
  alias?: Record<string, string | readonly string[]>;
  default?: Record<string, unknown>;
  stopEarly?: boolean;
  "--"?: boolean;
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What `parseArgs` answers: positional arguments under `_`, options by name. */
export interface Args {
  _: (string | number)[];
  [name: string]: unknown;
}

export const parseArgs: (args: readonly string[], options?: ParseOptions) => Args = lib.parseArgs;
