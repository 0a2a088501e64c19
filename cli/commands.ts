/** The commands of tincan. What each of them takes stands in its own program. @module */
import type { Program } from "../terminal/program.ts";

/** One command. Programs are loaded when they are called: starting stays quick. */
export interface Command {
  /** What it is called: `tincan NAME`. */
  readonly name: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** The program. */
  readonly load: () => Promise<{ program: Program }>;
  /** The program that is called with `--udp`, if that is another one. */
  readonly loadUdp?: (() => Promise<{ program: Program }>) | undefined;
}

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  {
    name: "echo",
    summary: "a server that answers what it hears, and a client for it (--udp: over UDP)",
    load: () => import("../examples/tcp_echo.ts"),
    loadUdp: () => import("../examples/udp_echo.ts"),
  },
  {
    name: "connect",
    summary: "connect the input and output to a server",
    load: () => import("./connect.ts"),
  },
  {
    name: "listen",
    summary: "wait for a client, and connect the input and output to it",
    load: () => import("./listen.ts"),
  },
  {
    name: "chat",
    summary: "a chat room, also for nc (--udp: talk by name, without a server)",
    load: () => import("../examples/tcp_chat.ts"),
    loadUdp: () => import("../examples/udp_chat.ts"),
  },
  {
    name: "files",
    summary: "serve the files of a folder, list them, get and put them, verified",
    load: () => import("../examples/file_transfer.ts"),
  },
  {
    name: "http",
    summary: "fetch a web page, and show every step of it",
    load: () => import("../examples/http_get.ts"),
  },
  {
    name: "scan",
    summary: "find out which ports of a host are open, closed or filtered",
    load: () => import("../examples/port_scan.ts"),
  },
  {
    name: "relay",
    summary: "pass bytes on to a server, and show what passes",
    load: () => import("../examples/relay.ts"),
  },
  {
    name: "completions",
    summary: "print the completions for bash, zsh or fish",
    load: () => import("./completions.ts"),
  },
];

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
