/** Where to connect to or to listen: what `connect` and `listen` take as their arguments. @module */
import { type ProgramArguments, readPort, splitHostPort, UsageError } from "../terminal/program.ts";

/** A port or a unix socket. */
export type Where =
  | { readonly hostname: string; readonly port: number }
  | { readonly path: string };

/**
 * Reads `HOST PORT`, `HOST:PORT`, `[ADDRESS]:PORT`, `PORT`, or the options that say the same.
 *
 * @param args The arguments.
 * @param fallback The port if none is given; without it one is needed.
 * @throws {UsageError} If they do not say where, or say it twice.
 */
export function readWhere(args: ProgramArguments, fallback?: number): Where {
  const { rest } = args;
  const path = args.text("unix");
  const hostname = args.text("hostname");
  const lowest = fallback === undefined ? 1 : 0;
  if (path !== undefined) {
    const other = rest[0] ?? hostname ?? args.text("port");
    if (other !== undefined) {
      throw new UsageError(`Unexpected argument "${other}": --unix says where`);
    }
    if (path === "") throw new UsageError("Option --unix needs a path");
    return { path };
  }
  if (rest.length > 2) throw new UsageError(`Unexpected argument "${rest[2]}"`);
  if (rest.length > 0 && (hostname !== undefined || args.text("port") !== undefined)) {
    throw new UsageError(`Unexpected argument "${rest[0]}": --hostname and --port say where`);
  }
  const [host, port] = rest.length > 0 ? split(rest) : [hostname, args.text("port")];
  if (port === undefined && fallback === undefined) {
    throw new UsageError("Nowhere to connect to: give HOST PORT");
  }
  return {
    hostname: host || "127.0.0.1",
    port: readPort("port", port, fallback ?? 0, lowest),
  };
}

function split([first = "", second]: readonly string[]): [string, string] {
  if (second !== undefined) return [first, second];
  if (/^\d+$/.test(first)) return ["", first];
  const parts = splitHostPort(first);
  if (parts === null) {
    throw new UsageError(`Expected HOST:PORT or HOST PORT, current value is "${first}"`);
  }
  return parts;
}
