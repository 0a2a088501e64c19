/** The bytes that a decoder holds between chunks. @module */

const MIN_CAPACITY = 512;
/** Memory up to this size is kept after its frame, for the next one. */
const KEPT_CAPACITY = 4096;
const EMPTY = new Uint8Array(0);

/**
 * Bytes in the order in which they arrived. Memory is only appended to: consumed bytes are never
 * overwritten, so views of them do not change.
 */
export class ByteQueue {
  #memory: Uint8Array = EMPTY;
  #start = 0;
  #end = 0;
  readonly #limit: number;

  /** @param limit Up to here memory may grow faster than the bytes in it. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many bytes are held. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** A view of all bytes held. */
  view(): Uint8Array {
    return this.#memory.subarray(this.#start, this.#end);
  }

  /** Adds `chunk` from index `from` up to index `to`. */
  append(chunk: Uint8Array, from: number, to: number): void {
    const count = to - from;
    if (this.#end + count > this.#memory.length) this.#grow(count);
    if (count <= 16) {
      const memory = this.#memory;
      let end = this.#end;
      for (let at = from; at < to; at++) memory[end++] = chunk[at]!;
    } else {
      this.#memory.set(
        from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to),
        this.#end,
      );
    }
    this.#end += count;
  }

  /** Drops the first `count` bytes. */
  consume(count: number): void {
    this.#start += count;
    if (this.#start === this.#end && this.#memory.length > KEPT_CAPACITY) this.#reset();
  }

  /** Hands over all bytes held, in memory of their own. */
  take(): Uint8Array {
    const bytes = this.#memory.slice(this.#start, this.#end);
    this.#reset();
    return bytes;
  }

  #reset(): void {
    this.#memory = EMPTY;
    this.#start = 0;
    this.#end = 0;
  }

  /**
   * Moves to new memory with room for `count` more: twice as much as is needed. A single frame that
   * grows needs no more than the limit. Where frames come and go, memory that is nearly full would have
   * to be moved again for each of them.
   */
  #grow(count: number): void {
    const held = this.length;
    const needed = held + count;
    let capacity = Math.max(MIN_CAPACITY, 2 * needed);
    if (needed <= this.#limit && this.#start === 0) capacity = Math.min(capacity, this.#limit);
    else if (held === 0) capacity = needed;
    const memory = new Uint8Array(capacity);
    if (held > 0) memory.set(this.view());
    this.#memory = memory;
    this.#start = 0;
    this.#end = held;
  }
}
