/** A room in which lines of text go from each to all. @module */
import { spend } from "../../common/turn_budget.ts";
import { AddressQuota } from "./_address_quota.ts";
import { RateLimit } from "./_rate.ts";
import { chatNameKey } from "./names.ts";
import { toPrintable } from "../../common/escape.ts";
import {
  type ChatRoomLimits,
  type ChatRoomOptions,
  resolveRoomOptions,
  type RoomSettings,
} from "./room_options.ts";
import type { ChatOutput } from "./output.ts";
import {
  type ChatSession,
  createSession,
  encodeLine,
  type Member,
  type SessionRoom,
} from "./session.ts";

/** What is known of a person who comes. */
export interface ChatConnectOptions {
  /**
   * The address that the person comes from, for the quotas of people from one address.
   *
   * @default {undefined} there is none: no quota
   */
  address?: string | undefined;
}

/**
 * A chat room: who is in it, what they said, and who gets what. It does no input or output and knows
 * no sockets: lines come in through the sessions and go out through what was given to
 * {@linkcode ChatRoom.connect}, so one room can serve TCP, TLS and unix sockets at once.
 *
 * What people see of each other is made printable first (`toPrintable`), so that it is safe on any
 * terminal, `nc`'s included.
 *
 * @example Two people, no sockets
 * ```ts
 * import { ChatRoom } from "@tincan/net/chat";
 * import { assertEquals } from "@std/assert";
 *
 * const room = new ChatRoom();
 * const seen: string[] = [];
 * const send = (line: Uint8Array) => void seen.push(new TextDecoder().decode(line));
 *
 * const ada = room.connect({ send, end() {} });
 * const bob = room.connect({ send() {}, end() {} });
 * ada.receive("Ada");
 * bob.receive("Bob");
 * bob.receive("hello");
 * assertEquals(seen, [
 *   "*** What is your name?\n",
 *   "*** Welcome, Ada! Nobody else is here; /help lists the commands\n",
 *   "*** Bob has joined\n",
 *   "<Bob> hello\n",
 * ]);
 * ```
 */
export class ChatRoom {
  /** The limits, with their defaults filled in. */
  readonly limits: Readonly<Record<keyof ChatRoomLimits, number>>;

  readonly #settings: RoomSettings;
  readonly #sessions = new Set<ChatSession>();
  /** Those with a name, by what is the same for names that are the same. */
  readonly #members = new Map<string, Member>();
  /** Those with a name, by what their names look like. */
  readonly #looks = new Map<string, Member>();
  readonly #quota: AddressQuota;
  readonly #history: Uint8Array[] = [];
  #historyBytes = 0;
  readonly #notices: RateLimit;
  readonly #unannounced = { joined: 0, left: 0 }; // since a join or leave was last announced
  readonly #view: SessionRoom;
  /** Lines that came up while another was being sent: all members get them in the same order. */
  readonly #waiting: { bytes: Uint8Array; except: ChatSession | undefined }[] = [];
  #sending = false;
  #closed: string | undefined;

  /**
   * Opens a room.
   *
   * @param options Its limits.
   * @throws {RangeError | TypeError} If an option is out of range or does not exist.
   */
  constructor(options: ChatRoomOptions = {}) {
    const { now, ...limits } = this.#settings = resolveRoomOptions(options);
    this.limits = limits;
    const { maxNoticesPerSecond, maxNoticesAtOnce } = limits;
    this.#quota = new AddressQuota(this.#settings);
    this.#notices = new RateLimit(maxNoticesPerSecond, maxNoticesAtOnce, now());
    this.#view = this.#makeView();
  }

  /** The names of those in the room, in the order in which they came. */
  get names(): string[] {
    return Array.from(this.#members.values(), ({ name }) => name);
  }

  /**
   * Lets a person in, and asks for a name. In a room that is closed they are dismissed at once.
   *
   * @param output Where the lines for this person go. `send` may be called at any time, also in the
   * middle of a call on another session.
   * @param options Where the person comes from.
   * @returns The session, which takes what arrives.
   */
  connect(output: ChatOutput, options: ChatConnectOptions = {}): ChatSession {
    const session = createSession(this.#view, output, options.address);
    this.#sessions.add(session);
    if (this.#closed !== undefined) session.dismissQuietly(this.#closed);
    return session;
  }

  /**
   * Tells all members something, as the room itself.
   *
   * @param text The line; it is made printable.
   */
  announce(text: string): void {
    this.#send(encodeLine(`*** ${toPrintable(text)}`), undefined);
  }

  /**
   * Says goodbye to all and lets no one in again. Calling it again does nothing.
   *
   * @param reason Why.
   */
  close(reason = "the room is closing"): void {
    this.#closed ??= reason;
    for (const session of this.#sessions) session.dismissQuietly(this.#closed);
  }

  #makeView(): SessionRoom {
    const members = this.#members;
    return {
      settings: this.#settings,
      get memberCount() {
        return members.size;
      },
      names: () => this.names,
      find: (name) => members.get(chatNameKey(name)),
      enter: (member) => this.#enter(member),
      history: () => this.#history,
      broadcast: (line, except) => {
        const bytes = encodeLine(line);
        this.#remember(bytes);
        this.#announceRest();
        this.#send(bytes, except);
      },
      announceMove: (line, move, except) => {
        this.#announceRest();
        if (this.#notices.take(this.#settings.now())) this.#send(encodeLine(line), except);
        else this.#unannounced[move]++;
      },
      leave: (session, member) => {
        this.#sessions.delete(session);
        if (member === undefined) return;
        members.delete(member.key);
        for (const look of member.looks) this.#looks.delete(look);
        this.#quota.leave(member.address);
      },
    };
  }

  /** Takes the name, or says why not. */
  #enter(member: Member): string | undefined {
    const { maxMembers } = this.limits;
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

  #remember(bytes: Uint8Array): void {
    const { maxHistory, maxHistoryBytes } = this.limits;
    this.#history.push(bytes);
    this.#historyBytes += bytes.length;
    while (this.#history.length > maxHistory || this.#historyBytes > maxHistoryBytes) {
      this.#historyBytes -= this.#history.shift()?.length ?? 0;
    }
  }

  /** Reports joins and leaves beyond the rate in one line, as soon as the rate allows it. */
  #announceRest(): void {
    const { joined, left } = this.#unannounced;
    if (joined + left === 0 || !this.#notices.take(this.#settings.now())) return;
    this.#unannounced.joined = this.#unannounced.left = 0;
    this.#send(encodeLine(`*** ${joined} more have joined and ${left} have left`), undefined);
  }

  #send(bytes: Uint8Array, except: ChatSession | undefined): void {
    this.#waiting.push({ bytes, except });
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        for (const member of this.#members.values()) {
          if (member.session === next.except) continue;
          member.send(next.bytes);
          spend(next.bytes.length); // the loops that read lines wait when the turn is over
        }
      }
    } finally {
      this.#sending = false;
    }
  }
}
