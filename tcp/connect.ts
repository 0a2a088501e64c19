/**
 * Clients of TCP, TLS and unix servers.
 *
 * @module
 */
import { isNetError } from "../errors.ts";
import {
  checkHostname,
  checkPath,
  checkPort,
  formatHostPort,
  hasPath,
  normaliseAddr,
  unixAddr,
} from "../common/address.ts";
import { afterLook } from "../common/after_look.ts";
import { deadline } from "../common/deadline.ts";
import { netError, type OperationContext, timedOut } from "../common/net_error.ts";
import {
  checkCount,
  checkExcluded,
  checkOneOf,
  checkOptions,
  checkRange,
  checkTimeout,
} from "../common/options.ts";
import { isSelfConnect } from "../common/self_connect.ts";
import { CLIENT_NAMES } from "../common/tcp_option_names.ts";
import { Backoff, sleep } from "../_internal/backoff.ts";
import { translate } from "../_internal/translate.ts";
import { shakeHands } from "./_handshakes.ts";
import type { RawSocket } from "./_link.ts";
import { startUnverifiedTls } from "./_tls_unverified.ts";
import {
  PORT_OPTIONS,
  type RetryOptions,
  type TcpConnectOptions,
  type TlsClientOptions,
  type UnixConnectOptions,
} from "./connect_options.ts";
import { createConnection, type TcpConnection } from "./connection.ts";
import { maxWriteQueueOf } from "./limits.ts";
import { CLIENT_TIMEOUTS, resolveTimeouts } from "./timeouts.ts";

/** The shortest wait before another attempt, in milliseconds: without one, attempts would be a flood. */
const MIN_DELAY = 1;

/** A socket with the addresses of its ends. */
interface Socket extends RawSocket {
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
}

/** An open socket and what the TLS handshake agreed on. */
interface Opened {
  socket: Socket;
  alpnProtocol: string | null;
}

/** How one attempt is made; `keep` holds every socket until the attempt has succeeded. */
interface Dialer {
  context: OperationContext;
  open(signal: AbortSignal, keep: (socket: Socket) => void): Promise<Opened>;
}

/**
 * Connects to a server.
 *
 * Cancellation: when the timeout or the signal ends the call, an attempt under way is abandoned, and
 * closed if it should succeed later.
 *
 * @param options Where to, how long to try, and what to speak.
 * @returns The connection, with the TLS handshake done where there is one.
 * @throws {Deno.errors.ConnectionRefused} If nothing listens there.
 * @throws {Deno.errors.TimedOut} If it took longer than `timeout`.
 * @throws {Deno.errors.NotFound} If there is no such host (code `ENOTFOUND`), or no such unix socket
 * (code `ENOENT`).
 * @throws {Deno.errors.InvalidData} If the TLS handshake failed (code `ETLS`).
 * @throws {Deno.errors.NotCapable} Without the permission to connect there.
 * @throws {RangeError | TypeError} If an option is out of range, or does not exist.
 *
 * @example
 * ```ts
 * import { connectTcp, serveTcp } from "@tincan/net/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveTcp({ port: 0, onListen() {} }, (conn) => conn.write("welcome\n"));
 * const { port } = server.addr;
 *
 * await using conn = await connectTcp({ hostname: "localhost", port, timeout: 2_000, retry: 3 });
 * assertEquals(await conn.readLine(), "welcome");
 * assertEquals(await conn.readLine(), null);
 * ```
 */
export function connectTcp(options: TcpConnectOptions): Promise<TcpConnection<Deno.NetAddr>>;
/**
 * Connects to a server on a unix socket.
 *
 * @param options The path, and how long to try.
 * @returns The connection.
 * @throws {Deno.errors.NotFound} If there is no such socket (code `ENOENT`).
 * @throws {Deno.errors.ConnectionRefused} If no server listens on it any more.
 */
export function connectTcp(options: UnixConnectOptions): Promise<TcpConnection<Deno.UnixAddr>>;
/**
 * Connects to a server wherever the options say.
 *
 * @param options Where to, how long to try, and what to speak.
 * @returns The connection, with the TLS handshake done where there is one.
 */
export function connectTcp(options: TcpConnectOptions | UnixConnectOptions): Promise<TcpConnection>;
export async function connectTcp(
  options: TcpConnectOptions | UnixConnectOptions,
): Promise<TcpConnection> {
  checkOptions<TcpConnectOptions>("connectTcp", options, CLIENT_NAMES);
  const { signal, retry = 1 } = options;
  const timeout = checkTimeout("timeout", options.timeout ?? 30_000);
  const timeouts = resolveTimeouts(options.timeouts, CLIENT_TIMEOUTS);
  const maxWriteQueue = maxWriteQueueOf(options.limits);
  const { attempts, backoff } = resolveRetry(retry);
  const dialer = hasPath(options) ? unixDialer(options) : tcpDialer(options, timeouts.handshake);
  for (let attempt = 1;; attempt++) {
    signal?.throwIfAborted();
    try {
      const { socket, alpnProtocol } = await tryOnce(dialer, timeout, signal);
      return createConnection({
        socket,
        transport: dialer.context.transport,
        localAddr: normaliseAddr(socket.localAddr),
        remoteAddr: normaliseAddr(socket.remoteAddr),
        timeouts,
        maxWriteQueue,
        alpnProtocol,
        onRelease: undefined,
      });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (attempt >= attempts || !isWorthRetrying(error)) throw error;
    }
    const pause = sleep(backoff.next());
    signal?.addEventListener("abort", pause.wake);
    await pause.done;
    signal?.removeEventListener("abort", pause.wake);
  }
}

