/**
 * Clients of TCP, TLS and unix servers.
 *
 * @module
 */
import { isNetError, type NetTransport, type SocketAddress } from "../errors.ts";
import {
  checkHostname,
  checkPath,
  checkPort,
  formatHostPort,
  hasPath,
  normaliseAddr,
  refusePortOptions,
  unixAddr,
} from "../common/address.ts";
import { Backoff, sleep } from "../_internal/backoff.ts";
import { deadline } from "../common/deadline.ts";
import { checkCount, checkTimeout } from "../common/options.ts";
import { netError, type OperationContext, timedOut } from "../common/net_error.ts";
import { translate } from "../_internal/translate.ts";
import type { RawSocket } from "./_link.ts";
import { startUnverifiedTls } from "./_tls_unverified.ts";
import { createConnection, DEFAULT_MAX_WRITE_QUEUE, type TcpConnection } from "./connection.ts";
import { CLIENT_TIMEOUTS, resolveTimeouts, type TcpTimeouts } from "./timeouts.ts";

/** How long one attempt to connect may take, unless said otherwise. */
export const DEFAULT_CONNECT_TIMEOUT = 30_000;

/** The shortest wait before another attempt that can be asked for, in milliseconds. */
const MIN_DELAY = 1;

/** How to try again when connecting fails. */
export interface RetryOptions {
  /**
   * Attempts in all, the first one included.
   *
   * @default {5}
   */
  attempts?: number;
  /**
   * Milliseconds before the second attempt, at least 1; each wait after it is twice as long.
   *
   * @default {100}
   */
  minDelay?: number;
  /**
   * The longest wait, in milliseconds, at least 1; `Infinity` for none.
   *
   * @default {10_000}
   */
  maxDelay?: number;
  /**
   * How much of each wait is drawn by chance, from 0 (none) to 1 (all), so that clients that lost
   * the same server don't all come back at the same moment.
   *
   * @default {0.5}
   */
  jitter?: number;
}

/** How to speak TLS to a server. */
export interface TlsClientOptions {
  /**
   * The name that the server's certificate must be for, and that is sent to it (SNI).
   *
   * @default {undefined} the `hostname` that is connected to
   */
  serverName?: string;
  /** Certificates to trust besides the runtime's own, in PEM form. */
  caCerts?: string[];
  /** The protocols to offer in the handshake (ALPN, RFC 7301), the preferred one first. */
  alpnProtocols?: string[];
  /** Our certificate chain, in PEM form, for servers that ask for one. Needs `key`. */
  cert?: string;
  /** The private key of `cert`, in PEM form. */
  key?: string;
  /**
   * Accept a certificate that is valid but for another name.
   *
   * @default {false}
   */
  unsafelyDisableHostnameVerification?: boolean;
  /**
   * Accept any certificate: expired, self-signed, somebody else's. What is sent is encrypted, but
   * nobody knows for whom. For a device on your desk; never for anything that matters. Such a
   * connection goes through `node:tls`, which is slower.
   *
   * @default {false}
   */
  unsafelyIgnoreCertificateErrors?: boolean;
}

/** The options that every client has. */
export interface TcpConnectBaseOptions {
  /**
   * Milliseconds that one attempt may take, name lookup and TLS handshake included. 0 and `Infinity`
   * leave it to the system (about two minutes on Linux).
   *
   * @default {30_000}
   */
  timeout?: number;
  /** Gives up connecting: the call rejects with the signal's reason. It does not close a connection
   * that was made. */
  signal?: AbortSignal;
  /**
   * Try again when the server cannot be reached: how often, or how. A number is the attempts in all.
   * What would fail again (a wrong certificate, a missing permission) is not tried again.
   *
   * @default {1}
   */
  retry?: number | RetryOptions;
  /** How long the connection may take over what. */
  timeouts?: TcpTimeouts;
  /**
   * Bytes that may wait to be written, besides the write under way.
   *
   * @default {16_777_216}
   */
  maxWriteQueue?: number;
}

/** Options of a client of a TCP server. */
export interface TcpConnectOptions extends TcpConnectBaseOptions {
  /** A client of a port has none. */
  path?: undefined;
  /** The server's port, from 1 to 65535. */
  port: number;
  /**
   * The server's name or address. Of a name with addresses of both families the faster one wins
   * (Happy Eyeballs, RFC 8305).
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /**
   * Speak TLS; `true` for the runtime's certificates and the given `hostname`.
   *
   * @default {false}
   */
  tls?: boolean | TlsClientOptions;
  /**
   * Send small writes at once instead of waiting for the answer to the last one (TCP_NODELAY). The
   * runtime cannot set it for TLS with a client certificate.
   *
   * @default {true}
   */
  noDelay?: boolean;
  /**
   * Have the system probe a silent peer (SO_KEEPALIVE).
   *
   * @default {false}
   */
  keepAlive?: boolean;
}

