/**
 * The bytes of a connection between the socket and its readers: received, taken, given back.
 *
 * Memory has one owner at a time. What is handed out as owned is never written to again: the buffer
 * continues after it, or in other memory. What is only shown may be overwritten by the next read.
 *
 * @module
 */
import { concat } from "../common/concat.ts";

/** What the memory begins with: an idle connection costs little. */
const INITIAL_SIZE = 256;
/** What it grows to: larger ones were not faster. */
const MAX_SIZE = 256 * 1024;
/** Up to this size, a chunk that is handed out may keep the rest of its memory alive. */
const SHARED_SIZE = 4 * 1024;
/** A chunk that is handed out may keep so many times its own size alive: so many share one memory. */
const SHARE = 4;
/** After so many reads in a row that use a small part of it, the next memory is smaller. */
const SHRINK_AFTER = 8;

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
  #smallReads = 0; // in a row

  /** How many bytes are held. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Where `delimiter` begins in the bytes held, from index `from` on; -1 if it is not there. */
  indexOf(delimiter: Uint8Array, from: number): number {
    const held = this.#view(); // the memory after it may be long, and is of no interest
    const first = delimiter[0] as number;
    const last = held.length - delimiter.length;
    for (let at = held.indexOf(first, from); at >= 0; at = held.indexOf(first, at + 1)) {
      if (at > last) return -1;
      let same = 1;
      while (same < delimiter.length && held[at + same] === delimiter[same]) same++;
      if (same === delimiter.length) return at;
    }
    return -1;
  }

  /** The byte at an index. */
  at(index: number): number | undefined {
    return this.#memory[this.#start + index];
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

  /**
   * Counts `n` bytes that the socket has put into the room, and learns how large the next should be. If
   * there is no room, they have gone elsewhere.
   */
  received(n: number): void {
    const room = this.#room;
    if (room === EMPTY) return;
    this.#room = EMPTY;
    if (room.buffer !== this.#memory.buffer) this.#join(this.#view(), room.subarray(0, n));
    else this.#end += n;
    this.#learn(n);
  }

  /** Takes the next `length` bytes, owned by the caller: lent, or copied if they would keep much more. */
  take(length: number): Chunk {
    const from = this.#start;
    const { length: size } = this.#memory;
    if (size > SHARED_SIZE && length * SHARE < size) {
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
    const bytes = isAlone ? this.#memory : this.#view().slice();
    if (isAlone) this.clear();
    else this.#consume(this.length);
    return bytes;
  }

  /** Takes the next `length` bytes to look at: they are overwritten by the next read. */
  takeShown(length: number): Chunk {
    const from = this.#start;
    this.#start += length;
    return this.#memory.subarray(from, this.#start);
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
    if (bytes.length > 0) this.#join(bytes, this.#view());
  }

  /** Forgets everything. */
  clear(): void {
    this.#use(EMPTY, 0);
  }

  #makeRoom(wanted: number): void {
    this.#rewind();
    const held = this.length;
    const room = this.#memory.length - this.#end;
    if (held === 0 && !this.#isLent) {
      if (this.#memory.length === this.#size) return;
    } else {
      const useful = Math.max(this.#size / SHARE, Math.min(wanted, held));
      if (room >= useful && this.#memory.length <= Math.max(this.#size, held * 4)) return;
      if (held === 0 && this.#size < SHARED_SIZE) this.#size *= 2; // a busy connection
    }
    const grown = new Uint8Array(Math.max(this.#size, ceilPowerOfTwo(held * 2)));
    if (held > 0) grown.set(this.#view());
    this.#use(grown, held);
  }

  /** Learns from a read of `n` bytes: the next memory has room for a few like it. */
  #learn(n: number): void {
    const fitting = Math.min(floorPowerOfTwo(n) * SHARE, MAX_SIZE);
    if (fitting > this.#size) {
      this.#size = fitting;
    } else if (fitting * SHARE < this.#size && this.#size > SHARED_SIZE) {
      if (++this.#smallReads < SHRINK_AFTER) return;
      this.#size = Math.max(this.#size / SHARE, SHARED_SIZE);
    }
    this.#smallReads = 0;
  }

  /** Moves to memory with both of these and nothing else. */
  #join(first: Uint8Array, second: Uint8Array): void {
    const joined = concat(first, second);
    this.#use(joined, joined.length);
  }

  /** Changes to memory that no one else has, and that holds `length` bytes. */
  #use(memory: Chunk, length: number): void {
    this.#memory = memory;
    this.#start = 0;
    this.#end = length;
    this.#isLent = false;
  }

  #view(): Chunk {
    return this.#memory.subarray(this.#start, this.#end);
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

function floorPowerOfTwo(n: number): number {
  return 2 ** Math.floor(Math.log2(n));
}

function ceilPowerOfTwo(n: number): number {
  return n <= 1 ? 1 : 2 ** Math.ceil(Math.log2(n));
}