/** One attempt, bounded by the timeout and the signal; leaves no socket open when it fails. */
async function tryOnce(
  dialer: Dialer,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<Opened> {
  if (timeout === 0) throw timedOut(dialer.context, timeout);
  const controller = new AbortController();
  const connecting = new AbortController(); // for the runtime
  const stop = (reason: unknown) => controller.abort(reason);
  const cancel = deadline(timeout, () => stop(timedOut(dialer.context, timeout)));
  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  const held = new Set<Socket>();
  const keep = (socket: Socket) => {
    held.add(socket);
    controller.signal.throwIfAborted(); // a late winner
  };
  const opening = dialer.open(connecting.signal, keep);
  const stopped = new Promise<never>((_, reject) => {
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason));
  });
  try {
    return await Promise.race([opening, stopped]);
  } catch (error) {
    const ended = opening.catch(() => {}).finally(() => closeAll(held));
    closeAll(held);
    // The runtime never closes a connection that it had made when its connect was aborted. So those that
    // are on their way arrive first, and are closed.
    const arrived = () => Promise.race([ended, new Promise<void>(afterLook)]);
    await arrived();
    connecting.abort(controller.signal.reason);
    await arrived();
    throw controller.signal.aborted ? controller.signal.reason : translate(error, dialer.context);
  } finally {
    cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}

function closeAll(sockets: Set<Socket>): void {
  for (const socket of sockets) {
    try {
      socket.close();
    } catch {
      // startTls has taken it over; the TLS socket is in the set too.
    }
  }
  sockets.clear();
}

function unixDialer(options: UnixConnectOptions): Dialer {
  const path = checkPath(options.path);
  checkExcluded(options, "path", PORT_OPTIONS);
  return {
    context: { operation: "connect", transport: "unix", remoteAddr: unixAddr("unix", path) },
    async open(_signal, keep) {
      const socket = await Deno.connect({ transport: "unix", path });
      keep(socket);
      return { socket, alpnProtocol: null };
    },
  };
}

function tcpDialer(options: TcpConnectOptions, handshakeTimeout: number): Dialer {
  const { port, noDelay = true, keepAlive = false } = options;
  checkPort("port", port, 1);
  const hostname = checkHostname("hostname", options.hostname ?? "127.0.0.1");
  const tls = tlsOptions(options.tls);
  const context: OperationContext = {
    operation: "connect",
    transport: tls === undefined ? "tcp" : "tls",
    target: formatHostPort(hostname, port),
  };
  const connect = async (signal: AbortSignal, keep: (socket: Socket) => void) => {
    const socket = await Deno.connect({ hostname, port, signal });
    keep(socket);
    refuseSelf(socket, context);
    socket.setNoDelay(noDelay);
    if (keepAlive) socket.setKeepAlive(true);
    return socket;
  };
  const { serverName = hostname, cert, key, alpnProtocols = [], caCerts = [] } = { ...tls };
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError('Cannot use option "tls": cert and key are needed together');
  }
  const { unsafelyDisableHostnameVerification = false } = { ...tls };
  const shared = { alpnProtocols, caCerts, unsafelyDisableHostnameVerification };
  return {
    context,
    async open(signal, keep) {
      let socket;
      if (tls === undefined) {
        return { socket: await connect(signal, keep), alpnProtocol: null };
      } else if (tls.unsafelyIgnoreCertificateErrors === true) {
        socket = await startUnverifiedTls(await connect(signal, keep), { ...tls, serverName });
      } else if (cert !== undefined && key !== undefined) {
        // The runtime takes no certificate of ours for a connection that it has not made itself.
        socket = await Deno.connectTls({ ...shared, hostname, port, cert, key });
      } else {
        const plain = await connect(signal, keep);
        socket = await Deno.startTls(plain, { ...shared, hostname: serverName });
      }
      keep(socket);
      return { socket, alpnProtocol: await shakeHands(socket, context, handshakeTimeout) };
    },
  };
}

function tlsOptions(tls: TcpConnectOptions["tls"] = false): TlsClientOptions | undefined {
  if (typeof tls === "object") return tls;
  return checkOneOf("tls", tls, [true, false]) ? {} : undefined;
}

/** Refuses a connection whose two ends are the same socket: no server listens there. */
function refuseSelf(socket: Deno.TcpConn, context: OperationContext): void {
  if (!isSelfConnect(socket.localAddr, socket.remoteAddr)) return;
  const reason = "connection refused (it met only itself)";
  throw netError(Deno.errors.ConnectionRefused, "ECONNREFUSED", reason, context);
}

function resolveRetry(retry: number | RetryOptions): { attempts: number; backoff: Backoff } {
  const { attempts = 5, minDelay = 100, maxDelay = 10_000, jitter = 0.5 } =
    typeof retry === "object" ? retry : { attempts: retry };
  checkCount("retry.attempts", attempts, 1);
  checkRange("retry.minDelay", minDelay, MIN_DELAY, Infinity, "milliseconds");
  checkRange("retry.maxDelay", maxDelay, MIN_DELAY, Infinity, "milliseconds");
  checkRange("retry.jitter", jitter, 0, 1);
  return { attempts, backoff: new Backoff({ min: minDelay, max: maxDelay, jitter }) };
}

/** Whether another attempt may succeed: the server may be starting, or the network recovering. */
function isWorthRetrying(error: unknown): boolean {
  return isNetError(error) && !(error instanceof Deno.errors.NotCapable) &&
    !(error instanceof Deno.errors.InvalidData) && error.code !== "ETLS";
}
