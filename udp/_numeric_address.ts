/**
 * Numeric addresses, in the spelling that senders' addresses have, and the lookup of names.
 *
 * @module
 */
import { checkHostname, formatHostPort, stripBrackets, unmapHostname } from "../common/address.ts";
import { parseIp } from "../common/cidr.ts";
import { codeOf, unresolved } from "../common/net_error.ts";
import { translate } from "../_internal/translate.ts";

/** Hostnames that are remembered as checked; at this number all are forgotten. */
const MAX_KNOWN = 1_024;

/** A numeric address. */
export interface Numeric {
  /** The one spelling that the runtime uses too, so that addresses can be compared. */
  readonly hostname: string;
  readonly v6: boolean;
  readonly multicast: boolean;
  /** Whether it is 255.255.255.255. */
  readonly broadcast: boolean;
}

const known = new Map<string, Numeric | null>();

/** The numeric address that `hostname` spells, `null` if it is a name. */
export function numeric(hostname: string): Numeric | null {
  let found = known.get(hostname);
  if (found === undefined) {
    if (known.size >= MAX_KNOWN) known.clear();
    found = parse(hostname);
    known.set(hostname, found);
  }
  return found;
}

function parse(text: string): Numeric | null {
  const plain = unmapHostname(stripBrackets(text));
  const ip = parseIp(plain);
  if (ip === null) return null;
  if (ip.bits === 32) {
    return {
      hostname: plain,
      v6: false,
      multicast: ip.value >> 28n === 0xen,
      broadcast: ip.value === 0xffff_ffffn,
    };
  }
  const [address = "", zone] = plain.split("%", 2);
  const hostname = stripBrackets(new URL(`http://[${address}]`).hostname);
  return {
    hostname: zone === undefined ? hostname : `${hostname}%${zone}`,
    v6: true,
    multicast: ip.value >> 120n === 0xffn,
    broadcast: false,
  };
}

/**
 * Turns a name into a numeric address.
 *
 * @param v6 `false` for IPv4 only, `true` for both families.
 * @throws {Deno.errors.NotFound} If there is no such host.
 * @throws {RangeError} If it can be no name: the system's resolver answers an empty one with nothing.
 */
export async function resolve(hostname: string, v6: boolean, port: number): Promise<Numeric> {
  checkHostname("hostname", hostname);
  const literal = numeric(hostname);
  if (literal !== null) return literal;
  const { lookup } = await import("node:dns/promises");
  const context = {
    operation: "resolve",
    transport: "udp",
    target: formatHostPort(hostname, port),
  } as const;
  try {
    const found = numeric((await lookup(hostname, { family: v6 ? 0 : 4 })).address);
    if (found !== null) return found;
  } catch (error) {
    const code = codeOf(error);
    if (code === "EAI_AGAIN") throw unresolved(context, true, error);
    if (code !== "ENOTFOUND") throw translate(error, context);
  }
  throw unresolved(context, false);
}

/**
 * Where a datagram to `hostname` really goes: the system takes the unspecified addresses for this
 * machine, and answers come from its loopback address.
 */
export function destination(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  return hostname === "::" ? "::1" : hostname;
}

/** The runtime reports link-local senders without their zone. */
export function withoutZone(hostname: string): string {
  const at = hostname.indexOf("%");
  return at < 0 ? hostname : hostname.slice(0, at);
}
