/** Small pieces of memory cut from larger ones. @module */

const SLAB_SIZE = 4096;
/** Larger pieces are not worth sharing memory for. */
const MAX_SHARED = 512;

/**
 * Memory for frames that must be unescaped. A piece is never used twice, so it belongs to whoever
 * holds it; while held, it keeps at most one slab alive.
 */
export class Slab {
  #memory = new ArrayBuffer(0);
  #used = 0;

  /** Returns `length` bytes of zeros. */
  take(length: number): Uint8Array {
    if (length > MAX_SHARED) return new Uint8Array(length);
    if (this.#used + length > this.#memory.byteLength) {
      this.#memory = new ArrayBuffer(SLAB_SIZE);
      this.#used = 0;
    }
    const piece = new Uint8Array(this.#memory, this.#used, length);
    this.#used += length;
    return piece;
  }
}
