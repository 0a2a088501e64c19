/**
 * What one socket can send to.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { formatAddr, netAddr, unixAddr } from "../common/address.ts";
import { netError } from "../common/net_error.ts";
import type { UdpTarget } from "./_address.ts";
import type { SocketState } from "./_socket_state.ts";
import { destination, type Numeric, numeric, resolve } from "./_numeric_address.ts";

/** The longest datagram that can be sent over IPv4 and over IPv6, in bytes. */
const MAX_SEND_V4 = 65_507;
const MAX_SEND_V6 = 65_527;

/** Turns targets as callers write them into addresses that the socket reaches. */
export class Targets {
  readonly #state: SocketState;
  readonly #v6: boolean;
  readonly #broadcast: boolean;

  /**
   * @param v6 Whether it is an IPv6 socket.
   * @param broadcast Whether it may send to broadcast addresses.
   */
  constructor(state: SocketState, v6: boolean, broadcast: boolean) {
    this.#state = state;
    this.#v6 = v6;
    this.#broadcast = broadcast;
  }

  /** The numeric address of a target, `null` if it has a name that must be looked up. */
  addressOf(operation: "send" | "request", to: UdpTarget): SocketAddress | null {
    const isPath = "path" in to;
    if (isPath !== (this.#state.transport === "unixpacket")) {
      throw new TypeError(
        `Cannot ${operation}: a ${isPath ? "UDP" : "unix"} socket sends to ${
          isPath ? "a host and port, not to a path" : "a path, not to a host and port"
        }`,
      );
    }
    if (isPath) return unixAddr("unixpacket", to.path);
    const address = numeric(to.hostname ?? "127.0.0.1");
    return address && this.#reached(operation, address, to.port);
  }

  /** Looks the name of a target up. */
  async lookUp({ hostname, port }: Deno.NetAddr): Promise<SocketAddress> {
    return this.#reached("send", await resolve(hostname, this.#v6, port), port);
  }

  #reached(operation: "send" | "request", address: Numeric, port: number): SocketAddress {
    const to = netAddr("udp", destination(address.hostname), port);
    if (address.v6 && !this.#v6) {
      const reason = "an IPv4 socket does not reach IPv6 addresses";
      throw netError(Error, "EAFNOSUPPORT", reason, this.#state.context(operation, to));
    }
    if (address.broadcast && !this.#broadcast) {
      const reason = 'broadcasting needs the option "broadcast"';
      throw netError(
        Deno.errors.PermissionDenied,
        "EACCES",
        reason,
        this.#state.context(operation, to),
      );
    }
    return to;
  }
}

/** Checks that a datagram can hold so many bytes. */
export function checkSize(length: number, to: SocketAddress): void {
  if ("path" in to) return;
  const limit = to.hostname.includes(":") ? MAX_SEND_V6 : MAX_SEND_V4;
  if (length > limit) {
    throw new RangeError(
      `Cannot send to ${
        formatAddr(to)
      }: a datagram holds up to ${limit} bytes, current size is ${length}`,
    );
  }
}

/** Whether answers from other addresses are to be expected. */
export function isForMany(to: SocketAddress): boolean {
  if ("path" in to) return false;
  const address = numeric(to.hostname);
  return address !== null && (address.multicast || address.broadcast);
}
