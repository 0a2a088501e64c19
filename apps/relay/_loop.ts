/**
 * Recognising a relay that leads to itself: it would connect to itself until it has no more connections.
 *
 * @module
 */
import type { SocketAddress } from "../../errors.ts";
import { formatAddr, formatHostPort, stripBrackets } from "../../common/address.ts";
import { formatIp, parseIp } from "../../common/cidr.ts";

const LOOPBACK = ["127.0.0.1", "::1"];

/**
 * Whether a connection to one address reaches a listener on the other, which has the same port. Names
 * other than `localhost` are not looked up: {@linkcode SelfRelayGuard} recognises those when they are used.
 */
export function leadsTo(target: string, listener: string): boolean {
  const there = canonical(listener);
  return spelled(canonical(target)).some((address) =>
    spelled(there).includes(address) || (isAny(there) && isHere(address, there))
  );
}

/** The address as the URL standard writes it: `127.1` and `::FFFF:127.0.0.1` become `127.0.0.1`. */
function canonical(hostname: string): string {
  const name = stripBrackets(hostname).toLowerCase();
  const { hostname: written = name } = URL.parse(`http://${formatHostPort(name, 1)}`) ?? {};
  const ip = parseIp(written);
  return ip === null ? written : formatIp(ip);
}

/** What a connection to it may reach, or what it listens on: to connect to "any" reaches this host. */
function spelled(address: string): string[] {
  if (address === "localhost" || address.endsWith(".localhost")) return LOOPBACK;
  if (address === "0.0.0.0") return [address, "127.0.0.1"];
  return address === "::" ? [address, ...LOOPBACK] : [address];
}

function isAny(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** Whether it is an address of this host, and one that a listener on any address takes. */
function isHere(address: string, any: string): boolean {
  const isV4 = /^\d+\.\d+\.\d+\.\d+$/.test(address);
  if (!isV4 && any === "0.0.0.0") return false;
  if (isAny(address) || address === "::1" || (isV4 && address.startsWith("127."))) return true;
  return interfaceAddresses().includes(address);
}

/** The addresses of this host; none without the permission to ask for them. */
function interfaceAddresses(): string[] {
  const asked = Deno.permissions.querySync({ name: "sys", kind: "networkInterfaces" });
  if (asked.state !== "granted") return [];
  return Deno.networkInterfaces().map(({ address }) => canonical(address));
}

/** One end of a connection, which can be aborted. */
interface End {
  readonly localAddr: SocketAddress;
  readonly remoteAddr: SocketAddress;
  abort(reason?: unknown): void;
}

/**
 * Recognises connections of the relay to itself by the addresses of both ends, whatever its target is
 * called. Both are aborted, with this error.
 */
export class SelfRelayGuard {
  readonly #error: Error;
  readonly #incoming = new Map<string, End>();
  readonly #outgoing = new Map<string, End>();

  /** @param error What connections are aborted with. */
  constructor(error: Error) {
    this.#error = error;
  }

  /** Notes a client for as long as it is served. */
  entered(client: End): void {
    const ends = endsOf(client.remoteAddr, client.localAddr);
    this.#incoming.set(ends, client);
    this.#outgoing.get(ends)?.abort(this.#error);
    if (this.#outgoing.has(ends)) client.abort(this.#error);
  }

  /** Forgets a client. Its addresses may be in use again already. */
  left(client: End): void {
    const ends = endsOf(client.remoteAddr, client.localAddr);
    if (this.#incoming.get(ends) === client) this.#incoming.delete(ends);
  }

  /**
   * Notes a connection to the target.
   *
   * @throws {Error} The error, if it leads to this relay.
   */
  connected(outgoing: End): void {
    const ends = endsOf(outgoing.localAddr, outgoing.remoteAddr);
    this.#outgoing.set(ends, outgoing);
    const client = this.#incoming.get(ends);
    if (client === undefined) return;
    client.abort(this.#error);
    outgoing.abort(this.#error);
    this.ended(outgoing);
    throw this.#error;
  }

  /** Forgets a connection to the target. */
  ended(outgoing: End): void {
    const ends = endsOf(outgoing.localAddr, outgoing.remoteAddr);
    if (this.#outgoing.get(ends) === outgoing) this.#outgoing.delete(ends);
  }
}

function endsOf(from: SocketAddress, to: SocketAddress): string {
  return `${formatAddr(from)} ${formatAddr(to)}`;
}
