/**
 * Datagrams that wait for somebody to take them.
 *
 * @module
 */
import type { Datagram } from "./datagram.ts";

/** So many places that are free again are worth moving the rest. */
const COMPACT_FROM = 1_024;

/** A queue with a bound on how many it holds and on their bytes. */
export class DatagramQueue<D extends Datagram = Datagram> {
  /** How many bytes wait. */
  bytes = 0;
  readonly #maxCount: number;
  readonly #maxBytes: number;
  #items: (D | undefined)[] = [];
  #first = 0;

  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  /** How many wait. */
  get size(): number {
    return this.#items.length - this.#first;
  }

  /** Whether `length` more bytes fit. */
  fits(length: number): boolean {
    return this.size < this.#maxCount && this.bytes + length <= this.#maxBytes;
  }

  push(datagram: D): void {
    this.#items.push(datagram);
    this.bytes += datagram.data.length;
  }

  shift(): D | undefined {
    const datagram = this.#items[this.#first];
    if (datagram === undefined) return undefined;
    this.bytes -= datagram.data.length;
    this.#items[this.#first++] = undefined;
    if (this.#first === this.#items.length) this.clear();
    else if (this.#first >= COMPACT_FROM && this.#first * 2 > this.#items.length) this.#compact();
    return datagram;
  }

  /** Forgets all of them. */
  clear(): void {
    this.#items = [];
    this.#first = 0;
    this.bytes = 0;
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#first);
    this.#first = 0;
  }
}
