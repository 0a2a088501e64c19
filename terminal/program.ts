/**
 * What all programs of this project have in common: how they read their arguments, how they report,
 * and how they end. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { printData, printNote } from "./output.ts";
import { nearest } from "./suggest.ts";

export { abortOnInterrupt, onInterrupt, type Served, serveUntilInterrupted } from "./interrupt.ts";
export { foreignPrinter, printData, printNote, statusLine } from "./output.ts";
export { nearest } from "./suggest.ts";

/** The arguments were wrong; the message says which and how. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The options a program understands. Every program has `--help` besides. */
export interface ProgramOptions {
  /** What `--help` prints. */
  help: string;
  /** The commands, the default one first. Without any, positional arguments are the program's own. */
  commands?: readonly string[];
  /** Whether a command must be given, because none of them is the usual one. */
  needsCommand?: boolean;
  /** Whether the commands take arguments of their own; they are in `rest`. */
  operands?: boolean;
  /** Options with a value. */
  string?: readonly string[];
  /** Options with a value that may be given several times. */
  collect?: readonly string[];
  /** Options without a value. */
  boolean?: readonly string[];
  /** Short names, such as `{ output: "o" }`. */
  alias?: Readonly<Record<string, string>>;
  /** What to say of options that other programs have and this one has not, by their names. */
  hints?: Readonly<Record<string, string>>;
  /** The values that options choose from, for those who complete command lines. */
  values?: Readonly<Record<string, readonly string[]>>;
}

/** A program: its name, what it understands, and what it does. */
export interface Program extends ProgramOptions {
  /** What it is called by in its help. */
  name: string;
  /** What it does with its arguments. */
  main(args: ProgramArguments): Promise<void>;
}

/** How a program was called. */
export interface RunOptions {
  /**
   * Its arguments.
   *
   * @default {Deno.args}
   */
  args?: readonly string[];
  /**
   * What to call it in its help, if it runs as a part of another program: `tincan echo`.
   *
   * @default {undefined} its own name
   */
  calledAs?: string;
}

/** The arguments a program was started with. */
export interface ProgramArguments {
  /** The command, if the program has commands. */
  command: string;
  /** What is neither a command nor an option. */
  rest: string[];
  /** The value of an option, `undefined` if it was not given. */
  text(name: string): string | undefined;
  /** All values of an option. */
  texts(name: string): string[];
  /** Whether an option without a value was given. */
  flag(name: string): boolean;
  /** The value of `--port`, or the default. */
  port(fallback: number, lowest?: 0 | 1): number;
  /** The values of `--hostname` and `--port`, or 127.0.0.1 and the default port. */
  address(fallback: number, lowest?: 0 | 1): { hostname: string; port: number };
}

/**
 * Runs a program and ends the process when it fails.
 *
 * @param program What arguments it takes, and what it does.
 * @param options How it was called.
 */
export async function runProgram(program: Program, options: RunOptions = {}): Promise<void> {
  const { args = Deno.args, calledAs } = options;
  try {
    const parsed = readArguments(args, program);
    if (parsed === null) await printData(helpOf(program, calledAs));
    else await program.main(parsed);
  } catch (error) {
    fail(error, calledAs);
  }
}

/** The help of a program, by the name it was called. */
export function helpOf({ help, name }: Program, calledAs: string = name): string {
  return help.replaceAll(name, calledAs);
}

/** Says in one line what went wrong, and ends the process. */
export function fail(error: unknown, calledAs?: string): never {
  const message = error instanceof Error ? error.message : String(error);
  printNote(oneLine(message)); // a peer's words may be in it
  if (!(error instanceof UsageError)) Deno.exit(1);
  printNote(calledAs === undefined ? "Try --help" : `Try ${calledAs} --help`);
  Deno.exit(2);
}

/** Reads arguments; `null` if help was asked for. */
export function readArguments(
  args: readonly string[],
  options: ProgramOptions,
): ProgramArguments | null {
  const { collect = [] } = options;
  const string = [...options.string ?? [], ...collect];
  const boolean = ["help", ...options.boolean ?? []];
  const known = [...string, ...boolean];
  const alias: Readonly<Record<string, string>> = { help: "h", ...options.alias };
  const shorts = new Map(Object.entries(alias).map(([name, short]) => [short, name]));
  const parsed = parseArgs(joinValues(args, string, { known, shorts }), {
    string: [...string, "_"],
    boolean,
    collect,
    alias,
    unknown(arg, key) {
      if (key !== undefined) {
        const hint = hintOf(key, options, known);
        throw new UsageError(`Unknown option ${arg.split("=")[0]}${hint}`);
      }
      return true;
    },
  });
  if (parsed.help === true) return null;
  const rest = parsed._.map(String);
  const text = (name: string) => parsed[name] as string | undefined;
  const port = (fallback: number, lowest: 0 | 1 = 0) =>
    readPort("port", parsed.port, fallback, lowest);
  return {
    command: takeCommand(rest, options),
    rest,
    text,
    texts: (name) => (parsed[name] ?? []) as string[],
    flag: (name) => parsed[name] === true,
    port,
    address: (fallback, lowest) => ({
      hostname: text("hostname") ?? "127.0.0.1",
      port: port(fallback, lowest),
    }),
  };
}

