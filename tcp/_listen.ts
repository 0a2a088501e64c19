/**
 * Opening the listener of a server.
 *
 * @module
 */
import type { NetTransport, SocketAddress } from "../errors.ts";
import {
  checkHostname,
  checkPath,
  checkPort,
  formatHostPort,
  hasPath,
  normaliseAddr,
  unixAddr,
} from "../common/address.ts";
import { checkCount, checkExcluded } from "../common/options.ts";
import { netError, type OperationContext } from "../common/net_error.ts";
import { translate } from "../_internal/translate.ts";
import { PORT_OPTIONS, type TcpServerOptions, type UnixServerOptions } from "./server_options.ts";
import { listenUnixSocket } from "./_unix_listener.ts";

/** A listener, and how its connections are to be prepared. */
export interface Listening {
  listener: Deno.Listener;
  transport: NetTransport;
  addr: SocketAddress;
  noDelay: boolean;
  keepAlive: boolean;
}

/** Listens on a port or a path. */
export function listen(options: TcpServerOptions | UnixServerOptions): Listening {
  return hasPath(options) ? listenUnix(options) : listenTcp(options);
}

function listenTcp(options: TcpServerOptions): Listening {
  const { port = 0, tls, reusePort = false, noDelay = true, keepAlive = false } = options;
  const hostname = checkHostname("hostname", options.hostname ?? "127.0.0.1");
  const backlog = checkCount("backlog", options.backlog ?? 511, 1);
  checkPort("port", port);
  const transport = tls === undefined ? "tcp" : "tls";
  const context: OperationContext = {
    operation: "listen",
    transport,
    target: formatHostPort(hostname, port),
  };
  // Without its flag the runtime would end the process instead of throwing.
  if (reusePort && Deno.listenDatagram === undefined) {
    throw netError(
      Deno.errors.NotSupported,
      "ENOTSUP",
      'option "reusePort" needs the runtime flag --unstable-net',
      context,
    );
  }
  const shared = { hostname, port, tcpBacklog: backlog, ...(reusePort ? { reusePort } : {}) };
  try {
    const listener: Deno.Listener = tls === undefined
      ? Deno.listen(shared)
      : Deno.listenTls({ ...shared, ...tls, alpnProtocols: tls.alpnProtocols ?? [] });
    const addr = normaliseAddr(listener.addr);
    return { listener, transport, addr, noDelay, keepAlive };
  } catch (error) {
    throw translate(error, context);
  }
}

function listenUnix(options: UnixServerOptions): Listening {
  const { path } = options;
  checkPath(path);
  checkExcluded(options, "path", PORT_OPTIONS);
  const addr = unixAddr("unix", path);
  try {
    const listener = listenUnixSocket(path);
    return { listener, transport: "unix", addr, noDelay: false, keepAlive: false };
  } catch (error) {
    throw translate(error, { operation: "listen", transport: "unix", localAddr: addr });
  }
}
