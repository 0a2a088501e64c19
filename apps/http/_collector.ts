/**
 * Pieces as one.
 *
 * @module
 */

const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);
const MIN_CAPACITY = 1024;

/**
 * Bytes that come in pieces. They are copied into memory that doubles: a list of the pieces would cost
 * more than the bytes where a server sends them one by one.
 */
export class Collector {
  #memory = EMPTY;
  #length = 0;

  /** How many bytes there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds a piece. */
  add(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#memory.length) {
      const memory = new Uint8Array(Math.max(length, 2 * this.#memory.length, MIN_CAPACITY));
      memory.set(this.#memory.subarray(0, this.#length));
      this.#memory = memory;
    }
    this.#memory.set(piece, this.#length);
    this.#length = length;
  }

  /** All of them. */
  take(): Uint8Array<ArrayBuffer> {
    const isFull = this.#memory.length === this.#length;
    return isFull ? this.#memory : this.#memory.slice(0, this.#length);
  }
}
