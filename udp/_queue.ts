/**
 * Datagrams that wait to be taken or sent.
 *
 * @module
 */
import { Fifo } from "../common/fifo.ts";
/** An item with its bytes. */
interface Sized {
  readonly data: Uint8Array;
}

/** A queue with a bound on how many it holds and on their bytes. */
export class DatagramQueue<D extends Sized> extends Fifo<D> {
  /** How many bytes wait. */
  bytes = 0;
  readonly #maxCount: number;
  readonly #maxBytes: number;

  constructor(maxCount: number, maxBytes: number) {
    super();
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  /** Whether `length` more bytes fit. */
  fits(length: number): boolean {
    return this.size < this.#maxCount && this.bytes + length <= this.#maxBytes;
  }

  override push(datagram: D): void {
    super.push(datagram);
    this.bytes += datagram.data.length;
  }

  override shift(): D | undefined {
    const datagram = super.shift();
    if (datagram !== undefined) this.bytes -= datagram.data.length;
    return datagram;
  }

  override takeAll(): D[] {
    this.bytes = 0;
    return super.takeAll();
  }
}
