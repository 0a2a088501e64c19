/** Memory that grows, for encoding many frames one after the other. @module */
import { fourTimes, holds } from "./_byte_finder.ts";

const MIN_CAPACITY = 256;
const EMPTY = new Uint8Array(0);
const NO_WORDS = new Int32Array(0);
const ENCODER = new TextEncoder();
/** Text of so many units is encoded at once: it takes no more than three times as many bytes. */
const MAX_TEXT = 16 * 1024;

/**
 * Bytes written one after the other, in memory that grows as needed. Codecs encode into it, so that
 * many frames can leave in one write.
 *
 * An encoder first makes room with {@linkcode OutputBuffer.reserve}, writes to
 * {@linkcode OutputBuffer.bytes}, and last counts what it wrote with
 * {@linkcode OutputBuffer.advance}. If it throws on the way, nothing was added.
 *
 * @example
 * ```ts
 * import { lines, OutputBuffer } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const output = new OutputBuffer();
 * const codec = lines();
 * codec.encodeInto(new TextEncoder().encode("one"), output);
 * codec.encodeInto(new TextEncoder().encode("two"), output);
 * assertEquals(new TextDecoder().decode(output.take()), "one\ntwo\n");
 * ```
 */
export class OutputBuffer {
  #bytes: Uint8Array = EMPTY;
  /** The same memory in words; made when it is searched. */
  #words: Int32Array = NO_WORDS;
  #length = 0;
  /** What comes after the bytes and is not encoded yet: encoding many strings at once costs a fifth. */
  #text = "";

  /** The memory. Only the first {@linkcode OutputBuffer.length} bytes are content. */
  get bytes(): Uint8Array {
    if (this.#text !== "") this.#encode();
    return this.#bytes;
  }

  /** How many bytes were written. */
  get length(): number {
    if (this.#text !== "") this.#encode();
    return this.#length;
  }

  /** The same, or less, at no cost: text may take up to three times as many bytes as it has units. */
  get atLeast(): number {
    return this.#length + this.#text.length;
  }

  /**
   * Makes room for more bytes. Memory read from `bytes` before the call may be stale after it.
   *
   * @param count How many bytes are about to be written, or more.
   * @returns Where they go: the index of the first in `bytes`.
   */
  reserve(count: number): number {
    if (this.#text !== "") this.#encode();
    const needed = this.#length + count;
    if (needed > this.#bytes.length) {
      // The first message gets just what it needs; from the second on, grow geometrically.
      const capacity = this.#length === 0
        ? needed
        : Math.max(needed, 2 * this.#bytes.length, MIN_CAPACITY);
      const bytes = new Uint8Array(capacity);
      if (this.#length > 0) bytes.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = bytes;
      this.#words = NO_WORDS;
    }
    return this.#length;
  }

  /**
   * Searches what is being written, for encoders that must not let a byte through. For up to a few
   * hundred bytes it is faster than the built-in `indexOf`, whose call alone takes as long as a frame
   * of 64 bytes should.
   *
   * @param byte What to search for.
   * @param from The first index in `bytes` to look at.
   * @param to The index after the last one to look at; no larger than what was reserved.
   * @returns The index in `bytes` of the first match, or -1.
   */
  find(byte: number, from: number, to: number): number {
    const bytes = this.#bytes;
    if (this.#words.length === 0) this.#words = new Int32Array(bytes.buffer, 0, bytes.length >> 2);
    const words = this.#words;
    const pattern = fourTimes(byte);
    let at = from;
    for (const head = Math.min(to, (from + 3) & ~3); at < head; at++) {
      if (bytes[at] === byte) return at;
    }
    let word = at >> 2;
    const end = to >> 2;
    while (word < end && !holds(words[word]!, pattern)) word++;
    for (at = Math.max(at, word << 2); at < to; at++) {
      if (bytes[at] === byte) return at;
    }
    return -1;
  }

  /**
   * Counts bytes as written. They must have been reserved.
   *
   * @param count How many bytes were written after the content.
   * @throws {RangeError} When that many were not reserved.
   */
  advance(count: number): void {
    const length = this.#length + count;
    if (!(count >= 0 && length <= this.#bytes.length)) {
      throw new RangeError(`Cannot advance past what was reserved: current value is ${count}`);
    }
    this.#length = length;
  }

  /**
   * Adds bytes that exist already.
   *
   * @param bytes What to copy after the content.
   */
  append(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.#bytes.set(bytes, at);
    this.#length = at + bytes.length;
  }

  /**
   * Adds text as UTF-8. Half a surrogate pair becomes U+FFFD.
   *
   * @param text What to encode after the content: many short texts together, when bytes are asked for.
   */
  appendText(text: string): void {
    this.#text += text;
    if (this.#text.length >= MAX_TEXT) this.#encode();
  }

  /**
   * Hands over the content and starts anew with other memory.
   *
   * @returns The bytes written, owned by the caller.
   */
  take(): Uint8Array {
    if (this.#text !== "") this.#encode();
    const bytes = this.#length === this.#bytes.length
      ? this.#bytes
      : this.#bytes.subarray(0, this.#length);
    this.#bytes = EMPTY;
    this.#words = NO_WORDS;
    this.#length = 0;
    return bytes;
  }

  /** Forgets the content and keeps the memory, for a caller that has written it out. */
  clear(): void {
    this.#length = 0;
    this.#text = "";
  }

  #encode(): void {
    let text = this.#text;
    this.#text = "";
    for (let perUnit = 1; text !== ""; perUnit = 3) {
      const at = this.reserve(text.length * perUnit);
      const { read, written } = ENCODER.encodeInto(text, this.#bytes.subarray(at));
      this.#length = at + written;
      text = text.slice(read);
    }
  }
}
