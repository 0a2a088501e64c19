/**
 * Addresses on the command line: `HOST:PORT`, `HOST PORT`, `[ADDRESS]:PORT`, `:PORT`, `PORT`, or the
 * options `--hostname` and `--port`.
 *
 * @module
 */
import { type Field, operands, setting, UsageError } from "./arguments.ts";
import { port, text } from "./values.ts";

const HOSTNAME = "127.0.0.1";
/** The port of the tutorials. */
export const PORT = 9999;

/** Where to listen or to connect. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** The values of the fields that name an address. */
export interface AddressValues {
  readonly where?: readonly string[] | undefined;
  readonly hostname: string | undefined;
  readonly port: number | undefined;
}

/** These fields. */
type AddressFields = { [K in keyof AddressValues]-?: Field<AddressValues[K]> };

/** `--hostname` and `--port`, which has this default. */
export function addressOptions(fallback?: number): Pick<AddressFields, "hostname" | "port"> {
  const usual = fallback === undefined ? "" : ` (default ${fallback})`;
  return {
    hostname: setting("--hostname", text("HOST[:PORT]"), "where to listen or connect (127.0.0.1)"),
    port: setting("--port", port(), `its port; 0 is any, for servers${usual}`),
  };
}

/** `HOST:PORT` or `HOST PORT` as arguments. */
export function addressOperands(): Field<readonly string[]> {
  return operands(text("HOST:PORT"), "where to listen or connect; also HOST PORT or PORT", 2);
}

/**
 * Reads the address.
 *
 * @param values The values of the fields.
 * @param fallback The port if none is given; without it one is needed.
 * @param lowest The lowest port: 0 is none to connect to.
 * @throws {UsageError} If there is none, or it is given twice.
 */
export function readAddress(
  { where = [], ...options }: AddressValues,
  fallback: number | undefined,
  lowest: 0 | 1,
): Address {
  const [first] = where;
  const said = first === undefined ? undefined : splitWhere(where);
  const inOption = splitHostPort(options.hostname ?? "");
  if (said !== undefined && (options.hostname ?? options.port) !== undefined) {
    throw new UsageError(`Unexpected argument "${first}": --hostname and --port say where`);
  }
  if (inOption !== null && options.port !== undefined) {
    throw new UsageError(`Cannot use --port with --hostname ${options.hostname}`);
  }
  const [hostname, given] = said ?? inOption ?? [options.hostname, options.port?.toString()];
  if (given === undefined && fallback === undefined) {
    throw new UsageError("Nowhere to connect to: give HOST PORT");
  }
  return { hostname: hostname || HOSTNAME, port: readPort(given ?? `${fallback}`, lowest) };
}

/** Where the command of a program listens, if it is `serve`, or connects. */
export function addressOf(values: AddressValues & { command: string }, fallback: number): Address {
  return readAddress(values, fallback, values.command === "serve" ? 0 : 1);
}

/** Reads `HOST:PORT` as the value of an option. */
export function readHostPort(option: string, value: string): Address {
  const parts = splitHostPort(value);
  if (parts === null) {
    throw new UsageError(`Option --${option} must be HOST:PORT, current value is "${value}"`);
  }
  return { hostname: parts[0] || HOSTNAME, port: readPort(parts[1], 1, option) };
}

/** Splits `HOST:PORT`, `[ADDRESS]:PORT` or `:PORT`; `null` if it is none of them. */
export function splitHostPort(text: string): [hostname: string, port: string] | null {
  const [, hostname = "", port] = /^(\[[^\]]+\]|[^:]*):(\d+)$/.exec(text) ?? [];
  return port === undefined ? null : [hostname, port];
}

function splitWhere([first = "", second]: readonly string[]): [string, string] {
  if (second !== undefined) return [first, second];
  if (/^\d+$/.test(first)) return ["", first];
  const parts = splitHostPort(first);
  if (parts !== null) return parts;
  throw new UsageError(`Expected HOST:PORT or HOST PORT, current value is "${first}"`);
}

/** Reads a port. */
export function readPort(value: string, lowest: 0 | 1, option = "port"): number {
  const result = port(lowest).parse(value);
  if (result.success) return result.value;
  throw new UsageError(
    `Option --${option} must be a whole number from ${lowest} to 65535, current value is "${value}"`,
  );
}
