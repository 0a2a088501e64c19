/** What people from one address have together. @module */
import { userKey } from "../../common/cidr.ts";
import { RateLimit } from "./_rate.ts";
import type { ChatRoomOptions } from "./room_options.ts";

/** Addresses that are looked at, when a new one comes, to see whether they can be forgotten. */
const LOOKS = 2;

interface Neighbours {
  members: number;
  readonly joins: RateLimit;
}

/**
 * Counts people and joins by address: one IPv4 address, or one /64 network of IPv6. An address is
 * forgotten when nobody from it is here and it may join as often as a new one.
 */
export class AddressQuota {
  readonly #options: Required<ChatRoomOptions>;
  readonly #addresses = new Map<string, Neighbours>();

  constructor(options: Required<ChatRoomOptions>) {
    this.#options = options;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#addresses.size;
  }

  /** Counts somebody in, or says why not. */
  enter(address: string | undefined): string | undefined {
    if (address === undefined) return undefined;
    const { maxMembersPerAddress, now } = this.#options;
    const neighbours = this.#find(userKey(address));
    if (neighbours.members >= maxMembersPerAddress) {
      return `there are ${maxMembersPerAddress} people from your address here already`;
    }
    if (!neighbours.joins.take(now())) return "too many have joined from your address just now";
    neighbours.members++;
    return undefined;
  }

  /** Counts somebody out who was counted in. */
  leave(address: string | undefined): void {
    const neighbours = address === undefined ? undefined : this.#addresses.get(userKey(address));
    if (neighbours !== undefined) neighbours.members--;
  }

  #find(key: string): Neighbours {
    const known = this.#addresses.get(key);
    if (known !== undefined) return known;
    const { maxJoinsPerSecond, maxJoinsAtOnce, now } = this.#options;
    this.#forget(now());
    const added = { members: 0, joins: new RateLimit(maxJoinsPerSecond, maxJoinsAtOnce, now()) };
    this.#addresses.set(key, added);
    return added;
  }

  /** Looks at the addresses that were not looked at for longest. */
  #forget(now: number): void {
    let looks = 0;
    for (const [key, neighbours] of this.#addresses) {
      if (looks++ === LOOKS) return;
      this.#addresses.delete(key);
      if (neighbours.members > 0 || !neighbours.joins.isFull(now)) {
        this.#addresses.set(key, neighbours);
      }
    }
  }
}
