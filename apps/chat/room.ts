/** A room in which lines of text go from each to all. @module */
import { toPrintable } from "../../common/escape.ts";
import type { ChatOutput } from "./_paced_lines.ts";
import { encodeLine, RoomState } from "./_room_state.ts";
import { type ChatRoomLimits, type ChatRoomOptions, resolveRoomOptions } from "./room_options.ts";
import { ChatSession } from "./session.ts";

/** What is known of a person who connects. */
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

  readonly #state: RoomState;
  #closed: string | undefined;

  /**
   * Opens a room.
   *
   * @param options Its limits.
   * @throws {RangeError | TypeError} If an option is out of range or does not exist.
   */
  constructor(options: ChatRoomOptions = {}) {
    const settings = resolveRoomOptions(options);
    const { now: _, ...limits } = settings;
    this.limits = limits;
    this.#state = new RoomState(settings);
  }

  /** The names of those in the room, in the order in which they came. */
  get names(): string[] {
    return this.#state.names;
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
    const session = new ChatSession(this.#state, output, options.address);
    this.#state.sessions.add(session);
    if (this.#closed !== undefined) session.dismissQuietly(this.#closed);
    return session;
  }

  /**
   * Tells all members something, as the room itself.
   *
   * @param text The line; it is made printable.
   */
  announce(text: string): void {
    this.#state.send(encodeLine(`*** ${toPrintable(text)}`));
  }

  /**
   * Says goodbye to all and lets no one in again. Calling it again does nothing.
   *
   * @param reason Why.
   */
  close(reason = "the room is closing"): void {
    this.#closed ??= reason;
    for (const session of this.#state.sessions) session.dismissQuietly(this.#closed);
  }
}
