/**
 * Which connections are served: how many in all and per user, from which addresses.
 *
 * @module
 */
import { CidrList, userKey } from "../common/cidr.ts";
import { checkCount, checkOneOf } from "../common/options.ts";
import type { TcpServerLimits } from "./server_options.ts";

/**
 * Sockets that were refused or given up and that the runtime holds nevertheless: few enough for any
 * limit of descriptors. Only TLS clients that do not finish their handshake can be among them.
 */
export const MAX_UNRELEASED = 1_024;

/** What {@linkcode Admission} is made from; the server's options document the fields. */
export interface AdmissionOptions extends TcpServerLimits {
  allow?: readonly string[] | undefined;
  deny?: readonly string[] | undefined;
}

/** Why a connection was refused. */
export type Refusal = "max_connections" | "max_connections_per_ip" | "denied";

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

  constructor(options: AdmissionOptions) {
    const { maxConnections = 16_384, maxConnectionsPerIp = Infinity, onLimit = "wait" } = options;
    this.#maxConnections = checkCount("limits.maxConnections", maxConnections, 1);
    this.#maxPerUser = checkCount("limits.maxConnectionsPerIp", maxConnectionsPerIp, 1);
    this.#waits = checkOneOf("limits.onLimit", onLimit, ["wait", "drop"]) === "wait";
    this.#allow = options.allow && new CidrList("allow", options.allow);
    this.#deny = options.deny && new CidrList("deny", options.deny);
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

  /** Admits a connection from `hostname` (`null` for a unix peer, which has no address), or says why not. */
  enter(hostname: string | null): Refusal | null {
    if (hostname !== null) {
      if (this.#deny?.has(hostname)) return "denied";
      if (this.#allow !== undefined && !this.#allow.has(hostname)) return "denied";
    }
    if (this.#active >= this.#maxConnections) return "max_connections";
    if (hostname !== null && this.#maxPerUser < Infinity) {
      const key = userKey(hostname);
      const count = this.#perUser.get(key) ?? 0;
      if (count >= this.#maxPerUser) return "max_connections_per_ip";
      this.#perUser.set(key, count + 1);
    }
    this.#active++;
    return null;
  }

  /** Notes that an admitted connection has ended. */
  leave(hostname: string | null): void {
    this.#active--;
    this.#leaveAddress(hostname);
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

  /** Notes that such a socket is free; `hostname` if it was admitted. */
  release(hostname: string | null): void {
    this.#unreleased--;
    this.#leaveAddress(hostname);
    this.wake();
  }

  #leaveAddress(hostname: string | null): void {
    if (hostname === null || this.#maxPerUser === Infinity) return;
    const key = userKey(hostname);
    const count = (this.#perUser.get(key) ?? 1) - 1;
    if (count === 0) this.#perUser.delete(key);
    else this.#perUser.set(key, count);
  }
}
