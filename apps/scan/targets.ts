/**
 * What to scan: addresses, names and address ranges, and only those the caller named.
 *
 * @module
 */
import { stripBrackets } from "../../common/address.ts";
import { CidrList, formatIp, type IpRange, parseIp, parseRange } from "../../common/cidr.ts";
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
    names.filter((name) => name.includes("/")).map((name) => [name, rangeOf(name)]),
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

/** An address range, and as what it was named. */
interface NamedRange extends IpRange {
  name: string;
}

function rangeOf(name: string): NamedRange {
  const range = parseRange(name);
  if (range !== null) return { ...range, name };
  throw new TypeError(
    `Cannot scan "${name}": expected an address range such as 192.168.1.0/24 or fd00::/120`,
  );
}

function checkConsent({ name, first, size, bits }: NamedRange, options: ScanOptions): void {
  // The home ranges are aligned blocks too: both ends inside one means all of it inside.
  const isHome = [first, first + size - 1n].every((value) => home.has(formatIp({ value, bits })));
  if (isHome || options.allowPublicRanges === true) return;
  throw new TypeError(
    `Cannot scan ${name} without consent: it is neither loopback nor private ` +
      `(option "allowPublicRanges")`,
  );
}

function members({ name, first, size, bits }: NamedRange): Target[] {
  return Array.from({ length: Number(size) }, (_, index) => ({
    name,
    address: formatIp({ value: first + BigInt(index), bits }),
    otherAddresses: [],
  }));
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
