/**
 * What has arrived of a response: pieces of a body as they arrived, and heads and lines put together.
 *
 * @module
 */
import { concat } from "../../common/concat.ts";
import type { Decoder, DecoderProgress } from "../../framing/mod.ts";

const EMPTY = new Uint8Array(0);
const LF = 0x0a;

/** Finds the end of a head or a line. */
export type Finder = Required<Decoder<Uint8Array>>;

/** The bytes that are read. An element is a head, a line or a piece of the body. */
export class Input implements DecoderProgress {
  /** What was pushed, or what is left of it. */
  bytes: Uint8Array = EMPTY;
  /** The index of the first byte that was not read. */
  at = 0;
  frameStart = 0;
  /** Where in the stream the element begins that is being read. */
  position = 0;
  /** Where in the stream `at` is. */
  #offset = 0;
  /** Holds the part of a head or line that has arrived. */
  #finder: Finder | undefined;
  /** The head or line that was found and is being understood. */
  #element: Uint8Array = EMPTY;

  get partial(): boolean {
    return this.#offset > this.position || this.at < this.bytes.length;
  }

  /** How many bytes of the element were read. */
  get seen(): number {
    return this.#offset - this.position;
  }

  /** Adds a chunk. */
  add(chunk: Uint8Array): void {
    this.bytes = join(this.bytes.subarray(this.at), chunk);
    this.at = 0;
  }

  /** Copies what is still needed: the chunk is the caller's. */
  own(): void {
    this.bytes = this.at < this.bytes.length ? this.bytes.slice(this.at) : EMPTY;
    this.at = 0;
    this.#element = this.#element.slice();
  }

  /** The next bytes, at most `max`; `null` if there are none. */
  take(max: number): Uint8Array | null {
    const length = Math.min(max, this.bytes.length - this.at);
    if (length === 0) return null;
    this.advance(length);
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** The next head or line, which ends with a line feed; `null` if it is not whole yet. */
  find(finder: Finder): Uint8Array | null {
    this.#finder = finder;
    let element: Uint8Array | null = null;
    while (element === null && this.at < this.bytes.length) {
      const end = this.bytes.indexOf(LF, this.at) + 1 || this.bytes.length;
      const line = this.bytes.subarray(this.at, end);
      this.advance(line.length);
      finder.push(line, (found) => {
        element = this.#element = found;
      });
    }
    return element;
  }

  /** Counts bytes as read. */
  advance(length: number): void {
    this.at += length;
    this.#offset += length;
  }

  /** Ends the element: the next one begins. */
  accept(): void {
    this.frameStart = this.position;
    this.position = this.#offset;
    this.#element = EMPTY;
  }

  /** Hands over everything from the beginning of the element. */
  takeRemaining(): Uint8Array {
    const begun = join(this.#element, this.#finder?.takeRemaining() ?? EMPTY);
    const remaining = join(begun, this.bytes.subarray(this.at)).slice();
    this.advance(this.bytes.length - this.at);
    this.own();
    this.#element = EMPTY;
    this.position = this.#offset;
    return remaining;
  }
}

/** Both, one after the other; nothing is copied where one is empty. */
function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  return second.length === 0 ? first : concat(first, second);
}