/** What to say of an option that is not known. */
function hintOf(name: string, { hints = {} }: ProgramOptions, known: readonly string[]): string {
  return Object.hasOwn(hints, name) ? `: ${hints[name]}` : nearest(name, known);
}

function takeCommand(rest: string[], options: ProgramOptions): string {
  const { commands = [], needsCommand = false, operands = false } = options;
  const [first = ""] = commands;
  if (needsCommand && rest.length === 0) throw new UsageError(`Expected ${commands.join(" or ")}`);
  if (commands.length === 0 || rest.length === 0) return first;
  const command = rest.shift() ?? first;
  if (!commands.includes(command)) {
    throw new UsageError(
      `Unknown command "${command}"${nearest(command, commands, "")}: expected ${
        commands.join(" or ")
      }`,
    );
  }
  if (rest.length > 0 && !operands) throw new UsageError(`Unexpected argument "${rest[0]}"`);
  return command;
}

/**
 * Turns `--name value`, `-n value` and `-nvalue` into `--name=value`, so that a value may begin with a
 * dash, and a missing one is noticed.
 */
function joinValues(
  args: readonly string[],
  string: readonly string[],
  { known, shorts }: { known: readonly string[]; shorts: ReadonlyMap<string, string> },
): string[] {
  const joined: string[] = [];
  const isOption = (arg: string) =>
    arg.startsWith("--") ? known.includes(nameOf(arg)) : arg[0] === "-" && shorts.has(arg.slice(1));
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (arg === "--") return [...joined, ...args.slice(index)];
    const { flags, name, begun } = splitOption(arg, string, shorts);
    if (flags !== "") joined.push(`-${flags}`);
    if (name === undefined || !string.includes(name)) {
      if (flags === "") joined.push(arg);
      continue;
    }
    const value = begun === "" ? args[++index] : begun;
    if (value === undefined || (begun === "" && isOption(value))) {
      throw new UsageError(`Option ${arg} needs a value`);
    }
    joined.push(`--${name}=${value}`);
  }
  return joined;
}

/** The option in `--name`, or in `-abn` or `-abnvalue` where it is the first that takes a value. */
function splitOption(
  arg: string,
  string: readonly string[],
  shorts: ReadonlyMap<string, string>,
): { flags: string; name: string | undefined; begun: string } {
  const none = { flags: "", name: undefined, begun: "" };
  if (arg.startsWith("--")) return arg.includes("=") ? none : { ...none, name: nameOf(arg) };
  if (!/^-[A-Za-z]/.test(arg)) return none;
  for (let at = 1; at < arg.length; at++) {
    const name = shorts.get(arg[at] ?? "");
    if (name === undefined) return none;
    if (string.includes(name)) {
      return { flags: arg.slice(1, at), name, begun: arg.slice(at + 1).replace(/^=/, "") };
    }
  }
  return none;
}

/** The name in `--name` or `--name=value`. */
function nameOf(arg: string): string {
  return arg.slice(2).split("=", 1)[0] ?? "";
}

/**
 * Reads a port number.
 *
 * @throws {UsageError} If it is not a whole number from `lowest` to 65535.
 */
export function readPort(name: string, value: unknown, fallback: number, lowest: 0 | 1): number {
  if (value === undefined) return fallback;
  const port = /^\d+$/.test(String(value)) ? Number(value) : NaN;
  if (!(port >= lowest && port <= 65_535)) {
    throw new UsageError(
      `Option --${name} must be a whole number from ${lowest} to 65535, current value is "${value}"`,
    );
  }
  return port;
}

/** Splits `HOST:PORT`, `[ADDRESS]:PORT` or `:PORT`, nothing checked; `null` if it is none of them. */
export function splitHostPort(text: string): [hostname: string, port: string] | null {
  const [, hostname = "", port] = /^(\[[^\]]+\]|[^:]*):(\d+)$/.exec(text) ?? [];
  return port === undefined ? null : [hostname, port];
}

/**
 * Reads a number of seconds, such as `5` or `0.5`.
 *
 * @returns Milliseconds, `undefined` if the option was not given.
 * @throws {UsageError} If it is no positive number.
 */
export function readSeconds(args: ProgramArguments, name: string): number | undefined {
  const value = args.text(name);
  if (value === undefined) return undefined;
  const seconds = /^\d*\.?\d+$/.test(value) ? Number(value) : NaN;
  if (!(seconds > 0)) {
    throw new UsageError(`Option --${name} must be seconds, current value is "${value}"`);
  }
  return seconds * 1000;
}

/**
 * Reads a count.
 *
 * @returns The number, `undefined` if the option was not given.
 * @throws {UsageError} If it is not a whole number from `lowest`.
 */
export function readCount(args: ProgramArguments, name: string, lowest = 0): number | undefined {
  const value = args.text(name);
  if (value === undefined) return undefined;
  const count = /^\d+$/.test(value) ? Number(value) : NaN;
  if (!(count >= lowest && Number.isSafeInteger(count))) {
    throw new UsageError(
      `Option --${name} must be a whole number from ${lowest}, current value is "${value}"`,
    );
  }
  return count;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ");
}
