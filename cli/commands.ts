/** The commands of tincan. What each of them takes stands in its own program. @module */
import type { Program } from "../terminal/program.ts";

/** Programs are loaded when they are called: starting stays quick. */
type Load = () => Promise<{ program: Program }>;

/** What the commands do, in a few words, in the order of the help. */
const SUMMARIES = {
  echo: "a server that answers what it hears, and a client for it (--udp: over UDP)",
  connect: "connect the input and output to a server",
  listen: "wait for a client, and connect the input and output to it",
  chat: "a chat room, also for nc (--udp: talk by name, without a server)",
  files: "serve the files of a folder, list them, get and put them, verified",
  http: "fetch a web page, and show every step of it",
  scan: "find out which ports of a host are open, closed or filtered",
  relay: "pass bytes on to a server, and show what passes",
  completions: "print the completions for bash, zsh or fish",
};

/** What a command is called: `tincan NAME`. */
type Name = keyof typeof SUMMARIES;

const PROGRAMS: Readonly<Record<Name, Load>> = {
  echo: () => import("../examples/tcp_echo.ts"),
  connect: () => import("./connect.ts"),
  listen: () => import("./listen.ts"),
  chat: () => import("../examples/tcp_chat.ts"),
  files: () => import("../examples/file_transfer.ts"),
  http: () => import("../examples/http_get.ts"),
  scan: () => import("../examples/port_scan.ts"),
  relay: () => import("../examples/relay.ts"),
  completions: () => import("./completions.ts"),
};

/** What is called with `--udp`, where that is another program. */
const UDP_PROGRAMS: Readonly<Partial<Record<Name, Load>>> = {
  echo: () => import("../examples/udp_echo.ts"),
  chat: () => import("../examples/udp_chat.ts"),
};

/** All commands, in the order of the help. */
export const COMMANDS = (Object.keys(SUMMARIES) as Name[]).map((name) => ({
  name,
  summary: SUMMARIES[name],
  load: PROGRAMS[name],
  loadUdp: UDP_PROGRAMS[name],
}));

/** One command. */
export type Command = typeof COMMANDS[number];

/**
 * Loads the program that a command line asks for.
 *
 * @param command The command.
 * @param args What stands after it; `--udp` may choose another program, which does not take it itself.
 * @returns The program, its arguments, and what it is called.
 */
export async function loadProgram(
  { name, load, loadUdp }: Command,
  args: readonly string[],
): Promise<{ program: Program; args: readonly string[]; calledAs: string }> {
  const end = args.indexOf("--");
  const at = args.indexOf("--udp");
  const isUdp = loadUdp !== undefined && at >= 0 && (end < 0 || at < end);
  if (isUdp) {
    const { program } = await loadUdp();
    return { program, args: args.toSpliced(at, 1), calledAs: `tincan ${name} --udp` };
  }
  const { program } = await load();
  if (loadUdp === undefined) return { program, args, calledAs: `tincan ${name}` };
  const { section, toggle } = await import("../terminal/arguments.ts");
  const udp = toggle("--udp", `another program: see tincan ${name} --udp --help`);
  const withUdp = program.with(section("Over UDP", { udp }));
  return { program: withUdp, args, calledAs: `tincan ${name}` };
}
