/**
 * Binding a socket on one of the backends.
 *
 * @module
 */
import { checkPath, checkPort, formatHostPort, hasPath } from "../common/address.ts";
import { checkOneOf } from "../common/options.ts";
import { netError, type OperationContext } from "../common/net_error.ts";
import { translate } from "../_internal/translate.ts";
import { hasUnstableNet, needsUnstableNet } from "../_internal/unstable_net.ts";
import { resolve } from "./_numeric_address.ts";
import type { Driver, OpenOptions } from "./_driver.ts";
import { openDeno } from "./_driver_deno.ts";
import { openNode } from "./_driver_node.ts";
import { openUnix } from "./_driver_unix.ts";
import type { UdpBindOptions, UnixDatagramOptions } from "./options.ts";

/** Receivers of unix datagrams that may leave their queue full before the others wait for them. */
const UNIX_SENDERS = 16;

type UnixOptions = UnixDatagramOptions & {
  /** Sockets that send, if not as many as usual. */
  readonly senders?: number;
};

/** Binds a port or a path. */
export async function open(
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
  const how: OpenOptions = { ...address, port, bufferSize, reuseAddress, mayBroadcast: broadcast };
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
export function another(
  options: UdpBindOptions | UnixDatagramOptions,
): UdpBindOptions | UnixOptions {
  if (!hasPath(options)) return { ...options, port: 0, reuseAddress: false };
  const folder = options.path.slice(0, options.path.lastIndexOf("/") + 1);
  return { ...options, path: `${folder}.${crypto.randomUUID().slice(0, 8)}`, senders: 1 };
}
