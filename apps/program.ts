/**
 * What all programs of this project have in common: how they read their arguments, how they report,
 * and how they end. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { systemReason } from "../_internal/system_reason.ts";
import { escapeLines } from "./escape.ts";

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

/** How long clients may take to end their side when a server is interrupted. */
const GOODBYE_TIME = 1_000;

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
  console.error(oneLine(message));
  if (!(error instanceof UsageError)) Deno.exit(1);
  console.error(calledAs === undefined ? "Try --help" : `Try ${calledAs} --help`);
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
  const parsed = parseArgs(joinValues(args, string, known), {
    string: [...string, "_"],
    boolean,
    collect,
    alias: { help: "h", ...options.alias },
    unknown(arg, key) {
      if (key !== undefined) {
        throw new UsageError(`Unknown option ${arg.split("=")[0]}${nearest(key, known)}`);
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

/** Turns `--name value` into `--name=value`, so that a value may begin with a dash. */
function joinValues(
  args: readonly string[],
  string: readonly string[],
  known: readonly string[],
): string[] {
  const joined: string[] = [];
  const isOption = (arg: string) => arg.startsWith("--") && known.includes(nameOf(arg));
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (arg === "--") return [...joined, ...args.slice(index)];
    if (!arg.startsWith("--") || arg.includes("=") || !string.includes(nameOf(arg))) {
      joined.push(arg);
      continue;
    }
    const value = args[++index];
    if (value === undefined || isOption(value)) throw new UsageError(`Option ${arg} needs a value`);
    joined.push(`${arg}=${value}`);
  }
  return joined;
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

/** `, did you mean …?`, or nothing, for a word that is at most two edits away from a known one. */
export function nearest(word: string, known: readonly string[], prefix = "--"): string {
  const [best] = known
    .map((name) => ({ name, distance: editDistance(word, name) }))
    .filter(({ name, distance }) => distance <= 2 && distance < name.length)
    .sort((a, b) => a.distance - b.distance);
  return best === undefined ? "" : `, did you mean ${prefix}${best.name}?`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
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

/**
 * Writes data to stdout.
 *
 * @param data Text, or bytes as they are.
 * @param leave What to do when whoever reads it has left (`| head`): by itself the program ends
 * quietly.
 */
export async function printData(
  data: string | Uint8Array,
  leave: () => void | Promise<void> = () => Deno.exit(0),
): Promise<void> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  try {
    for (let written = 0; written < bytes.length;) {
      written += await Deno.stdout.write(bytes.subarray(written));
    }
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return await leave();
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot write the output: ${systemReason(message) ?? message}`, {
      cause: error,
    });
  }
}

/**
 * Makes a function that writes a stranger's bytes to stdout: as they are where a program or a file
 * takes them, with everything escaped that a terminal might obey where a person reads them.
 */
export function foreignPrinter(): (data: Uint8Array) => Promise<void> {
  if (!Deno.stdout.isTerminal()) return printData;
  const decoder = new TextDecoder();
  return (data) => printData(escapeLines(decoder.decode(data, { stream: true })));
}

/** Calls `interrupt` when the user or the system asks the program to end. */
export function onInterrupt(interrupt: () => void): void {
  Deno.addSignalListener("SIGINT", interrupt);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", interrupt);
}

/** What can be served until somebody interrupts: a server of any kind. */
export interface Served {
  readonly finished: Promise<void>;
  readonly connections?: Iterable<{ close(): unknown }>;
  shutdown(options: { timeout: number }): Promise<void>;
}

/**
 * Starts a server and lets it run until the program is asked to end; then says goodbye to its clients,
 * and exits. Who interrupts as soon as the server says that it listens gets that, too.
 *
 * @param start Makes the server.
 * @param finish What remains to be done before the exit.
 */
export async function serveUntilInterrupted(
  start: () => Served | Promise<Served>,
  finish?: () => Promise<void>,
): Promise<void> {
  const interrupted = Promise.withResolvers<void>();
  onInterrupt(interrupted.resolve);
  const server = await start();
  interrupted.promise.then(async () => {
    const stopped = server.shutdown({ timeout: GOODBYE_TIME });
    for (const conn of server.connections ?? []) conn.close();
    await stopped;
    await finish?.();
    Deno.exit(0);
  });
  await server.finished;
}

/** A line on the terminal that is written over and over; nothing where stderr is not a terminal. */
export function statusLine(): { show(text: string): void; clear(): void } {
  const isTerminal = Deno.stderr.isTerminal();
  const write = (text: string) => {
    if (isTerminal) Deno.stderr.writeSync(new TextEncoder().encode(text));
  };
  return {
    show: (text) => write(`\r${text.padEnd(60)}\r`),
    clear: () => write("\r".padEnd(61) + "\r"),
  };
}
