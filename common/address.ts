/**
 * Addresses: writing them for people, normalising what the runtime reports, checking ports.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";

const MAPPED_V4 = /^::ffff:(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})$/i;

/**
 * The IPv4 form of an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2), any other name as it is.
 * A dual-stack listener shows its IPv4 peers in the mapped form.
 */
export function unmapHostname(hostname: string): string {
  return MAPPED_V4.exec(hostname)?.[1] ?? hostname;
}

/**
 * The address as its type says it is, with an IPv4-mapped hostname turned into plain IPv4.
 *
 * The runtime reports `null` as the path of a unix socket without a name (every client's), and
 * leaves out the transport of a connection that `startTls` has taken over.
 */
export function normaliseAddr<A extends Deno.Addr>(addr: A): A {
  if ("path" in addr) return (addr.path as string | null) === null ? { ...addr, path: "" } : addr;
  if (!("hostname" in addr)) return addr;
  const transport = (addr.transport as "tcp" | "udp" | undefined) ?? "tcp";
  const hostname = unmapHostname(addr.hostname);
  if (hostname === addr.hostname && transport === addr.transport) return addr;
  return { ...addr, transport, hostname };
}

/** `host:port`, with an IPv6 host in brackets as in RFC 3986 section 3.2.2. */
export function formatHostPort(hostname: string, port: number): string {
  return hostname.includes(":") && !hostname.startsWith("[")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}

/** An address as a person would write it: `host:port`, or the path of a unix socket. */
export function formatAddr(addr: SocketAddress): string {
  if ("path" in addr) return addr.path || "an unnamed unix socket";
  return formatHostPort(addr.hostname, addr.port);
}

/** A hostname without the brackets of `[::1]`, which the system's resolver does not take. */
export function stripBrackets(hostname: string): string {
  return hostname.startsWith("[") && hostname.endsWith("]") ? hostname.slice(1, -1) : hostname;
}

/**
 * Checks that `port` is a whole number a socket address can hold.
 *
 * @param action What is being done, for the message: `"listen"`, `"connect"` …
 * @throws {RangeError} If it is not a whole number from `lowest` to 65535.
 */
export function checkPort(action: string, port: number, lowest: 0 | 1 = 0): void {
  if (!Number.isInteger(port) || port < lowest || port > 65_535) {
    throw new RangeError(
      `Cannot ${action}: port must be a whole number from ${lowest} to 65535, current value is ${port}`,
    );
  }
}

/** What no name and no address contains: white space and control characters. */
// deno-lint-ignore no-control-regex
const NOT_IN_NAMES = /[\s\x00-\x1f\x7f]/;
/** The longest name, in characters (RFC 1035 section 2.3.4). */
const MAX_NAME_LENGTH = 253;

/**
 * Checks that `hostname` can be a name or an address. (The runtime's own message names no option.)
 *
 * @param action What is being done, for the message: `"listen"`, `"connect"` …
 * @returns The hostname without brackets.
 * @throws {TypeError} If it is not text.
 * @throws {RangeError} If it is empty, too long, or contains white space.
 */
export function checkHostname(action: string, hostname: string): string {
  if (typeof hostname !== "string") {
    throw new TypeError(
      `Cannot ${action}: hostname must be a string, current value is ${String(hostname)}`,
    );
  }
  const plain = stripBrackets(hostname);
  if (plain === "" || plain.length > MAX_NAME_LENGTH || NOT_IN_NAMES.test(plain)) {
    const value = hostname.length > MAX_NAME_LENGTH
      ? `${hostname.length} characters long`
      : JSON.stringify(hostname);
    throw new RangeError(
      `Cannot ${action}: hostname must be a name or an address, current value is ${value}`,
    );
  }
  return plain;
}

/** Whether options are those of a unix socket; a path that is `undefined` was not given. */
export function hasPath<T extends object>(options: T): options is Extract<T, { path: string }> {
  return "path" in options && options.path !== undefined;
}

/**
 * Checks that `path` names a unix socket. (Linux would take an empty one for "any name".)
 *
 * @param action What is being done, for the message: `"listen"`, `"connect"` …
 * @throws {RangeError} If it is empty.
 */
export function checkPath(action: string, path: string): void {
  if (path === "") throw new RangeError(`Cannot ${action}: path must not be empty`);
}

/**
 * Checks that options of a unix socket contain none that only a port has: `tls` and `allow` would
 * seem to protect it, and do nothing.
 *
 * @param action What is being done, for the message: `"listen"`, `"connect"` …
 * @param options What was given.
 * @param names The options that only a port has; one that is `undefined` or `false` was not given.
 * @throws {TypeError} If there are any.
 */
export function refusePortOptions(
  action: string,
  options: object,
  names: readonly string[],
): void {
  const given = names.filter((name) => {
    const value: unknown = (options as Record<string, unknown>)[name];
    return value !== undefined && value !== false;
  }).map((name) => `"${name}"`);
  if (given.length === 0) return;
  const noun = given.length === 1 ? "option" : "options";
  throw new TypeError(
    `Cannot ${action} on a path with ${noun} ${given.join(", ")}: only a port has that`,
  );
}