/** Options of a client of a unix socket. */
export interface UnixConnectOptions extends TcpConnectBaseOptions {
  /** The path of the server's socket. */
  path: string;
  /** Only a port has that, as everything below. */
  port?: undefined;
  /** Only a port has that. */
  hostname?: undefined;
  /** Only a port has that. */
  tls?: false | undefined;
  /** Has no effect: nothing delays small writes on a unix socket. */
  noDelay?: boolean;
  /** Has no effect: the system notices when a peer on the same machine ends. */
  keepAlive?: boolean;
}

/** The options of {@linkcode TcpConnectOptions} that a unix socket does not have. */
const PORT_OPTIONS: readonly (keyof UnixConnectOptions)[] = ["port", "hostname", "tls"];

/** A socket that knows its ends. */
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
interface Target {
  context: OperationContext;
  open(signal: AbortSignal, keep: (socket: Socket) => void): Promise<Opened>;
}

/**
 * Connects to a server.
 *
 * Cancellation: when the time-out or the signal ends the call, an attempt under way is abandoned, and
 * closed if it should succeed later.
 *
 * @param options Where to, how long to try, and what to speak.
 * @returns The connection, with the TLS handshake done where there is one.
 * @throws {Deno.errors.ConnectionRefused} If nobody listens there.
 * @throws {Deno.errors.TimedOut} If it took longer than `timeout`.
 * @throws {Deno.errors.NotFound} If there is no such host (code `ENOTFOUND`), or no such unix socket
 * (code `ENOENT`).
 * @throws {Deno.errors.InvalidData} If the TLS handshake failed (code `ETLS`).
 * @throws {Deno.errors.NotCapable} Without the permission to connect there.
 * @throws {RangeError | TypeError} If an option is out of range.
 *
 * @example
 * ```ts
 * import { connectTcp, serveTcp } from "@tincan/net/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveTcp({ port: 0, onListen() {} }, (conn) => conn.write("welcome\n"));
 * const { port } = server.addr as Deno.NetAddr;
 *
 * await using conn = await connectTcp({ hostname: "localhost", port, timeout: 2_000, retry: 3 });
 * assertEquals(await conn.readLine(), "welcome");
 * assertEquals(await conn.readLine(), null);
 * ```
 */
