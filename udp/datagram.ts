/**
 * What a datagram socket receives.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";

/** Bytes, or text that is sent as UTF-8. */
export type DatagramData = Uint8Array | string;

/**
 * One datagram that was received.
 *
 * @typeParam Addr What the sender's address looks like: `Deno.NetAddr` on a port, `Deno.UnixAddr` on a
 * path.
 */
export interface Datagram<Addr extends SocketAddress = SocketAddress> {
  /**
   * The bytes, owned by the receiver. A small datagram shares its memory with its neighbours: one
   * that is kept keeps up to 8 KiB alive; keep a `slice()` where that matters.
   */
  readonly data: Uint8Array<ArrayBuffer>;
  /** The sender. IPv4 senders to a dual-stack socket show as plain IPv4. */
  readonly from: Addr;
  /** Whether the datagram was longer than `maxDatagramSize`: then the rest of it is lost. */
  readonly truncated: boolean;
  /**
   * The bytes as UTF-8 text. What is not valid UTF-8 becomes U+FFFD, the replacement character, and a
   * byte order mark stays; use `data` where that matters.
   *
   * @returns The text.
   */
  text(): string;
  /**
   * Sends an answer to the sender.
   *
   * @param data Bytes, or text that is sent as UTF-8. Leave a buffer alone until the promise has
   * settled.
   * @returns A promise that settles when the system has taken it. That is not a receipt.
   * @throws {RangeError} If it is longer than a datagram can be.
   * @throws {TypeError} If the sender is a unix socket without a path.
   * @throws {ClosedError} If the socket was closed here.
   */
  reply(data: DatagramData): Promise<void>;
}

/** What sends the answers to a datagram. */
export interface Replier {
  sendReply(datagram: Datagram, data: DatagramData): Promise<void>;
}

/** A datagram as it is handed out. */
export class ReceivedDatagram implements Datagram {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly from: SocketAddress;
  readonly truncated: boolean;
  readonly #replier: Replier;

  constructor(
    data: Uint8Array<ArrayBuffer>,
    from: SocketAddress,
    truncated: boolean,
    replier: Replier,
  ) {
    this.data = data;
    this.from = from;
    this.truncated = truncated;
    this.#replier = replier;
  }

  text(): string {
    return decoder.decode(this.data);
  }

  reply(data: DatagramData): Promise<void> {
    return this.#replier.sendReply(this, data);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The bytes to send. */
export function toBytes(data: DatagramData): Uint8Array {
  if (typeof data === "string") return encoder.encode(data);
  if (data instanceof Uint8Array) return data;
  throw new TypeError(`Cannot send: data must be a Uint8Array or a string, not ${typeof data}`);
}
