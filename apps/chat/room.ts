/** A room in which lines of text go from each to all. @module */
import { chatNameKey } from "./names.ts";
import { toPrintable } from "../printable.ts";
import { type ChatRoomOptions, resolveRoomOptions } from "./room_options.ts";
import {
  type ChatOutput,
  type ChatSession,
  createSession,
  encodeLine,
  type Member,
  type SessionRoom,
} from "./session.ts";

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
  readonly options: Readonly<Required<ChatRoomOptions>>;

  readonly #sessions = new Set<ChatSession>();
  /** Those with a name, by what is the same for names that are the same. */
  readonly #members = new Map<string, Member>();
  /** Those with a name, by what their names look like. */
  readonly #looks = new Map<string, Member>();
  readonly #history: Uint8Array[] = [];
  readonly #view: SessionRoom;
  /** Lines that came up while another was being sent, so that all get all in the same order. */
  readonly #waiting: { bytes: Uint8Array; except: ChatSession | undefined }[] = [];
  #sending = false;
  #closed: string | undefined;

  /**
   * Opens a room.
   *
   * @param options Its limits.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(options: ChatRoomOptions = {}) {
    this.options = resolveRoomOptions(options);
    this.#view = this.#makeView();
  }

  /** The names of those in the room, in the order in which they came. */
  get names(): string[] {
    return Array.from(this.#members.values(), ({ name }) => name);
  }

  /**
   * Lets somebody in, and asks for a name. In a room that is closed they are dismissed at once.
   *
   * @param output Where the lines for this person go. `send` may be called at any time, also in the
   * middle of a call on another session.
   * @returns The session, to be told what arrives.
   */
  connect(output: ChatOutput): ChatSession {
    const session = createSession(this.#view, output);
    this.#sessions.add(session);
    if (this.#closed !== undefined) session.dismissQuietly(this.#closed);
    return session;
  }

  /**
   * Tells everybody in the room something, as the room itself.
   *
   * @param text The line; it is made printable.
   */
  announce(text: string): void {
    this.#send(encodeLine(`*** ${toPrintable(text)}`), undefined);
  }

  /**
   * Says goodbye to everybody and lets nobody in again. Calling it again does nothing.
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
      options: this.options,
      get memberCount() {
        return members.size;
      },
      names: () => this.names,
      find: (name) => members.get(chatNameKey(name)),
      enter: (member) => this.#enter(member),
      history: () => this.#history,
      broadcast: (line, except, remember) => {
        const bytes = encodeLine(line);
        if (remember) this.#remember(bytes);
        this.#send(bytes, except);
      },
      leave: (session, member) => {
        this.#sessions.delete(session);
        if (member === undefined) return;
        members.delete(member.key);
        for (const look of member.looks) this.#looks.delete(look);
      },
    };
  }

  /** Takes the name, or says why not. */
  #enter(member: Member): string | undefined {
    const { maxMembers } = this.options;
    const { key, looks } = member;
    if (this.#members.has(key)) return "that name is taken";
    const alike = looks.map((look) => this.#looks.get(look)).find((other) => other !== undefined);
    if (alike !== undefined) return `that name looks like the one of ${alike.name}`;
    if (this.#members.size >= maxMembers) return `the room is full with ${maxMembers} people`;
    this.#members.set(key, member);
    for (const look of looks) this.#looks.set(look, member);
    return undefined;
  }

  #remember(bytes: Uint8Array): void {
    this.#history.push(bytes);
    if (this.#history.length > this.options.history) this.#history.shift();
  }

  #send(bytes: Uint8Array, except: ChatSession | undefined): void {
    this.#waiting.push({ bytes, except });
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        for (const member of this.#members.values()) {
          if (member.session !== next.except) member.output.send(next.bytes);
        }
      }
    } finally {
      this.#sending = false;
    }
  }
}
