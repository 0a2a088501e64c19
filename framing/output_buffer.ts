/** Memory that grows, for encoding many frames behind one another. @module */

const MIN_CAPACITY = 256;
const EMPTY = new Uint8Array(0);

/**
 * Bytes written one behind the other, in memory that grows as needed. Codecs encode into it, so that
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
 * codec.encodeInto?.(new TextEncoder().encode("one"), output);
 * codec.encodeInto?.(new TextEncoder().encode("two"), output);
 * assertEquals(new TextDecoder().decode(output.take()), "one\ntwo\n");
 * ```
 */
export class OutputBuffer {
  #bytes: Uint8Array = EMPTY;
  #length = 0;

  /** The memory. Only the first {@linkcode OutputBuffer.length} bytes are content. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** How many bytes were written. */
  get length(): number {
    return this.#length;
  }

  /**
   * Makes room for more bytes. Memory read from `bytes` before the call may be stale after it.
   *
   * @param count How many bytes are about to be written, or more.
   * @returns Where they go: the index of the first in `bytes`.
   */
  reserve(count: number): number {
    const needed = this.#length + count;
    if (needed > this.#bytes.length) {
      // The first message gets just what it needs; from the second on, grow geometrically.
      const capacity = this.#length === 0
        ? needed
        : Math.max(needed, 2 * this.#bytes.length, MIN_CAPACITY);
      const bytes = new Uint8Array(capacity);
      if (this.#length > 0) bytes.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = bytes;
    }
    return this.#length;
  }

  /**
   * Counts bytes as written. They must have been reserved.
   *
   * @param count How many bytes were written behind the content.
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
   * @param bytes What to copy behind the content.
   */
  append(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.#bytes.set(bytes, at);
    this.#length = at + bytes.length;
  }

  /**
   * Hands over the content and starts anew with other memory.
   *
   * @returns The bytes written, owned by the caller.
   */
  take(): Uint8Array {
    const bytes = this.#length === this.#bytes.length
      ? this.#bytes
      : this.#bytes.subarray(0, this.#length);
    this.#bytes = EMPTY;
    this.#length = 0;
    return bytes;
  }

  /** Forgets the content and keeps the memory, for those who have written it out. */
  clear(): void {
    this.#length = 0;
  }
}
