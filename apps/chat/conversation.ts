/** Choosing somebody and talking to them, line by line. @module */

/** What a {@linkcode UdpConversation} needs to know; a `UdpChat` does. */
export interface ContactBook {
  /** Our own name. */
  readonly name: string;
  /** Whom one can choose. */
  readonly names: readonly string[];
  /** The longest message, in bytes. */
  readonly maxLength: number;
  /** The name as it stands in the contacts; `null` if there is none. */
  find(name: string): string | null;
}

/** What follows from a line. */
export type ConversationStep =
  | {
    /** Nothing is to be done. */
    readonly kind: "nothing";
  }
  | {
    /** The text is to be sent. */
    readonly kind: "send";
    /** To whom, as the name stands in the contacts. */
    readonly to: string;
    /** What to send. */
    readonly text: string;
  }
  | {
    /** The person is to be told something. */
    readonly kind: "note";
    /** What. */
    readonly text: string;
  };

/** The word that goes back to choosing. */
const QUIT = "quit";

/**
 * What the lines mean that somebody types who talks by name: first whom to talk to, then messages,
 * until `quit` goes back to choosing. It does no input or output.
 *
 * @example
 * ```ts
 * import { UdpConversation } from "@tincan/net/chat";
 * import { assertEquals } from "@std/assert";
 *
 * const book = {
 *   name: "Ada",
 *   names: ["Bob"],
 *   maxLength: 1_024,
 *   find: (name: string) => name === "Bob" ? name : null,
 * };
 * const conversation = new UdpConversation(book);
 * assertEquals(conversation.peer, null);
 * conversation.take("Bob");
 * assertEquals(conversation.peer, "Bob");
 * assertEquals(conversation.take("hello"), { kind: "send", to: "Bob", text: "hello" });
 * conversation.take("quit");
 * assertEquals(conversation.peer, null);
 * ```
 */
export class UdpConversation {
  readonly #book: ContactBook;
  #peer: string | null = null;

  /**
   * Begins with choosing.
   *
   * @param book Whom one can talk to.
   */
  constructor(book: ContactBook) {
    this.#book = book;
  }

  /** Whom we talk to, `null` while choosing. */
  get peer(): string | null {
    return this.#peer;
  }

  /** What stands in front of the line that is typed. */
  get prompt(): string {
    return this.#peer === null ? "to whom? " : `${this.#book.name} to ${this.#peer}: `;
  }

  /** Whom one can choose, as a sentence. */
  get choices(): string {
    const { names } = this.#book;
    return names.length === 0 ? "nobody is in the contacts" : `choose one of ${names.join(", ")}`;
  }

  /**
   * Takes a line.
   *
   * @param line The line without its end.
   * @returns What follows from it.
   */
  take(line: string): ConversationStep {
    const word = line.trim();
    if (word === "") return { kind: "nothing" };
    return this.#peer === null ? this.#choose(word) : this.#talk(this.#peer, line, word);
  }

  #choose(word: string): ConversationStep {
    const peer = this.#book.find(word);
    if (peer !== null) {
      this.#peer = peer;
      return note(`talking to ${peer}; ${QUIT} goes back to choosing`);
    }
    return word === QUIT
      ? note(`${this.choices}; Ctrl-D leaves`)
      : note(`there is no contact "${word}": ${this.choices}`);
  }

  #talk(peer: string, line: string, word: string): ConversationStep {
    if (word === QUIT) {
      this.#peer = null;
      return note(this.choices);
    }
    const { maxLength } = this.#book;
    const { length } = new TextEncoder().encode(line);
    return length > maxLength
      ? note(`not sent: it has ${length} bytes, and a message may have at most ${maxLength}`)
      : { kind: "send", to: peer, text: line };
  }
}

function note(text: string): ConversationStep {
  return { kind: "note", text };
}
