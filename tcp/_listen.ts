/**
 * Opening the listener of a server.
 *
 * @module
 */
import {
  checkHostname,
  checkPath,
  checkPort,
  formatHostPort,
  hasPath,
  unixAddr,
} from "../common/address.ts";
import { checkCount, checkExcluded } from "../common/options.ts";
import type { OperationContext } from "../common/net_error.ts";
import { identifyFile } from "../_internal/socket_file.ts";
import { translate } from "../_internal/translate.ts";
import { hasUnstableNet, needsUnstableNet } from "../_internal/unstable_net.ts";
import { PORT_OPTIONS, type TcpServerOptions, type UnixServerOptions } from "./server_options.ts";

/** Listens on a port or a path. */
export function listen(options: TcpServerOptions | UnixServerOptions): Deno.Listener {
  return hasPath(options) ? listenUnix(options) : listenTcp(options);
}

function listenTcp(options: TcpServerOptions): Deno.Listener {
  const { port = 0, tls, reusePort = false } = options;
  const hostname = checkHostname("hostname", options.hostname ?? "127.0.0.1");
  const backlog = checkCount("backlog", options.backlog ?? 511, 1);
  checkPort("port", port);
  const context: OperationContext = {
    operation: "listen",
    transport: tls === undefined ? "tcp" : "tls",
    target: formatHostPort(hostname, port),
  };
  // Without its flag the runtime would end the process instead of throwing.
  if (reusePort && !hasUnstableNet()) throw needsUnstableNet('option "reusePort"', context);
  const shared = { hostname, port, tcpBacklog: backlog, ...(reusePort ? { reusePort } : {}) };
  try {
    if (tls === undefined) return Deno.listen(shared);
    return Deno.listenTls({ ...shared, ...tls, alpnProtocols: tls.alpnProtocols ?? [] });
  } catch (error) {
    throw translate(error, context);
  }
}

function listenUnix(options: UnixServerOptions): Deno.Listener {
  const path = checkPath(options.path);
  checkExcluded(options, "path", PORT_OPTIONS);
  try {
    return listenUnixSocket(path);
  } catch (error) {
    const localAddr = unixAddr("unix", path);
    throw translate(error, { operation: "listen", transport: "unix", localAddr });
  }
}

/**
 * Listens on `path`.
 *
 * When the listener is closed, the runtime removes the file of that name, whichever it is by then. A
 * server that was replaced while its last handlers ran would remove the socket of its successor; here
 * such a file is put back. Nothing in this process notices; another process may find no file for a moment.
 */
function listenUnixSocket(path: string): Deno.UnixListener {
  const listener = Deno.listen({ transport: "unix", path });
  const own = identifyFile(path);
  const accept = listener.accept.bind(listener);
  const close = listener.close.bind(listener);
  let isAccepting = false;
  let kept: string | undefined;
  listener.accept = async () => {
    isAccepting = true;
    try {
      return await accept();
    } finally {
      isAccepting = false;
      if (kept !== undefined) putBack(kept, path); // the runtime closes after the last accept only
    }
  };
  listener.close = () => {
    const now = identifyFile(path);
    if (now !== undefined && now !== own) kept = keep(path);
    close();
    if (kept !== undefined && !isAccepting) putBack(kept, path);
  };
  return listener;
}

/** Gives a file a second name; `undefined` without the permission for that. */
function keep(path: string): string | undefined {
  const kept = `${path}.${crypto.randomUUID().slice(0, 8)}`;
  try {
    Deno.linkSync(path, kept);
    return kept;
  } catch {
    return undefined;
  }
}

function putBack(kept: string, path: string): void {
  try {
    Deno.linkSync(kept, path); // unlike renaming, it replaces nothing
  } catch {
    // Another process listens there already.
  }
  Deno.removeSync(kept);
}
