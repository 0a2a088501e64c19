/**
 * What an endpoint needs from the runtime. One file per backend implements this interface, and only
 * those files touch the runtime's sockets.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";

/** What takes the datagrams that a driver receives. Its methods never throw. */
export interface DatagramSink {
  /**
   * Takes one datagram.
   *
   * @param view The bytes, at most one more than are accepted; valid during the call only.
   * @param from The sender, with IPv4 in its plain form.
   */
  received(view: Uint8Array, from: SocketAddress): void;
  /** Takes an error of the runtime; receiving continues. */
  failed(error: unknown): void;
}

/** How to change one membership in a multicast group. */
export interface Membership {
  leave(): void | Promise<void>;
  setLoopback(loopback: boolean): void | Promise<void>;
  /** `undefined` where the runtime cannot. */
  setTtl: ((ttl: number) => void | Promise<void>) | undefined;
}

/** A bound datagram socket. */
export interface Driver {
  readonly backend: "deno" | "node";
  readonly addr: SocketAddress;
  /** Whether it is an IPv6 socket. */
  readonly v6: boolean;
  /** Whether several sends at one time leave in their order. If not, one must be made at a time. */
  readonly ordersSends: boolean;
  /** Begins to receive; from then on without a pause. */
  start(sink: DatagramSink): void;
  /**
   * Sends one datagram; rejects with the runtime's error, and never throws. The bytes may be read until
   * the promise settles.
   *
   * @param to A numeric address or a path.
   */
  send(data: Uint8Array, to: SocketAddress): Promise<unknown>;
  join(group: string, networkInterface: string | undefined): Promise<Membership>;
  ref(): void;
  unref(): void;
  /** Settles when the port can be bound again. */
  close(): Promise<void>;
}

/** Where and how to bind. */
export interface OpenOptions {
  /** A numeric address. */
  readonly hostname: string;
  readonly port: number;
  readonly v6: boolean;
  /** The size of the buffer to receive into. */
  readonly bufferSize: number;
  readonly reuseAddress: boolean;
  readonly mayBroadcast: boolean;
}
