/**
 * Binding datagram sockets.
 *
 * @module
 */
import { checkCount, checkExcluded, checkOptions } from "../common/options.ts";
import { another, checkMaxSize, open } from "./_open.ts";
import { createEndpoint, type EndpointOptions, type UdpEndpoint } from "./endpoint.ts";
import { BIND_NAMES, DEFAULTS, type UdpBindOptions, type UnixDatagramOptions } from "./options.ts";

/**
 * Binds a unix datagram socket.
 *
 * @param options Where to bind, and how much may wait.
 * @returns The endpoint, which is receiving already.
 * @throws {Deno.errors.AddrInUse} If there is such a file.
 * @throws {Deno.errors.NotCapable} Without the permission to bind there.
 * @throws {Deno.errors.NotSupported} If the runtime was started without `--unstable-net`.
 * @throws {RangeError | TypeError} If there is no such option, or one is out of range.
 */
export function bindUdp(options: UnixDatagramOptions): Promise<UdpEndpoint<Deno.UnixAddr>>;
/**
 * Binds a UDP port.
 *
 * @param options Where to bind, and how much may wait.
 * @returns The endpoint, which is receiving already.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 * @throws {Deno.errors.AddrNotAvailable} If the address is not one of this machine's.
 * @throws {Deno.errors.NotFound} If the host has no address.
 * @throws {Deno.errors.NotCapable} Without the permission to bind there.
 * @throws {Deno.errors.NotSupported} With `backend: "deno"`, if the runtime was started without
 * `--unstable-net`.
 * @throws {RangeError | TypeError} If there is no such option, or one is out of range.
 *
 * @example
 * ```ts
 * import { bindUdp } from "@tincan/net/udp";
 *
 * await using endpoint = await bindUdp({ port: 0 });
 * await endpoint.send("is anyone there?", { port: 9 });
 * ```
 */
export function bindUdp(options?: UdpBindOptions): Promise<UdpEndpoint<Deno.NetAddr>>;
/**
 * Binds a port or a path, where only the program knows which.
 *
 * @param options Where to bind, and how much may wait.
 * @returns The endpoint, which is receiving already.
 */
export function bindUdp(options: UdpBindOptions | UnixDatagramOptions): Promise<UdpEndpoint>;
// deno-lint-ignore require-await -- what is wrong with the options must become a rejection
export async function bindUdp(
  options: UdpBindOptions | UnixDatagramOptions = {},
): Promise<UdpEndpoint> {
  checkOptions("bindUdp", options, BIND_NAMES);
  return bind(options);
}

/** What only a UDP socket has. */
const UDP_ONLY = ["port", "hostname", "reuseAddress", "broadcast"] as const;

/** Binds a socket, of which the names of the options were checked. */
export async function bind(options: EndpointOptions): Promise<UdpEndpoint> {
  const { signal } = options;
  signal?.throwIfAborted();
  checkExcluded<EndpointOptions>(options, "path", UDP_ONLY);
  const maxSize = checkMaxSize(options);
  checkCount("maxQueue", options.maxQueue ?? DEFAULTS.maxQueue);
  checkCount("maxQueueBytes", options.maxQueueBytes ?? DEFAULTS.maxQueueBytes);
  checkCount("maxRequests", options.maxRequests ?? DEFAULTS.maxRequests);
  checkCount("maxRequestSockets", options.maxRequestSockets ?? DEFAULTS.maxRequestSockets, 1);
  checkCount("maxSendQueue", options.maxSendQueue ?? DEFAULTS.maxSendQueue, 1);
  checkCount("maxSendQueueBytes", options.maxSendQueueBytes ?? DEFAULTS.maxSendQueueBytes);
  const driver = await open(options, maxSize);
  try {
    signal?.throwIfAborted();
  } catch (error) {
    await driver.close();
    throw error;
  }
  const openAnother = () => open(another(options), maxSize);
  return createEndpoint({ driver, openAnother, maxSize, options });
}
