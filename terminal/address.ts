/**
 * Addresses on the command line: `HOST:PORT`, `HOST PORT`, `[ADDRESS]:PORT`, `:PORT`, `PORT`, or the
 * options `--hostname` and `--port`.
 *
 * @module
 */
import { type Field, operands, setting, UsageError } from "./arguments.ts";
import { port, text } from "./values.ts";

/** Where to listen or to connect. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** What the fields say that name an address. */
export interface AddressValues {
  readonly where?: readonly string[] | undefined;
  readonly hostname: string | undefined;
  readonly port: number | undefined;
}

/** These fields. */
type AddressFields = { [K in keyof AddressValues]-?: Field<AddressValues[K]> };

/** `--hostname` and `--port`. */
export function addressOptions(fallback: number): Pick<AddressFields, "hostname" | "port"> {
  return {
    hostname: setting("--hostname", text("HOST[:PORT]"), "where to listen or connect (127.0.0.1)"),
    port: setting("--port", port(), `its port; 0 is any, for servers (default ${fallback})`),
  };
}

/** `HOST:PORT` or `HOST PORT` as arguments. */
export function addressOperands(): Field<readonly string[]> {
  return operands(text("HOST:PORT"), "another way to say where, as are HOST PORT and PORT", 2);
}

/** How an address is read. */
export interface ReadAddressOptions {
  /** The port if none is given; without it one is needed. */
  fallback?: number | undefined;
  /** Whether it is to be connected to: then the port cannot be 0. */
  connects?: boolean | undefined;
}

/**
 * Reads the address.
 *
 * @throws {UsageError} If there is none, or it is said twice.
 */
export function readAddress(
  { where = [], ...options }: AddressValues,
  { fallback, connects = false }: ReadAddressOptions,
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
  return { hostname: bare(hostname), port: readPort(given ?? `${fallback}`, connects ? 1 : 0) };
}

/** Reads `HOST:PORT` as the value of an option. */
export function readHostPort(option: string, value: string): Address {
  const parts = splitHostPort(value);
  if (parts === null) {
    throw new UsageError(`Option --${option} must be HOST:PORT, current value is "${value}"`);
  }
  return { hostname: bare(parts[0]), port: readPort(parts[1], 1, option) };
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

/** A port, wherever it was said. */
export function readPort(value: string, lowest: 0 | 1, option = "port"): number {
  const result = port(lowest).parse(value);
  if (result.success) return result.value;
  throw new UsageError(
    `Option --${option} must be a whole number from ${lowest} to 65535, current value is "${value}"`,
  );
}

/** The host; an address without its brackets. */
function bare(hostname: string | undefined): string {
  return hostname || "127.0.0.1";
}