export async function connectTcp(
  options: TcpConnectOptions | UnixConnectOptions,
): Promise<TcpConnection> {
  const { signal } = options;
  const timeout = checkTimeout("timeout", options.timeout ?? DEFAULT_CONNECT_TIMEOUT);
  const timeouts = resolveTimeouts(options.timeouts, CLIENT_TIMEOUTS);
  const maxWriteQueue = checkCount(
    "maxWriteQueue",
    options.maxWriteQueue ?? DEFAULT_MAX_WRITE_QUEUE,
  );
  const { attempts, backoff } = resolveRetry(options.retry);
  const target = hasPath(options) ? unixTarget(options) : tcpTarget(options, timeouts.handshake);
  for (let attempt = 1;; attempt++) {
    signal?.throwIfAborted();
    try {
      const { socket, alpnProtocol } = await tryOnce(target, timeout, signal);
      return createConnection({
        socket,
        transport: target.context.transport,
        localAddr: normaliseAddr(socket.localAddr) as SocketAddress,
        remoteAddr: normaliseAddr(socket.remoteAddr) as SocketAddress,
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

/** One attempt, bounded by the time-out and the signal; leaves no socket behind when it fails. */
async function tryOnce(
  target: Target,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<Opened> {
  const controller = new AbortController();
  const stop = (reason: unknown) => controller.abort(reason);
  const cancel = deadline(timeout, () => stop(timedOut(target.context, timeout)));
  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  const held = new Set<Socket>();
  const keep = (socket: Socket) => {
    held.add(socket);
    controller.signal.throwIfAborted(); // a late winner
  };
  const opening = target.open(controller.signal, keep);
  const stopped = new Promise<never>((_, reject) => {
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason));
  });
  try {
    return await Promise.race([opening, stopped]);
  } catch (error) {
    opening.catch(() => {}).finally(() => closeAll(held));
    closeAll(held);
    throw controller.signal.aborted ? controller.signal.reason : translate(error, target.context);
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

function unixTarget(options: UnixConnectOptions): Target {
  const { path } = options;
  checkPath(path);
  refusePortOptions("connect", options, PORT_OPTIONS);
  return {
    context: { operation: "connect", transport: "unix", remoteAddr: unixAddr("unix", path) },
    async open(_signal, keep) {
      const socket = await Deno.connect({ transport: "unix", path });
      keep(socket);
      return { socket, alpnProtocol: null };
    },
  };
}

function tcpTarget(options: TcpConnectOptions, handshakeTimeout: number): Target {
  const { port, noDelay = true, keepAlive = false } = options;
  checkPort("port", port, 1);
  const hostname = checkHostname("hostname", options.hostname ?? "127.0.0.1");
  const tls = options.tls === true ? {} : options.tls || undefined;
  const transport: NetTransport = tls === undefined ? "tcp" : "tls";
  const context: OperationContext = {
    operation: "connect",
    transport,
    target: formatHostPort(hostname, port),
  };
  if ((tls?.cert === undefined) !== (tls?.key === undefined)) {
    throw new TypeError('Cannot use option "tls": cert and key are needed together');
  }
  const isUnverified = tls?.unsafelyIgnoreCertificateErrors === true;
  const open: Target["open"] = async (signal, keep) => {
    if (tls?.cert !== undefined && tls.key !== undefined && !isUnverified) {
      const { cert, key, serverName: _, unsafelyIgnoreCertificateErrors: _2, ...rest } = tls;
      const socket = await Deno.connectTls({ ...rest, hostname, port, cert, key });
      keep(socket);
      return { socket, alpnProtocol: await shakeHands(socket, context, handshakeTimeout) };
    }
    const plain = await Deno.connect({ hostname, port, signal });
    keep(plain);
    refuseSelf(plain, context);
    plain.setNoDelay(noDelay);
    if (keepAlive) plain.setKeepAlive(true);
    if (tls === undefined) return { socket: plain, alpnProtocol: null };
    if (isUnverified) {
      const socket = await startUnverifiedTls(plain, { serverName: hostname, ...tls });
      keep(socket);
      return { socket, alpnProtocol: await shakeHands(socket, context, handshakeTimeout) };
    }
    const {
      serverName = hostname,
      cert: _cert,
      key: _key,
      unsafelyIgnoreCertificateErrors: _unsafely,
      ...rest
    } = tls;
    const socket = await Deno.startTls(plain, { ...rest, hostname: serverName });
    keep(socket);
    return { socket, alpnProtocol: await shakeHands(socket, context, handshakeTimeout) };
  };
  return { context, open };
}

async function shakeHands(
  socket: { handshake(): Promise<{ alpnProtocol: string | null }> },
  context: OperationContext,
  limit: number,
): Promise<string | null> {
  const during: OperationContext = { ...context, operation: "handshake" };
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const cancel = deadline(limit, () => reject(timedOut(during, limit, "not finished")));
  try {
    return (await Promise.race([socket.handshake(), expired])).alpnProtocol;
  } catch (error) {
    throw translate(error, during);
  } finally {
    cancel();
  }
}

/** A connect to a free port of one's own machine can meet itself: the system may have given it that
 * very port as its source. Nobody listens there. */
function refuseSelf(socket: Deno.TcpConn, context: OperationContext): void {
  const { localAddr: local, remoteAddr: remote } = socket;
  if (local.port !== remote.port || local.hostname !== remote.hostname) return;
  throw netError(
    Deno.errors.ConnectionRefused,
    "ECONNREFUSED",
    "connection refused (it met only itself)",
    context,
  );
}

function resolveRetry(retry: number | RetryOptions | undefined): {
  attempts: number;
  backoff: Backoff;
} {
  const { attempts = 5, minDelay = 100, maxDelay = 10_000, jitter = 0.5 } =
    typeof retry === "object" ? retry : { attempts: retry ?? 1 };
  checkCount("retry.attempts", attempts, 1);
  checkDelay("retry.minDelay", minDelay);
  checkDelay("retry.maxDelay", maxDelay);
  if (!(jitter >= 0 && jitter <= 1)) {
    throw new RangeError(
      `Cannot use option "retry.jitter": expected a number from 0 to 1, current value is ${jitter}`,
    );
  }
  return { attempts, backoff: new Backoff({ min: minDelay, max: maxDelay, jitter }) };
}

/** Without a wait between them, attempts would be a flood of connections. */
function checkDelay(name: string, value: number): void {
  if (typeof value === "number" && value >= MIN_DELAY) return;
  throw new RangeError(
    `Cannot use option "${name}": expected milliseconds from ${MIN_DELAY}, current value is ${value}`,
  );
}

/** Whether another attempt could end otherwise: the server may be starting, or the network passing. */
function isWorthRetrying(error: unknown): boolean {
  return isNetError(error) && !(error instanceof Deno.errors.NotCapable) &&
    !(error instanceof Deno.errors.InvalidData) && error.code !== "ETLS";
}
