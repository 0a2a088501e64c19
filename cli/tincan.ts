/**
 * All programs of this project as one.
 *
 *     deno run -A cli/tincan.ts help
 *     deno run -A cli/tincan.ts listen 9000
 *     deno run -A cli/tincan.ts connect 127.0.0.1 9000
 *     eval "$(tincan completions bash)"
 *
 * Needs --allow-net; --allow-read and --allow-write for the commands that read and write files, and
 * for unix sockets.
 */
import { nearest } from "../terminal/nearest.ts";
import { printData } from "../terminal/output.ts";
import { fail, UsageError } from "../terminal/usage_error.ts";
import { type Command, COMMANDS, loadProgram } from "./commands.ts";
import { VERSION } from "./version.ts";

/** What may stand in the place of a command. */
const FLAGS = ["--help", "--version"];
/** What the commands are called. */
const NAMES = COMMANDS.map(({ name }) => name);

async function run([first, ...rest]: readonly string[]): Promise<void> {
  switch (first) {
    case undefined:
      console.error(overview());
      return Deno.exit(2); // nothing was asked for, so nothing was done
    case "--help":
    case "-h":
      return await printData(overview() + "\n");
    case "help":
      return await help(rest);
    case "--version":
    case "-V":
      return await printData(`tincan ${VERSION}\n`);
  }
  if (first.startsWith("-")) {
    throw new UsageError(`Unknown option ${first}${meantBy(first, rest)}`);
  }
  await call(find(first, rest), rest);
}

async function help([name, ...rest]: readonly string[]): Promise<void> {
  if (name === undefined) return await printData(overview() + "\n");
  await call(find(name), [...rest.filter((word) => word === "--udp"), "--help"]);
}

async function call(command: Command, rest: readonly string[]): Promise<void> {
  const [shell = "", ...words] = rest;
  if (command.name === "completions" && words.length > 0) {
    const { answer } = await import("./suggestions.ts");
    return await printData(await answer(shell, words));
  }
  const { runProgram } = await import("../terminal/program.ts");
  const { program, args, calledAs } = await loadProgram(command, rest);
  await runProgram(program, args, calledAs);
}

function find(name: string, rest: readonly string[] = []): Command {
  const found = COMMANDS.find((command) => command.name === name);
  if (found !== undefined) return found;
  // HOST PORT or HOST:PORT, as nc and telnet take it.
  const where = /:\d+$/.test(name) ? name : /^\d+$/.test(rest[0] ?? "") ? `${name} ${rest[0]}` : "";
  const other = where === "" ? "" : `, did you mean tincan connect ${where}?`;
  const hint = nearest(name, [...NAMES, "help"]) || other;
  throw new UsageError(`Unknown command "${name}"${hint}`);
}

/** What may have been meant by an option at the beginning: that is how nc is called. */
function meantBy(option: string, rest: readonly string[]): string {
  const name = option.replace(/^--?/, "");
  if (option.startsWith("--")) {
    const flag = nearest(option, FLAGS);
    return flag === "" ? nearest(name, NAMES, "tincan ") : flag;
  }
  if (name.includes("l")) return ", did you mean tincan listen?"; // -l, -lk, -kl
  if (name.includes("z")) return ", did you mean tincan scan?";
  return rest.length === 0 ? "" : ", did you mean tincan connect?";
}

function overview(): string {
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`);
  return `tincan ${VERSION}: sockets on the command line

Usage: tincan COMMAND [options]
       tincan help COMMAND

Commands:
${lines.join("\n")}

Options:
  --version, -V  print the version
  --help, -h     show this text; after a command, show what it takes

What is data goes to stdout, what is for people to stderr. Exit codes: 0 done, 1 failed,
2 wrong usage, 130 interrupted. NO_COLOR is respected.

Examples:
  tincan listen 9000 > copy.img
  tincan connect example.com:80
  tincan chat join --name Ada`;
}

try {
  await run(Deno.args);
} catch (error) {
  fail(error, "tincan");
}
