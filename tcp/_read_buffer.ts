/**
 * The bytes of a connection between the socket and its readers.
 *
 * Memory has one owner at a time. What is handed out as owned is never written to again: the buffer
 * goes on behind it, or in other memory. What is only shown may be overwritten by the next read.
 *
 * @module
 */

/** What the memory begins with: an idle connection costs little. */
const INITIAL_SIZE = 256;
/** What it grows to while reads keep filling it: larger ones were not faster. */
const MAX_SIZE = 256 * 1024;
/** So many reads in a row that use a small part of the memory make the next one smaller. */
const SHRINK_AFTER = 8;
/** Up to this size, a chunk that is handed out may keep the rest of its memory alive. */
const SHARED_SIZE = 4 * 1024;

const EMPTY = new Uint8Array(0);

/** Bytes that belong to the caller who gets them. */
export type Chunk = Uint8Array<ArrayBuffer>;

/** Bytes received and not taken yet. */
export class ReadBuffer {
  #memory: Chunk = EMPTY;
  #start = 0; // the first byte not taken yet
  #end = 0; // after the last byte received
  #room: Chunk = EMPTY; // where the socket's outstanding read puts its bytes
  #isLent = false; // parts of the memory were handed out, so it may only be appended to
  #size = INITIAL_SIZE; // of the next memory
  #smallReads = 0;

  /** How many bytes are held. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** The bytes held, shown until the next call. */
  view(): Chunk {
    return this.#memory.subarray(this.#start, this.#end);
  }

  /**
   * Makes room for a read of the socket after the bytes held. Grows with what has arrived, not with
   * what is expected to.
   *
   * @param wanted How many bytes the reader still waits for, if it knows.
   */
  room(wanted: number): Chunk {
    this.#makeRoom(wanted);
    this.#room = this.#end === 0 ? this.#memory : this.#memory.subarray(this.#end);
    return this.#room;
  }

  /** Counts `n` bytes that the socket has put into the room, and learns how large the next should be. */
  received(n: number): void {
    const room = this.#room;
    this.#room = EMPTY;
    if (room.buffer !== this.#memory.buffer) this.#moveTo(room.subarray(0, n));
    else this.#end += n;
    if (n === room.length && room.length * 2 >= this.#size) {
      this.#size = Math.min(this.#size * 4, MAX_SIZE);
      this.#smallReads = 0;
    } else if (n * 16 < this.#size && this.#size > INITIAL_SIZE) {
      if (++this.#smallReads < SHRINK_AFTER) return;
      this.#size = Math.max(this.#size / 4, INITIAL_SIZE);
      this.#smallReads = 0;
    } else {
      this.#smallReads = 0;
    }
  }

  /** Takes the next `length` bytes, owned by the caller: lent, or copied if they would keep much more. */
  take(length: number): Chunk {
    const from = this.#start;
    const { length: size } = this.#memory;
    if (size > SHARED_SIZE && length * 4 < size) {
      const copy = this.#memory.slice(from, from + length);
      this.#consume(length);
      return copy;
    }
    this.#isLent = true;
    this.#start += length;
    return this.#memory.subarray(from, from + length);
  }

  /** Takes all bytes in memory that holds nothing else, so that it can be transferred. */
  takeAlone(): Chunk {
    const isAlone = this.length === this.#memory.length && !this.#isLent && this.#room === EMPTY;
    const bytes = isAlone ? this.#memory : this.view().slice();
    if (isAlone) this.clear();
    else this.#consume(this.length);
    return bytes;
  }

  /** Takes all bytes to look at: they are overwritten by the next read. */
  takeShown(): Chunk {
    const bytes = this.view();
    this.#start = this.#end;
    return bytes;
  }

  /** Takes as many bytes as fit into `target`, and says how many. */
  copyTo(target: Uint8Array): number {
    const n = Math.min(target.length, this.length);
    target.set(this.#memory.subarray(this.#start, this.#start + n));
    this.#consume(n);
    return n;
  }

  /** Puts bytes back in front of everything held. A read under way still fills the old memory. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const joined = new Uint8Array(bytes.length + this.length);
    joined.set(bytes);
    joined.set(this.view(), bytes.length);
    this.#memory = joined;
    this.#start = 0;
    this.#end = joined.length;
    this.#isLent = false;
  }

  /** Forgets everything. */
  clear(): void {
    this.#memory = EMPTY;
    this.#start = 0;
    this.#end = 0;
    this.#isLent = false;
  }

  /** Moves to new memory that ends with `bytes`, which arrived in memory used before. */
  #moveTo(bytes: Chunk): void {
    const held = this.length;
    const joined = new Uint8Array(held + bytes.length);
    joined.set(this.view());
    joined.set(bytes, held);
    this.#memory = joined;
    this.#start = 0;
    this.#end = joined.length;
    this.#isLent = false;
  }

  #makeRoom(wanted: number): void {
    this.#rewind();
    const held = this.length;
    const room = this.#memory.length - this.#end;
    if (held === 0 && !this.#isLent) {
      if (this.#memory.length === this.#size) return;
    } else {
      const useful = Math.max(this.#size / 4, Math.min(wanted, held));
      if (room >= useful && this.#memory.length <= Math.max(this.#size, held * 4)) return;
      if (held === 0 && this.#size < SHARED_SIZE) this.#size *= 2; // a busy connection
    }
    const grown = new Uint8Array(Math.max(this.#size, ceilPowerOfTwo(held * 2)));
    if (held > 0) grown.set(this.view());
    this.#memory = grown;
    this.#start = 0;
    this.#end = held;
    this.#isLent = false;
  }

  #consume(length: number): void {
    this.#start += length;
    this.#rewind();
  }

  /** Begins again at the front of the memory, if nothing is there and nothing will be put there. */
  #rewind(): void {
    if (this.#start !== this.#end || this.#isLent || this.#room !== EMPTY) return;
    this.#start = 0;
    this.#end = 0;
  }
}

function ceilPowerOfTwo(n: number): number {
  return n <= 1 ? 1 : 2 ** Math.ceil(Math.log2(n));
}
