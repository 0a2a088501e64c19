/** The commands of tincan. What each of them takes stands in its own program. @module */
import type { Program } from "../apps/program.ts";

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

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  {
    name: "echo",
    summary: "a server that answers what it hears, and a client for it (--udp: over UDP)",
    load: async () => (await import("../examples/tcp_echo.ts")).program,
    loadUdp: async () => (await import("../examples/udp_echo.ts")).program,
  },
  {
    name: "connect",
    summary: "connect the input and output to a server",
    load: async () => (await import("./connect.ts")).program,
  },
  {
    name: "listen",
    summary: "wait for a client, and connect the input and output to it",
    load: async () => (await import("./listen.ts")).program,
  },
  {
    name: "chat",
    summary: "a chat room, also for nc (--udp: talk by name, without a server)",
    load: async () => (await import("../examples/tcp_chat.ts")).program,
    loadUdp: async () => (await import("../examples/udp_chat.ts")).program,
  },
  {
    name: "files",
    summary: "serve the files of a folder, list them, get and put them, verified",
    load: async () => (await import("../examples/file_transfer.ts")).program,
  },
  {
    name: "http",
    summary: "fetch a web page, and show every step of it",
    load: async () => (await import("../examples/http_get.ts")).program,
  },
  {
    name: "scan",
    summary: "find out which ports of a host are open, closed or filtered",
    load: async () => (await import("../examples/port_scan.ts")).program,
  },
  {
    name: "relay",
    summary: "pass bytes on to a server, and show what passes",
    load: async () => (await import("../examples/relay.ts")).program,
  },
  {
    name: "completions",
    summary: "print the completions for bash, zsh or fish",
    load: async () => (await import("./completions.ts")).program,
  },
];

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
