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
import { fail, nearest, printData, runProgram, UsageError } from "../apps/program.ts";
import { type Command, loadProgram } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { VERSION } from "./version.ts";

/** What people with experience type. */
const FLAGS = ["--help", "-h", "--version", "-V"];

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
    const hint = nearest(first, FLAGS.filter((flag) => flag.startsWith("--")), "");
    throw new UsageError(`Unknown option ${first}${hint}`);
  }
  await call(find(first), rest);
}

async function help([name, ...rest]: readonly string[]): Promise<void> {
  if (name === undefined) return await printData(overview() + "\n");
  await call(find(name), [...rest.filter((word) => word === "--udp"), "--help"]);
}

async function call(command: Command, args: readonly string[]): Promise<void> {
  const { name } = command;
  const isUdp = command.loadUdp !== undefined && asksForUdp(args);
  await runProgram(await loadProgram(command, isUdp), {
    args: isUdp ? args.filter((arg) => arg !== "--udp") : args,
    calledAs: isUdp ? `tincan ${name} --udp` : `tincan ${name}`,
  });
}

/** Whether `--udp` is among the options, wherever it stands. */
function asksForUdp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).includes("--udp");
}

function find(name: string): Command {
  const found = COMMANDS.find((command) => command.name === name);
  if (found !== undefined) return found;
  const names = [...COMMANDS.map(({ name }) => name), "help"];
  throw new UsageError(`Unknown command "${name}"${nearest(name, names, "")}`);
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
  --help, -h     show this text; behind a command, show what it takes

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
