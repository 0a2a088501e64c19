/**
 * Address ranges in CIDR notation (RFC 4632, RFC 4291 section 2.3).
 *
 * @module
 */
import { stripBrackets, unmapHostname } from "./address.ts";
import { unfit } from "./options.ts";

/** A numeric IP address: its value and how many bits it has. */
interface Ip {
  value: bigint;
  bits: 32 | 128;
}

/** The first 96 bits of an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2). */
const MAPPED = 0xffffn;

/**
 * The numeric form of an IPv4 or IPv6 literal, `null` if the text is neither. A mapped address is the
 * IPv4 address that it stands for.
 */
export function parseIp(text: string): Ip | null {
  const plain = stripBrackets(text);
  if (!plain.includes(":")) return parseIpv4(plain);
  const ip = parseIpv6(plain);
  return ip !== null && ip.value >> 32n === MAPPED
    ? { value: ip.value & 0xffff_ffffn, bits: 32 }
    : ip;
}

function parseIpv4(text: string): Ip | null {
  const parts = text.split(".");
  const isByte = (part: string) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255;
  if (parts.length !== 4 || !parts.every(isByte)) return null;
  return { value: parts.reduce((value, part) => value << 8n | BigInt(part), 0n), bits: 32 };
}

function parseIpv6(text: string): Ip | null {
  const [address = ""] = text.split("%", 1); // a zone names an interface, not an address
  if (!/^[\da-f:.]+$/i.test(address)) return null;
  const written = URL.parse(`http://[${address}]`)?.hostname; // the shortest form
  if (written === undefined) return null;
  const [head = [], tail = []] = stripBrackets(written).split("::").map((half) =>
    half === "" ? [] : half.split(":")
  );
  const zeros = new Array<string>(8 - head.length - tail.length).fill("0");
  const groups = [...head, ...zeros, ...tail].map((group) => group.padStart(4, "0"));
  return { value: BigInt(`0x${groups.join("")}`), bits: 128 };
}

/** The text of an address; IPv6 in the shortest form (RFC 5952). */
export function formatIp({ value, bits }: Ip): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
  const groups = value.toString(16).padStart(32, "0").match(/.{4}/g) ?? [];
  return stripBrackets(new URL(`http://[${groups.join(":")}]`).hostname);
}

/** The addresses of a range: so many from the first on. */
export interface IpRange {
  first: bigint;
  size: bigint;
  bits: 32 | 128;
}

/** The range that a text means: an address, or one in CIDR notation; `null` if it is neither. */
export function parseRange(text: string): IpRange | null {
  const [address = "", length, ...rest] = text.split("/");
  const ip = parseIp(address);
  if (ip === null || rest.length > 0) return null;
  if (length === undefined) return { first: ip.value, size: 1n, bits: ip.bits };
  // An IPv4 address in IPv6 form is IPv4, and its prefix counts from there.
  const prefix = Number(length) - (ip.bits === 32 && address.includes(":") ? 96 : 0);
  if (!/^\d{1,3}$/.test(length) || prefix < 0 || prefix > ip.bits) return null;
  const size = 1n << BigInt(ip.bits - prefix);
  return { first: ip.value / size * size, size, bits: ip.bits };
}

/** A list of address ranges that answers whether an address lies in one of them. */
export class CidrList {
  readonly #ranges: IpRange[] = [];

  /**
   * @param name The option's name, for the message.
   * @param ranges Addresses (`"127.0.0.1"`) or ranges (`"10.0.0.0/8"`, `"fd00::/8"`).
   * @throws {TypeError} If one of them is neither.
   */
  constructor(name: string, ranges: readonly string[]) {
    for (const text of ranges) {
      const range = parseRange(text);
      if (range === null) throw new TypeError(unfit(name, "an address or a CIDR range", text));
      this.#ranges.push(range);
    }
  }

  /** Whether `hostname` is an address inside one of the ranges. A name is in none. */
  has(hostname: string): boolean {
    const ip = parseIp(hostname);
    if (ip === null) return false;
    return this.#ranges.some(({ first, size, bits }) =>
      bits === ip.bits && first <= ip.value && ip.value < first + size
    );
  }
}

/**
 * What connections of one user have in common: the IPv4 address, or the /64 network of an IPv6
 * address, because one user commonly holds a whole /64 (RFC 6177).
 */
export function userKey(hostname: string): string {
  const ip = parseIp(hostname);
  if (ip === null || ip.bits === 32) return unmapHostname(hostname);
  return `${(ip.value >> 64n).toString(16)}::/64`;
}
