/**
 * What to scan: addresses, names and address ranges, and only those the caller named.
 *
 * @module
 */
import { stripBrackets } from "../../common/address.ts";
import { CidrList, formatIp, type IpRange, parseIp, parseRange } from "../../common/cidr.ts";
import { codeOf, netError, type OperationContext, unresolved } from "../../common/net_error.ts";
import { checkCount, checkOneOf } from "../../common/options.ts";
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

/** The whole list of hosts is in memory. */
const MAX_HOSTS = 65_536;

/** Loopback, private (RFC 1918) and link-local (RFC 3927) addresses. */
const HOME_V4 = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"];
/** Loopback, unique local (RFC 4193) and link-local (RFC 4291) addresses. */
const HOME_V6 = ["::1/128", "fc00::/7", "fe80::/10"];
/** Addresses that are scanned without explicit consent. */
const home = new CidrList("home", [...HOME_V4, ...HOME_V6]);

/** Turns what the user named into addresses, each once, in the order they were named. */
export async function resolveTargets(
  names: readonly string[],
  { maxHosts = 256, family, allowPublicRanges = false }: ScanOptions,
): Promise<Target[]> {
  checkCount("maxHosts", maxHosts, 1, MAX_HOSTS);
  if (family !== undefined) checkOneOf("family", family, [4, 6]);
  const wanted = names.map((name) => name.includes("/") ? rangeOf(name, allowPublicRanges) : name);
  const count = wanted.reduce((sum, one) => sum + (typeof one === "string" ? 1n : one.size), 0n);
  if (count > maxHosts) {
    throw new RangeError(
      `Cannot scan ${count} addresses: the limit is ${maxHosts} (option "maxHosts")`,
    );
  }
  const targets = new Map<string, Target>();
  for (const one of wanted) {
    const found = typeof one === "string" ? [await resolve(one, family)] : members(one);
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

function rangeOf(name: string, isPublicAllowed: boolean): NamedRange {
  const range = parseRange(name);
  if (range === null) {
    throw new TypeError(
      `Cannot scan "${name}": expected an address range such as 192.168.1.0/24 or fd00::/120`,
    );
  }
  const { first, size, bits } = range;
  // The home ranges are aligned blocks too: both ends inside one means all of it inside.
  const isHome = [first, first + size - 1n].every((value) => home.has(formatIp({ value, bits })));
  if (isHome || isPublicAllowed) return { ...range, name };
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
  const isWanted = (address: string) => address.includes(":") === (family === 6);
  const chosen = addresses.find(isWanted) ?? (family === undefined ? addresses[0] : undefined);
  if (chosen !== undefined) {
    return { name, address: chosen, otherAddresses: addresses.filter((other) => other !== chosen) };
  }
  const reason = `no IPv${family} address`;
  throw netError(Deno.errors.NotFound, "ENOTFOUND", reason, resolving(name));
}

/** Asks the system, which knows more names than the name servers do, such as `localhost`. */
async function lookUp(name: string): Promise<string[]> {
  // Only here, because loading it takes longer than many a scan.
  const { lookup } = await import("node:dns/promises");
  try {
    const found = await lookup(name, { all: true, verbatim: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw unresolved(resolving(name), codeOf(error) === "EAI_AGAIN", error);
  }
}

function resolving(target: string): OperationContext {
  return { operation: "resolve", transport: "tcp", target };
}
