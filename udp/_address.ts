/**
 * Where a datagram goes: as callers write it, and whether another one came from there.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { checkPort } from "../common/address.ts";
import { checkOptions, type OptionNames } from "../common/options.ts";
import { withoutZone } from "./_numeric_address.ts";

/** Where to send to: a host and a port, or a path. A `Datagram`'s `from` fits, too. */
export type UdpTarget = {
  /**
   * The receiver's address or name. A name is looked up for each datagram; give an address to send
   * many.
   *
   * @default {"127.0.0.1"}
   */
  readonly hostname?: string | undefined;
  /** The receiver's port, from 1 to 65535. */
  readonly port: number;
} | {
  /** The path of the receiver's unix socket. */
  readonly path: string;
};

/** Whether `from` is where was sent to. */
export function isSame(to: SocketAddress, from: SocketAddress): boolean {
  if (to === from) return true;
  if ("path" in to) return "path" in from && from.path === to.path;
  return "port" in from && from.port === to.port && from.hostname === withoutZone(to.hostname);
}

const TARGET_NAMES: OptionNames<Deno.NetAddr> = { transport: true, hostname: true, port: true };

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
    // Whatever else the host was called, it would have been sent to this machine.
    if (to.hostname === undefined) checkOptions(action, to, TARGET_NAMES);
    checkPort("port", to.port, 1);
  }
}

/** Whether something can be sent to a sender: port 0 and a socket without a path take no answers. */
export function canAnswer(from: SocketAddress): boolean {
  return "path" in from ? from.path !== "" : from.port !== 0;
}

/** What tells senders apart. */
export function senderKey(from: SocketAddress): string {
  return "path" in from ? from.path : `${from.hostname} ${from.port}`;
}
