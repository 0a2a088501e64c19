/**
 * What the parts of one endpoint share.
 *
 * @module
 */
import {
  ClosedError,
  type NetOperation,
  type NetTransport,
  type SocketAddress,
} from "../errors.ts";
import { formatAddr } from "../common/address.ts";
import type { OperationContext } from "../common/net_error.ts";
import { isSame } from "./_address.ts";
import { EndpointCounts } from "./endpoint_stats.ts";
import type { SocketLimits } from "./options.ts";

/** The limits of one endpoint, what it counts, and what its errors say. */
export class SocketState {
  readonly counts: EndpointCounts = new EndpointCounts();
  readonly limits: SocketLimits;
  readonly addr: SocketAddress;
  readonly transport: NetTransport;
  readonly #signal: AbortSignal | undefined;
  /** Whether the signal has closed the endpoint. */
  isAborted = false;

  constructor(addr: SocketAddress, limits: SocketLimits, signal: AbortSignal | undefined) {
    this.addr = addr;
    this.limits = limits;
    this.transport = "path" in addr ? "unixpacket" : "udp";
    this.#signal = signal;
  }

  context(operation: NetOperation, remoteAddr?: SocketAddress): OperationContext {
    return { operation, transport: this.transport, localAddr: this.addr, remoteAddr };
  }

  /** The error of a call that needs an open socket: the signal's reason, if that has closed it. */
  closedError(operation: NetOperation, to?: SocketAddress): unknown {
    if (this.isAborted) return this.#signal?.reason;
    const message = `Cannot ${operation}: the socket on ${formatAddr(this.addr)} was closed here`;
    return new ClosedError("closed", message, this.context(operation, to));
  }

  /**
   * Counts a datagram that was received.
   *
   * @param peer The only address that it may come from, if there is one.
   * @returns The bytes, cut to `maxDatagramSize` if they are more; `null` if a stranger has sent them.
   */
  admit(
    view: Uint8Array,
    from: SocketAddress,
    peer: SocketAddress | undefined,
  ): Uint8Array | null {
    const { counts, limits } = this;
    counts.datagramsReceived++;
    counts.bytesReceived += view.length;
    if (peer !== undefined && !isSame(peer, from)) {
      counts.strangers++;
      return null;
    }
    if (view.length <= limits.maxDatagramSize) return view;
    counts.truncated++;
    return view.subarray(0, limits.maxDatagramSize);
  }
}
