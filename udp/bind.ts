/**
 * Binding datagram sockets.
 *
 * @module
 */
import { checkPath, checkPort, formatHostPort, hasPath } from "../common/address.ts";
import { netError, type OperationContext } from "../common/net_error.ts";
import { checkCount, checkExcluded, checkOneOf, checkOptions } from "../common/options.ts";
import { BIND_NAMES } from "../common/udp_option_names.ts";
import { translate } from "../_internal/translate.ts";
import { hasUnstableNet, needsUnstableNet } from "../_internal/unstable_net.ts";
import type { Driver } from "./_driver.ts";
import { openDeno } from "./_driver_deno.ts";
import { openNode } from "./_driver_node.ts";
import { openUnix } from "./_driver_unix.ts";
import { resolve } from "./_numeric_address.ts";
import { DatagramSocket, type EndpointOptions } from "./_socket.ts";
import { UdpEndpoint } from "./endpoint.ts";
import {
  DEFAULTS,
  type SocketLimits,
  type UdpBindOptions,
  type UnixDatagramOptions,
} from "./options.ts";

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
export async function bindUdp(
  options: UdpBindOptions | UnixDatagramOptions = {},
): Promise<UdpEndpoint> {
  checkOptions<UdpBindOptions>("bindUdp", options, BIND_NAMES);
  return new UdpEndpoint(await bind(options));
}

/** The longest datagram over IPv6 without jumbograms (RFC 8200). */
const MAX_UDP_SIZE = 65_527;
/** More than Linux lets through a unix datagram socket by default. */
const MAX_UNIX_SIZE = 262_144;

/** What only a UDP socket has. */
const UDP_ONLY = ["port", "hostname", "reuseAddress", "broadcast"] as const;

/** Binds a socket, of which the names of the options were checked. */
export async function bind(options: EndpointOptions): Promise<DatagramSocket> {
  const { signal } = options;
  signal?.throwIfAborted();
  checkExcluded<EndpointOptions>(options, "path", UDP_ONLY);
  const limits = checkLimits(options);
  const { maxDatagramSize } = limits;
  const driver = await open(options, maxDatagramSize);
  try {
    signal?.throwIfAborted();
  } catch (error) {
    await driver.close();
    throw error;
  }
  const openAnother = () => open(another(options), maxDatagramSize);
  return new DatagramSocket(driver, limits, options, openAnother);
}

/** The limits of a socket, with their defaults. */
function checkLimits(options: EndpointOptions): SocketLimits {
  const largest = hasPath(options) ? MAX_UNIX_SIZE : MAX_UDP_SIZE;
  const check = (name: keyof SocketLimits, least: number, most?: number) =>
    checkCount(name, options[name] ?? DEFAULTS[name], least, most);
  return {
    maxDatagramSize: check("maxDatagramSize", 1, largest),
    maxQueue: check("maxQueue", 0),
    maxQueueBytes: check("maxQueueBytes", 0),
    maxRequests: check("maxRequests", 0),
    maxRequestSockets: check("maxRequestSockets", 1),
    maxSendQueue: check("maxSendQueue", 1),
    maxSendQueueBytes: check("maxSendQueueBytes", 0),
  };
}

/** Receivers of unix datagrams that may leave their queue full before the others wait for them. */
const UNIX_SENDERS = 16;

type UnixOptions = UnixDatagramOptions & {
  /** Sockets that send, if not as many as usual. */
  readonly senders?: number;
};

/** Binds a port or a path. */
async function open(
  options: UdpBindOptions | UnixOptions,
  maxSize: number,
): Promise<Driver> {
  const backend = checkOneOf("backend", options.backend ?? "auto", ["auto", "deno", "node"]);
  const useDeno = backend === "deno" || (backend === "auto" && hasUnstableNet());
  // One byte more than is accepted: that is how a longer datagram shows.
  const bufferSize = maxSize + 1;
  if (hasPath(options)) return bindUnix(options, useDeno, bufferSize);
  const { port = 0, hostname = "127.0.0.1", reuseAddress = false, broadcast = false } = options;
  checkPort("port", port);
  const context: OperationContext = {
    operation: "bind",
    transport: "udp",
    target: formatHostPort(hostname, port),
  };
  if (useDeno && !hasUnstableNet()) throw needsUnstableNet('backend "deno"', context);
  const address = await resolve(hostname, true, port);
  const how = { ...address, port, bufferSize, reuseAddress, mayBroadcast: broadcast };
  try {
    return useDeno ? openDeno(how) : await openNode(how);
  } catch (error) {
    throw translate(error, context);
  }
}

function bindUnix(options: UnixOptions, useDeno: boolean, bufferSize: number): Driver {
  const { senders = UNIX_SENDERS } = options;
  const path = checkPath(options.path);
  const context: OperationContext = { operation: "bind", transport: "unixpacket", target: path };
  if (!hasUnstableNet()) throw needsUnstableNet('option "path"', context);
  if (!useDeno) {
    const reason = 'option "path" needs backend "deno": node:dgram has no unix sockets';
    throw netError(Deno.errors.NotSupported, "ENOTSUP", reason, context);
  }
  try {
    return openUnix(path, bufferSize, senders);
  } catch (error) {
    throw translate(error, context);
  }
}

/** The options of one more socket like the one that was bound, with a port or path of its own. */
function another(
  options: UdpBindOptions | UnixDatagramOptions,
): UdpBindOptions | UnixOptions {
  if (!hasPath(options)) return { ...options, port: 0, reuseAddress: false };
  const folder = options.path.slice(0, options.path.lastIndexOf("/") + 1);
  return { ...options, path: `${folder}.${crypto.randomUUID().slice(0, 8)}`, senders: 1 };
}
