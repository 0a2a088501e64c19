/** Limits on the members from one address: how many, and how fast they join. @module */
import { userKey } from "../../common/cidr.ts";
import { RateLimit } from "./_rate.ts";
import type { RoomSettings } from "./room_options.ts";

/** How many addresses are checked, when a new one comes, to see whether they can be forgotten. */
const CHECKED_AT_ONCE = 2;

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

  /** Counts a new member; returns the reason if the quota is used up. */
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

  /** Stops counting a member that {@linkcode enter} has counted. */
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

  /** Checks the addresses whose last check is longest ago. */
  #forget(now: number): void {
    let checked = 0;
    for (const [key, neighbours] of this.#addresses) {
      if (checked++ === CHECKED_AT_ONCE) return;
      this.#addresses.delete(key);
      if (neighbours.members > 0 || !neighbours.joins.isFull(now)) {
        this.#addresses.set(key, neighbours);
      }
    }
  }
}
