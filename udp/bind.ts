/**
 * Binding datagram sockets.
 *
 * @module
 */
import { checkCount } from "../common/options.ts";
import { another, checkMaxSize, open } from "./_open.ts";
import { createEndpoint, type EndpointOptions, type UdpEndpoint } from "./endpoint.ts";
import {
  DEFAULT_MAX_QUEUE,
  DEFAULT_MAX_QUEUE_BYTES,
  DEFAULT_MAX_REQUEST_SOCKETS,
  DEFAULT_MAX_REQUESTS,
  DEFAULT_MAX_SEND_QUEUE,
  DEFAULT_MAX_SEND_QUEUE_BYTES,
  type UdpBindOptions,
  type UnixDatagramOptions,
} from "./options.ts";

/**
 * Binds a datagram socket: a UDP port, or a unix socket with `path`.
 *
 * @param options Where to bind, and how much may wait.
 * @returns The endpoint, which is receiving already.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 * @throws {Deno.errors.AddrNotAvailable} If the address is not one of this machine's.
 * @throws {Deno.errors.NotFound} If the host has no address.
 * @throws {Deno.errors.NotCapable} Without the permission to bind there.
 * @throws {Deno.errors.NotSupported} With `path` or `backend: "deno"`, if the runtime was started
 * without `--unstable-net`.
 * @throws {RangeError | TypeError} If an option is out of range.
 *
 * @example
 * ```ts
 * import { bindUdp } from "@tincan/net/udp";
 *
 * await using endpoint = await bindUdp({ port: 0 });
 * await endpoint.send("anybody there?", { port: 9 });
 * ```
 */
export async function bindUdp(
  options: UdpBindOptions | UnixDatagramOptions = {},
): Promise<UdpEndpoint> {
  return await bind(options);
}

/** Binds a socket that may listen to one peer only. */
export async function bind(options: EndpointOptions): Promise<UdpEndpoint> {
  const { signal } = options;
  signal?.throwIfAborted();
  const maxSize = checkMaxSize(options);
  checkCount("maxQueue", options.maxQueue ?? DEFAULT_MAX_QUEUE);
  checkCount("maxQueueBytes", options.maxQueueBytes ?? DEFAULT_MAX_QUEUE_BYTES);
  checkCount("maxRequests", options.maxRequests ?? DEFAULT_MAX_REQUESTS);
  checkCount("maxRequestSockets", options.maxRequestSockets ?? DEFAULT_MAX_REQUEST_SOCKETS, 1);
  checkCount("maxSendQueue", options.maxSendQueue ?? DEFAULT_MAX_SEND_QUEUE, 1);
  checkCount("maxSendQueueBytes", options.maxSendQueueBytes ?? DEFAULT_MAX_SEND_QUEUE_BYTES);
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
