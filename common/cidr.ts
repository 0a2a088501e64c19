/**
 * Address ranges in CIDR notation (RFC 4632, RFC 4291 section 2.3).
 *
 * @module
 */
import { stripBrackets, unmapHostname } from "./address.ts";

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
  if (parts.length !== 4) return null;
  let value = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    value = (value << 8n) | BigInt(part);
  }
  return { value, bits: 32 };
}

function parseIpv6(text: string): Ip | null {
  const [address = ""] = text.split("%", 1); // a zone names an interface, not an address
  const halves = address.split("::");
  if (halves.length > 2) return null;
  const groups = halves.map((half, index) => parseGroups(half, index === halves.length - 1));
  const [head, tail] = groups;
  if (head === null || head === undefined || tail === null) return null;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const all = [
    ...head,
    ...new Array<number>(tail === undefined ? 0 : missing).fill(0),
    ...tail ?? [],
  ];
  return { value: all.reduce((value, group) => (value << 16n) | BigInt(group), 0n), bits: 128 };
}

function parseGroups(text: string, isEnd: boolean): number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (isEnd && index === parts.length - 1 && part.includes(".")) {
      const tail = parseIpv4(part);
      if (tail === null) return null;
      groups.push(Number(tail.value >> 16n), Number(tail.value & 0xffffn));
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(parseInt(part, 16));
    } else {
      return null;
    }
  }
  return groups;
}

/** A list of address ranges that answers whether an address lies in one of them. */
export class CidrList {
  readonly #ranges: { network: bigint; bits: 32 | 128; shift: bigint }[] = [];

  /**
   * @param name The option's name, for the message.
   * @param ranges Addresses (`"127.0.0.1"`) or ranges (`"10.0.0.0/8"`, `"fd00::/8"`).
   * @throws {TypeError} If one of them is neither.
   */
  constructor(name: string, ranges: readonly string[]) {
    for (const range of ranges) {
      const [address = "", length, ...rest] = range.split("/");
      const ip = parseIp(address);
      const skipped = ip?.bits === 32 && address.includes(":") ? 96 : 0; // of a mapped address
      const prefix = length === undefined ? ip?.bits ?? 0 : Number(length) - skipped;
      if (
        ip === null || rest.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length)) ||
        prefix < 0 || prefix > ip.bits
      ) {
        throw new TypeError(
          `Cannot use option "${name}": expected addresses or CIDR ranges, current value is ${
            JSON.stringify(range)
          }`,
        );
      }
      const shift = BigInt(ip.bits - prefix);
      this.#ranges.push({ network: ip.value >> shift, bits: ip.bits, shift });
    }
  }

  /** Whether `hostname` is an address inside one of the ranges. A name is in none. */
  has(hostname: string): boolean {
    const ip = parseIp(hostname);
    if (ip === null) return false;
    return this.#ranges.some((range) =>
      range.bits === ip.bits && ip.value >> range.shift === range.network
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
