/** Choosing a contact and talking to them, line by line. @module */

import type { UdpChat } from "../apps/chat/mod.ts";

/** What follows from a line: a text to send to a contact, or a note for the person, or nothing. */
export type ConversationStep =
  | { readonly kind: "nothing" }
  | { readonly kind: "send"; readonly to: string; readonly text: string }
  | { readonly kind: "note"; readonly text: string };

/** What is needed of a {@linkcode UdpChat}. */
type ContactBook = Pick<UdpChat, "name" | "names" | "maxLength" | "find">;

/** The word that goes back to choosing. */
const QUIT = "quit";

/**
 * What typed lines mean when people talk by name: first whom to talk to, then messages, until `quit`
 * goes back to choosing. It does no input or output.
 */
export class UdpConversation {
  readonly #book: ContactBook;
  #peer: string | null = null;

  /** Begins with choosing one of the contacts of a `UdpChat`. */
  constructor(book: ContactBook) {
    this.#book = book;
  }

  /** The contact we talk to, `null` while choosing. */
  get peer(): string | null {
    return this.#peer;
  }

  /** The prompt of the line that is typed. */
  get prompt(): string {
    return this.#peer === null ? "to whom? " : `${this.#book.name} to ${this.#peer}: `;
  }

  /** The contacts that can be chosen, as a sentence. */
  get choices(): string {
    const { names } = this.#book;
    return names.length === 0 ? "there are no contacts" : `choose one of ${names.join(", ")}`;
  }

  /** Takes a line without its end. */
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
