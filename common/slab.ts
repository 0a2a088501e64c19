/**
 * Small pieces of memory cut from larger ones.
 *
 * @module
 */

/**
 * Memory for many small pieces, at a fraction of what allocating each would cost. A piece is never
 * used twice, so it belongs to its holder; while held, it keeps at most one slab alive.
 */
export class Slab {
  readonly #size: number;
  readonly #maxShared: number;
  #memory = new ArrayBuffer(0);
  #used = 0;

  /**
   * @param size How large the memory is that pieces are cut from, in bytes.
   * @param maxShared Up to which length a piece is cut, in bytes. Larger ones have memory of their own.
   */
  constructor(size = 4096, maxShared = 512) {
    this.#size = size;
    this.#maxShared = maxShared;
  }

  /** Returns `length` bytes of zeros. */
  take(length: number): Uint8Array<ArrayBuffer> {
    if (length > this.#maxShared) return new Uint8Array(length);
    if (this.#used + length > this.#memory.byteLength) {
      this.#memory = new ArrayBuffer(this.#size);
      this.#used = 0;
    }
    const piece = new Uint8Array(this.#memory, this.#used, length);
    this.#used += length;
    return piece;
  }

  /** Returns a copy of `bytes`. */
  copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    if (bytes.length > this.#maxShared) return new Uint8Array(bytes);
    const piece = this.take(bytes.length);
    piece.set(bytes);
    return piece;
  }
}
