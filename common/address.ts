/**
 * Addresses: writing them for people, normalising what the runtime reports, checking ports.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { checkCount, unfit } from "./options.ts";

const MAPPED_V4 = /^::ffff:(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})$/i;

/**
 * The IPv4 form of an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2), any other name as it is.
 * A dual-stack listener shows its IPv4 peers in the mapped form.
 */
export function unmapHostname(hostname: string): string {
  return MAPPED_V4.exec(hostname)?.[1] ?? hostname;
}

/** So many addresses are made once and handed out again: one for each of 4,096 peers. A power of two. */
const RECENT = 4_096;

/** The addresses that were made last, each in the place that its hostname and port give. */
const recent: (Deno.NetAddr | undefined)[] = new Array(RECENT);

/**
 * An address as it is handed out: a plain object that prints as one short line, in a template and in
 * `console.log`.
 *
 * Making one costs half a microsecond, because it is not its prototype that knows how to print it:
 * comparisons take a plain object with another prototype for another value. So a peer that sends many
 * datagrams has the same address object each time, and it is frozen.
 */
export function netAddr(
  transport: "tcp" | "udp",
  hostname: string,
  port: number,
): Deno.NetAddr {
  const { length } = hostname;
  // Hosts of one network differ at the end; servers hear from many hosts and the same port.
  const end = hostname.charCodeAt(length - 1) * 31 + hostname.charCodeAt(length - 2) * 7;
  const place = (port + end) & (RECENT - 1);
  const known = recent[place];
  if (
    known !== undefined && known.port === port && known.hostname === hostname &&
    known.transport === transport
  ) return known;
  return recent[place] = printable({ transport, hostname, port });
}

/** The address of a unix socket as it is handed out; see {@linkcode netAddr}. */
export function unixAddr(transport: "unix" | "unixpacket", path: string): Deno.UnixAddr {
  return printable({ transport, path });
}

const PRINTED: PropertyDescriptor = {
  value(this: SocketAddress): string {
    return formatAddr(this);
  },
};

function printable<A extends SocketAddress>(addr: A): A {
  Reflect.defineProperty(addr, "toString", PRINTED);
  Reflect.defineProperty(addr, Symbol.for("Deno.customInspect"), PRINTED);
  return Object.freeze(addr);
}

/**
 * The address as its type says it is, with an IPv4-mapped hostname turned into plain IPv4, in the form
 * in which addresses are handed out.
 *
 * The runtime reports `null` as the path of a unix socket without a name (every client's), and
 * leaves out the transport of a connection that `startTls` has taken over.
 */
export function normaliseAddr(addr: Deno.Addr): SocketAddress {
  if ("path" in addr) return unixAddr(addr.transport, (addr.path as string | null) ?? "");
  const { transport = "tcp", hostname, port } = addr as Partial<Deno.NetAddr> & Deno.NetAddr;
  return netAddr(transport, unmapHostname(hostname), port);
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
 * Checks that `port` is a whole number that a socket address can hold.
 *
 * @param name The option, for the message.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not a whole number from `lowest` to 65535.
 */
export function checkPort(name: string, port: unknown, lowest: 0 | 1 = 0): number {
  return checkCount(name, port, lowest, 65_535);
}

/** What no name and no address contains: white space and control characters. */
// deno-lint-ignore no-control-regex
const NOT_IN_NAMES = /[\s\x00-\x1f\x7f]/;
/** The longest name, in characters (RFC 1035 section 2.3.4). */
const MAX_NAME_LENGTH = 253;

/**
 * Checks that `hostname` can be a name or an address. (The runtime's own message names no option.)
 *
 * @param name The option, for the message.
 * @returns The hostname without brackets.
 * @throws {TypeError} If it is not text.
 * @throws {RangeError} If it is empty, too long, or contains white space.
 */
export function checkHostname(name: string, hostname: unknown): string {
  const plain = stripBrackets(checkText(name, "a name or an address", hostname));
  if (plain !== "" && plain.length <= MAX_NAME_LENGTH && !NOT_IN_NAMES.test(plain)) return plain;
  const value = plain.length > MAX_NAME_LENGTH
    ? `${plain.length} characters long`
    : JSON.stringify(plain);
  throw new RangeError(
    `Cannot use option "${name}" as a name or an address: current value is ${value}`,
  );
}

/** Whether options are those of a unix socket; a path that is `undefined` was not given. */
export function hasPath<T extends object>(options: T): options is Extract<T, { path: string }> {
  return "path" in options && options.path !== undefined;
}

/**
 * Checks that `path` names a unix socket. (Linux would take an empty one for "any name".)
 *
 * @throws {TypeError} If it is not text.
 * @throws {RangeError} If it is empty.
 */
export function checkPath(path: unknown): string {
  if (checkText("path", "a path", path) !== "") return path as string;
  throw new RangeError(unfit("path", "a path", path));
}

function checkText(name: string, what: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new TypeError(unfit(name, what, value));
}
