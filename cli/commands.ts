/** The commands of tincan. What each of them takes stands in its own program. @module */
import type { Command } from "./command.ts";

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
    load: async () => (await import("./completions.ts")).completions(COMMANDS),
  },
];
