/**
 * Whom a datagram goes to: the form in which callers say it, and whether it is whom one came from.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { checkPort } from "../common/address.ts";
import { withoutZone } from "./numeric_address.ts";

/** Whom to send to, as callers write it: host and port, or a path. A `Datagram`'s `from` fits too. */
export type UdpTarget = {
  /**
   * The receiver's address or name. A name is looked up for each datagram; give an address to send
   * many.
   *
   * @default {"127.0.0.1"}
   */
  readonly hostname?: string;
  /** The receiver's port, from 1 to 65535. */
  readonly port: number;
} | {
  /** The path of the receiver's unix socket. */
  readonly path: string;
};

/** Whether `from` is the one that was sent to. */
export function isSame(to: SocketAddress, from: SocketAddress): boolean {
  if ("path" in to) return "path" in from && from.path === to.path;
  return "port" in from && from.port === to.port && from.hostname === withoutZone(to.hostname);
}

/** Checks the form of a target. */
export function checkTarget(action: string, to: UdpTarget): void {
  if (typeof to !== "object" || to === null) {
    throw new TypeError(`Cannot ${action}: the target must be an object, not ${typeof to}`);
  }
  if ("path" in to) {
    if (typeof to.path !== "string" || to.path === "") {
      throw new TypeError(`Cannot ${action}: the sender has no path to answer to`);
    }
  } else {
    checkPort(action, to.port, 1);
  }
}

/** Whether something can be sent to a sender: port 0 and a socket without a path take no answers. */
export function canAnswer(from: SocketAddress): boolean {
  return "path" in from ? from.path !== "" : from.port !== 0;
}
