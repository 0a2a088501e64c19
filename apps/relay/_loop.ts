/**
 * Recognising a relay that leads to itself: it would connect to itself until it has no more connections.
 *
 * @module
 */
import type { SocketAddress } from "../../errors.ts";
import { formatAddr, formatHostPort, stripBrackets } from "../../common/address.ts";
import { formatIp, parseIp } from "../../common/cidr.ts";
import type { TcpConnection } from "../../tcp/mod.ts";

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
type End = Pick<TcpConnection, "localAddr" | "remoteAddr" | "closed" | "abort">;

/**
 * Recognises connections of the relay to itself by the addresses of both ends, whatever its target is
 * called. Both are aborted, with this error. Connections are noted until they are closed.
 */
export class SelfRelayGuard {
  readonly #error: Error;
  readonly #incoming = new Map<string, End>();
  readonly #outgoing = new Map<string, End>();

  /** @param error What connections are aborted with. */
  constructor(error: Error) {
    this.#error = error;
  }

  /** Notes a client. */
  entered(client: End): void {
    const ends = endsOf(client.remoteAddr, client.localAddr);
    note(this.#incoming, ends, client);
    const twin = this.#outgoing.get(ends);
    if (twin !== undefined) this.#abort(client, twin);
  }

  /**
   * Notes a connection to the target.
   *
   * @throws {Error} The error, if it leads to this relay.
   */
  connected(outgoing: End): void {
    const ends = endsOf(outgoing.localAddr, outgoing.remoteAddr);
    note(this.#outgoing, ends, outgoing);
    const twin = this.#incoming.get(ends);
    if (twin === undefined) return;
    this.#abort(twin, outgoing);
    throw this.#error;
  }

  #abort(...both: End[]): void {
    for (const end of both) end.abort(this.#error);
  }
}

/** Notes an end until it is closed; its addresses may be in use again by then. */
function note(noted: Map<string, End>, ends: string, end: End): void {
  noted.set(ends, end);
  end.closed.then(() => {
    if (noted.get(ends) === end) noted.delete(ends);
  });
}

function endsOf(from: SocketAddress, to: SocketAddress): string {
  return `${formatAddr(from)} ${formatAddr(to)}`;
}
