/**
 * Which connections are served: how many in all and per user, from which addresses.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { CidrList, userKey } from "../common/cidr.ts";
import { checkCount, checkOneOf } from "../common/options.ts";
import type { TcpServeOptions } from "./server_options.ts";

/**
 * Sockets that were refused or given up and that the runtime holds nevertheless: few enough for any
 * limit of descriptors. Only TLS clients that do not finish their handshake can be among them.
 */
export const MAX_UNRELEASED = 1_024;

/** Why a connection is not served: because of a limit, or of its address. */
export type Refusal = "refused" | "denied";

/** Counts the connections and says which may be served. */
export class Admission {
  readonly #maxConnections: number;
  readonly #maxPerUser: number;
  readonly #waits: boolean;
  readonly #allow: CidrList | undefined;
  readonly #deny: CidrList | undefined;
  readonly #perUser = new Map<string, number>();
  #active = 0;
  #unreleased = 0;
  #vacancy: (() => void) | undefined;

  constructor({ limits = {}, allow, deny }: TcpServeOptions) {
    const { maxConnections = 16_384, maxConnectionsPerIp = Infinity, onLimit = "wait" } = limits;
    this.#maxConnections = checkCount("limits.maxConnections", maxConnections, 1);
    this.#maxPerUser = checkCount("limits.maxConnectionsPerIp", maxConnectionsPerIp, 1);
    this.#waits = checkOneOf("limits.onLimit", onLimit, ["wait", "drop"]) === "wait";
    this.#allow = allow && new CidrList("allow", allow);
    this.#deny = deny && new CidrList("deny", deny);
  }

  /** Whether the next accept has to wait until a connection ends. */
  get full(): boolean {
    return this.#unreleased >= MAX_UNRELEASED ||
      (this.#waits && this.#active >= this.#maxConnections);
  }

  /** Settles when a connection ends, or when {@linkcode wake} is called. */
  vacancy(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#vacancy = resolve;
    return promise;
  }

  /** Ends the wait for a vacancy. */
  wake(): void {
    this.#vacancy?.();
    this.#vacancy = undefined;
  }

  /** Admits a connection from `addr`, or says why not. */
  enter(addr: SocketAddress): Refusal | null {
    if ("hostname" in addr) {
      const { hostname } = addr;
      if (this.#deny?.has(hostname) || this.#allow?.has(hostname) === false) return "denied";
    }
    if (this.#active >= this.#maxConnections) return "refused";
    if (!this.#countAddress(addr, 1)) return "refused";
    this.#active++;
    return null;
  }

  /** Notes that an admitted connection has ended. */
  leave(addr: SocketAddress): void {
    this.#active--;
    this.#countAddress(addr, -1);
    this.wake();
  }

  /** Notes that an admitted connection has ended while the runtime still holds its socket. It counts
   * for its address only. */
  giveUp(): void {
    this.#active--;
    this.#unreleased++;
    this.wake();
  }

  /** Notes that a connection was refused while the runtime still holds its socket. */
  refuse(): void {
    this.#unreleased++;
  }

  /** Notes that such a socket is free; `admitted` is the address of one that was admitted. */
  release(admitted?: SocketAddress): void {
    this.#unreleased--;
    if (admitted !== undefined) this.#countAddress(admitted, -1);
    this.wake();
  }

  /** Adds to the connections of an address; `false` if they would be too many. */
  #countAddress(addr: SocketAddress, change: 1 | -1): boolean {
    if ("path" in addr || this.#maxPerUser === Infinity) return true;
    const key = userKey(addr.hostname);
    const count = (this.#perUser.get(key) ?? 0) + change;
    if (count > this.#maxPerUser) return false;
    if (count === 0) this.#perUser.delete(key);
    else this.#perUser.set(key, count);
    return true;
  }
}
