/** What members from one address have in common: their number and how fast they join. @module */
import { userKey } from "../../common/cidr.ts";
import { RateLimit } from "./_rate.ts";
import type { RoomSettings } from "./room_options.ts";

/** Addresses that are looked at, when a new one comes, to see whether they can be forgotten. */
const LOOKS = 2;

interface Neighbours {
  members: number;
  readonly joins: RateLimit;
}

/**
 * Counts members and joins by address: one IPv4 address, or one /64 network of IPv6. An address is
 * forgotten when no member has it and it may join as often as a new one.
 */
export class AddressQuota {
  readonly #settings: RoomSettings;
  readonly #addresses = new Map<string, Neighbours>();

  constructor(settings: RoomSettings) {
    this.#settings = settings;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#addresses.size;
  }

  /** Counts a member in, or says why not. */
  enter(address: string | undefined): string | undefined {
    if (address === undefined) return undefined;
    const { maxMembersPerAddress, now } = this.#settings;
    const neighbours = this.#find(userKey(address));
    if (neighbours.members >= maxMembersPerAddress) {
      return `there are ${maxMembersPerAddress} people from your address here already`;
    }
    if (!neighbours.joins.take(now())) return "too many have joined from your address just now";
    neighbours.members++;
    return undefined;
  }

  /** Counts out a member that was counted in. */
  leave(address: string | undefined): void {
    const neighbours = address === undefined ? undefined : this.#addresses.get(userKey(address));
    if (neighbours !== undefined) neighbours.members--;
  }

  #find(key: string): Neighbours {
    const known = this.#addresses.get(key);
    if (known !== undefined) return known;
    const { maxJoinsPerSecond, maxJoinsAtOnce, now } = this.#settings;
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
