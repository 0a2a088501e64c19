/**
 * What to scan: addresses, names and address ranges, and only those the caller named.
 *
 * @module
 */
import { stripBrackets } from "../../common/address.ts";
import { CidrList, parseIp } from "../../common/cidr.ts";
import { netError } from "../../common/net_error.ts";
import type { ScanOptions } from "./options.ts";

/** An address to scan, and as what it was named. */
export interface Target {
  /** What the user wrote: an address, a name, or the address range it lies in. */
  readonly name: string;
  /** The address. */
  readonly address: string;
  /** Other addresses of the name, which are not scanned. */
  readonly otherAddresses: readonly string[];
}

/** Ranges in which one may be presumed to be at home: loopback, private (RFC 1918), unique local
 * (RFC 4193) and link-local (RFC 3927, RFC 4291). */
const HOME = [
  "127.0.0.0/8",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "::1/128",
  "fc00::/7",
  "fe80::/10",
];
const home = new CidrList("HOME", HOME);

/** Turns what the user named into addresses, each once, in the order they were named. */
export async function resolveTargets(
  names: readonly string[],
  maxHosts: number,
  options: ScanOptions,
): Promise<Target[]> {
  const targets = new Map<string, Target>();
  let count = 0n;
  const ranges = new Map(
    names.filter((name) => name.includes("/")).map((name) => [name, parseRange(name)]),
  );
  for (const name of names) count += ranges.get(name)?.size ?? 1n;
  for (const range of ranges.values()) checkConsent(range, options);
  if (count > maxHosts) {
    throw new RangeError(
      `Cannot scan ${count} addresses: the limit is ${maxHosts} (option "maxHosts")`,
    );
  }
  for (const name of names) {
    const range = ranges.get(name);
    const found = range === undefined ? [await resolve(name, options.family)] : members(range);
    for (const target of found) {
      if (!targets.has(target.address)) targets.set(target.address, target);
    }
  }
  return [...targets.values()];
}

/** An address range in CIDR notation. */
interface Range {
  name: string;
  first: bigint;
  size: bigint;
  bits: 32 | 128;
}

function parseRange(name: string): Range {
  const [address = "", length = "", ...rest] = name.split("/");
  const ip = parseIp(address);
  // An IPv4 address in IPv6 clothes is IPv4, and its prefix counts from there.
  const mapped = ip?.bits === 32 && address.includes(":") ? 96 : 0;
  const prefix = Number(length) - mapped;
  const isWhole = /^\d{1,3}$/.test(length) && rest.length === 0;
  if (ip === null || !isWhole || prefix < 0 || prefix > ip.bits) {
    throw new TypeError(
      `Cannot scan "${name}": expected an address range such as 192.168.1.0/24 or fd00::/120`,
    );
  }
  const size = 1n << BigInt(ip.bits - prefix);
  return { name, first: ip.value / size * size, size, bits: ip.bits };
}

function checkConsent({ name, first, size, bits }: Range, options: ScanOptions): void {
  // The home ranges are aligned blocks too: both ends inside one means all of it inside.
  const isHome = home.has(formatIp(first, bits)) && home.has(formatIp(first + size - 1n, bits));
  if (isHome || options.allowPublicRanges === true) return;
  throw new TypeError(
    `Cannot scan ${name} without consent: it is neither loopback nor private ` +
      `(option "allowPublicRanges")`,
  );
}

function members({ name, first, size, bits }: Range): Target[] {
  return Array.from({ length: Number(size) }, (_, index) => ({
    name,
    address: formatIp(first + BigInt(index), bits),
    otherAddresses: [],
  }));
}

/** The text of an address; IPv6 in the shortened form of RFC 5952. */
function formatIp(value: bigint, bits: 32 | 128): string {
  if (bits === 32) {
    return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
  }
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  );
  const zeros = [...groups.join(":").matchAll(/\b0(?::0\b)+/g)]
    .sort((a, b) => b[0].length - a[0].length)[0];
  if (zeros === undefined) return groups.join(":");
  const text = groups.join(":");
  const before = text.slice(0, zeros.index).replace(/:$/, "");
  const after = text.slice(zeros.index + zeros[0].length).replace(/^:/, "");
  return `${before}::${after}`;
}

async function resolve(name: string, family: 4 | 6 | undefined): Promise<Target> {
  const literal = stripBrackets(name);
  const ip = parseIp(literal);
  if (ip !== null) return { name, address: literal, otherAddresses: [] };
  const addresses = await lookUp(name);
  const fits = (address: string, wanted: 4 | 6) => address.includes(":") === (wanted === 6);
  const chosen = family !== undefined
    ? addresses.find((address) => fits(address, family))
    : addresses.find((address) => fits(address, 4)) ?? addresses[0];
  if (chosen === undefined) {
    throw notFound(name, `no ${family === undefined ? "" : `IPv${family} `}address`);
  }
  return { name, address: chosen, otherAddresses: addresses.filter((other) => other !== chosen) };
}

/** Asks the system, which knows more than the name servers do: `localhost`, for one. */
async function lookUp(name: string): Promise<string[]> {
  // Only here, because loading it takes longer than many a scan.
  const { lookup } = await import("node:dns/promises");
  try {
    const found = await lookup(name, { all: true, verbatim: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const passing = error instanceof Error && "code" in error && error.code === "EAI_AGAIN";
    throw notFound(name, passing ? "the name server does not answer" : "no such host", error);
  }
}

function notFound(name: string, reason: string, cause?: unknown): Error {
  return netError(
    Deno.errors.NotFound,
    reason.startsWith("the name server") ? "EAI_AGAIN" : "ENOTFOUND",
    reason,
    { operation: "resolve", transport: "tcp", target: name },
    cause,
  );
}
