/**
 * Datagrams that wait to be taken.
 *
 * @module
 */
import { Fifo } from "../common/fifo.ts";
import type { Datagram } from "./datagram.ts";

/** A queue with a bound on how many it holds and on their bytes. */
export class DatagramQueue<D extends Datagram = Datagram> {
  /** How many bytes wait. */
  bytes = 0;
  readonly #maxCount: number;
  readonly #maxBytes: number;
  readonly #items = new Fifo<D>();

  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  /** How many wait. */
  get size(): number {
    return this.#items.size;
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
    const datagram = this.#items.shift();
    if (datagram !== undefined) this.bytes -= datagram.data.length;
    return datagram;
  }

  /** Forgets all of them. */
  clear(): void {
    this.#items.takeAll();
    this.bytes = 0;
  }
}
