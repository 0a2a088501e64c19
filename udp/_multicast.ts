/**
 * Multicast groups.
 *
 * @module
 */
import { ClosedError, type SocketAddress } from "../errors.ts";
import { formatAddr } from "../common/address.ts";
import { checkCount, type OptionNames } from "../common/options.ts";
import { netError, type OperationContext } from "../common/net_error.ts";
import { translate } from "../_internal/translate.ts";
import { numeric } from "./_numeric_address.ts";
import type { Driver } from "./_driver.ts";

/** On which interface to join a group, and how far to send. */
export interface MulticastOptions {
  /**
   * The interface: for IPv4 its address, for IPv6 its index as text. Datagrams to the group leave
   * through the interface that the system's routes choose, or the one whose address is bound.
   *
   * @default {undefined} the system chooses
   */
  interface?: string | undefined;
  /**
   * How many routers a datagram to the group may pass: 1 stays on the local network. IPv4 only, and for all groups of the endpoint.
   *
   * @default {undefined} the system's value, which is 1
   */
  ttl?: number | undefined;
  /**
   * Whether members on this machine get what is sent from here, for all groups of the endpoint.
   *
   * @default {undefined} the system's value, which is `true`
   */
  loopback?: boolean | undefined;
}

/** The names of these options. */
export const MULTICAST_NAMES: OptionNames<MulticastOptions> = {
  interface: true,
  ttl: true,
  loopback: true,
};

/** Being a member of a multicast group. */
export interface MulticastMembership {
  /** The group's address. */
  readonly group: string;
  /**
   * Leaves the group. Calling it again does nothing, and closing the endpoint leaves all groups.
   *
   * @throws {Error} If the system refuses.
   */
  leave(): Promise<void>;
  /**
   * Changes how many routers a datagram may pass.
   *
   * @param ttl From 1 to 255.
   * @throws {RangeError} If `ttl` is out of range.
   * @throws {Deno.errors.NotSupported} On an IPv6 socket: the runtime cannot.
   */
  setTtl(ttl: number): Promise<void>;
  /**
   * Changes whether members on this machine get what is sent from here.
   *
   * @param loopback Whether they do.
   * @throws {Error} If the system refuses.
   */
  setLoopback(loopback: boolean): Promise<void>;
}

/** What was set for all groups of an endpoint, and the membership it was set through. */
export interface GroupSettings extends MulticastOptions {
  group?: string | undefined;
}

/** Joins a group on a driver's socket, and notes what is set for all groups. */
export async function joinGroup(
  driver: Driver,
  group: string,
  options: MulticastOptions,
  { context, settings }: { context: OperationContext; settings: GroupSettings },
): Promise<MulticastMembership> {
  const { ttl, loopback } = options;
  const address = numeric(group);
  if (context.transport !== "udp" || !address?.multicast || address.v6 !== driver.v6) {
    const family = driver.v6 ? "IPv6" : "IPv4";
    const expected = context.transport === "udp"
      ? `an ${family} multicast address`
      : "a UDP socket";
    throw new TypeError(`Cannot join the group ${group}: expected ${expected}`);
  }
  const checkTtl = (ttl: number) => checkCount("ttl", ttl, 1, 255);
  if (ttl !== undefined) checkTtl(ttl);
  const attempt = async <T>(what: () => T | Promise<T>): Promise<T> => {
    try {
      return await what();
    } catch (error) {
      throw translate(error, context);
    }
  };
  const membership = await attempt(() => driver.join(address.hostname, options.interface));
  let left = false;
  const result: MulticastMembership = {
    group,
    async leave() {
      if (left) return;
      left = true;
      await attempt(() => membership.leave());
    },
    async setTtl(ttl) {
      checkTtl(ttl);
      checkMember();
      const { setTtl } = membership;
      if (setTtl === undefined) {
        const reason = "the runtime cannot change it for IPv6";
        throw netError(Deno.errors.NotSupported, "ENOTSUP", reason, context);
      }
      await attempt(() => setTtl(ttl));
      Object.assign(settings, { group, interface: options.interface, ttl });
    },
    async setLoopback(loopback) {
      checkMember();
      await attempt(() => membership.setLoopback(loopback));
      Object.assign(settings, { group, interface: options.interface, loopback });
    },
  };
  function checkMember(): void {
    if (!left) return;
    const message = `Cannot change the membership: ${group} on ${formatAddr(driver.addr)} was left`;
    throw new ClosedError("closed", message, context);
  }
  try {
    if (ttl !== undefined) await result.setTtl(ttl);
    if (loopback !== undefined) await result.setLoopback(loopback);
  } catch (error) {
    await result.leave();
    throw error;
  }
  return result;
}

/** Sets on a new socket that sends to a group what was set on the endpoint's own. */
export async function applySettings(
  driver: Driver,
  to: SocketAddress,
  settings: GroupSettings,
  context: OperationContext,
): Promise<void> {
  if (settings.group === undefined || !("hostname" in to) || !numeric(to.hostname)?.multicast) {
    return;
  }
  try {
    await joinGroup(driver, settings.group, settings, { context, settings: {} });
  } catch (error) {
    await driver.close();
    throw error;
  }
}
