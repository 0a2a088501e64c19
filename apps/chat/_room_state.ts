/** What a room and its sessions share: who is in it, what was said, and what goes to whom. @module */
import { spend } from "../../common/turn_budget.ts";
import { AddressQuota } from "./_address_quota.ts";
import { RateLimit } from "./_rate.ts";
import { chatNameKey } from "./names.ts";
import type { RoomSettings } from "./room_options.ts";

/** A person with a name. */
export interface Member {
  readonly name: string;
  /** Equal for names that count as the same. */
  readonly key: string;
  /** What the name looks like. */
  readonly looks: readonly string[];
  /** Where the person comes from; `undefined` if there is no address. */
  readonly address: string | undefined;
  /** Sends a line to the person. */
  send(line: Uint8Array): void;
}

const encoder = new TextEncoder();

/** The bytes of one line. */
export function encodeLine(line: string): Uint8Array {
  return encoder.encode(`${line}\n`);
}

/** The members of a room, and the lines that go from each to all. */
export class RoomState {
  readonly settings: RoomSettings;
  /** All who are connected, with a name or without. */
  readonly sessions: Set<{ dismissQuietly(reason: string): void }> = new Set();
  /** The last lines said. */
  readonly history: Uint8Array[] = [];
  #historyBytes = 0;
  /** By their keys. */
  readonly #members = new Map<string, Member>();
  /** By what their names look like. */
  readonly #looks = new Map<string, Member>();
  readonly #quota: AddressQuota;
  readonly #notices: RateLimit;
  readonly #unannounced = { joined: 0, left: 0 }; // since a join or leave was last announced
  /** Lines that came up while another was being sent: all members get them in the same order. */
  readonly #waiting: { bytes: Uint8Array; except: Member | undefined }[] = [];
  #isSending = false;

  constructor(settings: RoomSettings) {
    const { maxNoticesPerSecond, maxNoticesAtOnce, now } = this.settings = settings;
    this.#quota = new AddressQuota(settings);
    this.#notices = new RateLimit(maxNoticesPerSecond, maxNoticesAtOnce, now());
  }

  /** The names of those in the room, in the order in which they came. */
  get names(): string[] {
    return Array.from(this.#members.values(), ({ name }) => name);
  }

  find(name: string): Member | undefined {
    return this.#members.get(chatNameKey(name));
  }

  /** Lets a member in; returns the reason if that is not possible. */
  enter(member: Member): string | undefined {
    const { maxMembers } = this.settings;
    const { key, looks } = member;
    if (this.#members.has(key)) return "that name is taken";
    const alike = looks.map((look) => this.#looks.get(look)).find((other) => other !== undefined);
    if (alike !== undefined) return `that name looks like the one of ${alike.name}`;
    if (this.#members.size >= maxMembers) return `the room is full with ${maxMembers} people`;
    const tooMany = this.#quota.enter(member.address);
    if (tooMany !== undefined) return tooMany;
    this.#members.set(key, member);
    for (const look of looks) this.#looks.set(look, member);
    return undefined;
  }

  leave(member: Member): void {
    this.#members.delete(member.key);
    for (const look of member.looks) this.#looks.delete(look);
    this.#quota.leave(member.address);
  }

  /** Sends something said to all but the one who said it, and remembers it. */
  broadcast(line: string, except: Member): void {
    const bytes = encodeLine(line);
    this.#remember(bytes);
    this.#announceRest();
    this.send(bytes, except);
  }

  /** Tells all others that a member came or went. */
  announceMove(member: Member, move: "joined" | "left", why = ""): void {
    this.#announceRest();
    if (this.#notices.take(this.settings.now())) {
      this.send(encodeLine(`*** ${member.name} has ${move}${why}`), member);
    } else {
      this.#unannounced[move]++;
    }
  }

  /** Sends a line to all but one. */
  send(bytes: Uint8Array, except?: Member): void {
    this.#waiting.push({ bytes, except });
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        for (const member of this.#members.values()) {
          if (member === next.except) continue;
          member.send(next.bytes);
          spend(next.bytes.length); // the loops that read lines wait when the turn is over
        }
      }
    } finally {
      this.#isSending = false;
    }
  }

  #remember(bytes: Uint8Array): void {
    const { maxHistory, maxHistoryBytes } = this.settings;
    this.history.push(bytes);
    this.#historyBytes += bytes.length;
    while (this.history.length > maxHistory || this.#historyBytes > maxHistoryBytes) {
      this.#historyBytes -= this.history.shift()?.length ?? 0;
    }
  }

  /** Reports joins and leaves beyond the rate in one line, as soon as the rate allows it. */
  #announceRest(): void {
    const { joined, left } = this.#unannounced;
    if (joined + left === 0 || !this.#notices.take(this.settings.now())) return;
    this.#unannounced.joined = this.#unannounced.left = 0;
    this.send(encodeLine(`*** ${joined} more have joined and ${left} have left`));
  }
}
