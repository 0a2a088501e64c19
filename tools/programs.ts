/**
 * What can be compiled, and the least permissions each program needs. The table in
 * docs/running-it-for-real.md says the same, and tests/package/permissions_test.ts proves it: each
 * program does its work with these, and with one less it cannot.
 *
 * @module
 */

/** A permission that is baked into an executable. */
export interface Permission {
  /** As `deno run` takes it. */
  readonly flag: string;
  /** What the program cannot do without it. */
  readonly why: string;
}

/** A program that can be compiled. */
export interface Program {
  /** Its main module, from the root of the repository. */
  readonly entry: string;
  readonly permissions: readonly Permission[];
}

/** The program that is compiled when none is named. */
export const DEFAULT_PROGRAM = "tincan";

const net = { flag: "--allow-net", why: "any host and port you name" };

/** The programs by the names of their executables. */
export const PROGRAMS: ReadonlyMap<string, Program> = new Map([
  ["tincan", {
    entry: "cli/tincan.ts",
    permissions: [
      net,
      { flag: "--allow-read", why: "files to send, folders to serve, certificates, unix sockets" },
      { flag: "--allow-write", why: "files that arrive, captures, unix sockets" },
    ],
  }],
  ["file_transfer", {
    entry: "examples/file_transfer.ts",
    permissions: [
      net,
      { flag: "--allow-read", why: "the folder it serves, the file it sends" },
      { flag: "--allow-write", why: "downloads, and uploads that are allowed" },
    ],
  }],
  ["http_get", {
    entry: "examples/http_get.ts",
    permissions: [
      net,
      { flag: "--allow-read", why: "`--ca`, and what `--output` finds there" },
      { flag: "--allow-write", why: "`--output`" },
    ],
  }],
  ["port_scan", { entry: "examples/port_scan.ts", permissions: [net] }],
  ["relay", {
    entry: "examples/relay.ts",
    permissions: [
      net,
      { flag: "--allow-read", why: "`--read`, certificates" },
      { flag: "--allow-write", why: "`--capture`" },
    ],
  }],
  ["sticky_packets", {
    entry: "examples/sticky_packets.ts",
    permissions: [{ flag: "--allow-net=127.0.0.1", why: "it talks to itself" }],
  }],
  ["tcp_chat", {
    entry: "examples/tcp_chat.ts",
    permissions: [net, { flag: "--allow-read", why: "certificates" }],
  }],
  ["tcp_echo", { entry: "examples/tcp_echo.ts", permissions: [net] }],
  ["udp_chat", {
    entry: "examples/udp_chat.ts",
    permissions: [net, { flag: "--allow-read", why: "the contacts" }],
  }],
  ["udp_echo", { entry: "examples/udp_echo.ts", permissions: [net] }],
]);

/** The flags for `deno run` or `deno compile`: what is not allowed is an error, never a question. */
export function runtimeFlags({ permissions }: Program): string[] {
  return ["--no-prompt", "--unstable-net", ...permissions.map(({ flag }) => flag)];
}
