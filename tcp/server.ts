/**
 * TCP, TLS and unix servers.
 *
 * @module
 */
import type { NetTransport, SocketAddress } from "../errors.ts";
import { hasPath, normaliseAddr } from "../common/address.ts";
import { catchRejection } from "../common/catch_rejection.ts";
import type { OperationContext } from "../common/net_error.ts";
import { splitArguments } from "../common/options.ts";
import { SERVER_NAMES } from "../common/tcp_option_names.ts";
import { eventLoopTurn } from "../common/turn_budget.ts";
import { Backoff, type Sleep, sleep } from "../_internal/backoff.ts";
import { ServerHooks } from "../_internal/server_hooks.ts";
import { Shutdown, type ShutdownOptions } from "../_internal/shutdown.ts";
import { isPeerFault, translate } from "../_internal/translate.ts";
import { catchUnhandled } from "../_internal/unhandled.ts";
import { Admission } from "./_admission.ts";
import { Handshakes } from "./_handshakes.ts";
import { listen } from "./_listen.ts";
import type { CloseInfo } from "./close_options.ts";
import { createConnection, drainConnection, type TcpConnection } from "./connection.ts";
import { maxWriteQueueOf } from "./limits.ts";
import type { TcpServer, TcpServerStats } from "./server_handle.ts";
import type { TcpServeOptions, TcpServerOptions, UnixServerOptions } from "./server_options.ts";
import { resolveTimeouts, SERVER_TIMEOUTS, type Timeouts } from "./timeouts.ts";

/**
 * Connections that are accepted before everything else has a turn. Accepting does not compete with the
 * connections for turns: with 100 that flood, each new one would wait for a round of all of them.
 */
const ACCEPTS_PER_TURN = 16;

/** What to do with one connection. The connection is closed when it returns or throws. */
export type TcpHandler<Addr extends SocketAddress = SocketAddress> = (
  conn: TcpConnection<Addr>,
) => void | Promise<void>;

/**
 * Serves connections: one call of `handler` for each. The library accepts, limits and closes them, and
 * no error of one connection ends the server.
 *
 * @param handler What to do with one connection; it is closed when the handler returns or throws.
 * @returns The server, which is listening already.
 * @throws {Deno.errors.AddrInUse} If something listens there already.
 * @throws {Deno.errors.AddrNotAvailable} If the address is not one of this machine's.
 * @throws {Deno.errors.NotCapable} Without the permission to listen there.
 * @throws {RangeError | TypeError} If an option is out of range, or does not exist.
 *
 * @example An echo server in one line
 * ```ts
 * import { serveTcp } from "@tincan/net/tcp";
 *
 * await using server = serveTcp(async (conn) => {
 *   for await (const chunk of conn) await conn.write(chunk);
 * });
 * ```
 */
export function serveTcp(handler: TcpHandler<Deno.NetAddr>): TcpServer<Deno.NetAddr>;
/**
 * Serves connections with options: one call of `handler` for each.
 *
 * @param options Where to listen, limits, timeouts and hooks.
 * @param handler What to do with one connection; it is closed when the handler returns or throws.
 * @returns The server, which is listening already.
 * @throws {Deno.errors.AddrInUse} If something listens there already.
 * @throws {Deno.errors.AddrNotAvailable} If the address is not one of this machine's.
 * @throws {Deno.errors.NotCapable} Without the permission to listen there.
 * @throws {Deno.errors.NotSupported} With `reusePort`, if the runtime was started without
 * `--unstable-net`.
 * @throws {RangeError | TypeError} If an option is out of range, or does not exist.
 *
 * @example Limits, and a graceful end
 * ```ts
 * import { serveTcp } from "@tincan/net/tcp";
 *
 * const server = serveTcp({
 *   port: 0,
 *   limits: { maxConnections: 500, maxConnectionsPerIp: 20 },
 *   timeouts: { idle: 60_000 },
 * }, async (conn) => {
 *   await conn.write("hello\n");
 * });
 * await server.shutdown({ timeout: 5_000 }); // in a program: when SIGTERM arrives
 * ```
 */
export function serveTcp(
  options: TcpServerOptions | undefined,
  handler: TcpHandler<Deno.NetAddr>,
): TcpServer<Deno.NetAddr>;
/**
 * Serves connections on a unix socket: one call of `handler` for each.
 *
 * @param options The path, limits, timeouts and hooks.
 * @param handler What to do with one connection; it is closed when the handler returns or throws.
 * @returns The server, which is listening already.
 * @throws {Deno.errors.AddrInUse} If the path exists.
 * @throws {Deno.errors.NotCapable} Without the permission to read and write the path.
 * @throws {RangeError | TypeError} If an option is out of range, or does not exist.
 */
export function serveTcp(
  options: UnixServerOptions,
  handler: TcpHandler<Deno.UnixAddr>,
): TcpServer<Deno.UnixAddr>;
/**
 * Serves connections wherever the options say: one call of `handler` for each.
 *
 * @param options Where to listen, limits, timeouts and hooks.
 * @param handler What to do with one connection; it is closed when the handler returns or throws.
 * @returns The server, which is listening already.
 */
export function serveTcp(
  options: TcpServerOptions | UnixServerOptions | undefined,
  handler: TcpHandler,
): TcpServer;
export function serveTcp(first: unknown, second?: unknown): TcpServer {
  return new Server(
    ...splitArguments<TcpServeOptions, TcpHandler>("serveTcp", SERVER_NAMES, first, second),
  );
}

class Server implements TcpServer {
  readonly addr: SocketAddress;
  readonly finished: Promise<void>;
  readonly connections: Set<TcpConnection> = new Set();

  readonly #options: TcpServeOptions;
  readonly #handler: TcpHandler;
  readonly #hooks: ServerHooks<TcpConnection>;
  readonly #admission: Admission;
  readonly #timeouts: Timeouts;
  readonly #maxWriteQueue: number;
  readonly #listener: Deno.Listener;
  readonly #transport: NetTransport;
  readonly #handshakes = new Handshakes();
  readonly #stopping: Shutdown;
  readonly #counts = {
    accepted: 0,
    active: 0, // admitted, and its socket or its handler is not done
    refused: 0,
    denied: 0,
    acceptErrors: 0,
    handshakeErrors: 0,
    handlerErrors: 0,
    bytesReceived: 0,
    bytesSent: 0,
  };
  readonly #accepting: Promise<void>; // settles when the listener is closed
  #pause: Sleep | undefined;

  constructor(options: TcpServeOptions, handler: TcpHandler) {
    options.signal?.throwIfAborted();
    this.#options = options;
    this.#handler = handler;
    this.#hooks = new ServerHooks(options, (conn) => conn.remoteAddr);
    this.#timeouts = resolveTimeouts(options.timeouts, SERVER_TIMEOUTS);
    this.#maxWriteQueue = maxWriteQueueOf(options.limits);
    this.#admission = new Admission(options);
    this.#listener = listen(options);
    this.#transport = hasPath(options) ? "unix" : options.tls === undefined ? "tcp" : "tls";
    this.addr = normaliseAddr(this.#listener.addr);
    try {
      this.#hooks.announce(this.addr);
    } catch (error) {
      this.#listener.close();
      throw error;
    }
    this.#stopping = new Shutdown({
      stopAccepting: () => {
        this.#listener.close();
        this.#pause?.wake();
        this.#admission.wake();
      },
      drain: () => this.connections.forEach(drainConnection),
      abort: (reason) => {
        this.#handshakes.endAll(reason);
        for (const conn of this.connections) conn.abort(reason);
      },
      isIdle: () => this.#counts.active === 0,
      release: async () => {
        await this.#accepting; // the port is free then, even if a handler never ends
        this.#handshakes.close();
        this.#hooks.close();
      },
    });
    this.finished = this.#stopping.finished;
    catchUnhandled(this.finished);
    this.#accepting = this.#acceptAll();
    this.#stopping.watch(options.signal);
  }

  stats(): TcpServerStats {
    const stats = { ...this.#counts };
    for (const conn of this.connections) addBytes(stats, conn);
    return stats;
  }

  shutdown(options?: ShutdownOptions): Promise<void> {
    return this.#stopping.shutdown(options);
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #acceptAll(): Promise<void> {
    const backoff = new Backoff({ min: 5, max: 1_000, jitter: 0 });
    let inRow = 0;
    while (!this.#stopping.isStopping) {
      // Connections that come and go in large numbers must not keep all others waiting.
      if (++inRow % ACCEPTS_PER_TURN === 0) await eventLoopTurn();
      if (this.#admission.full) {
        await this.#admission.vacancy();
        continue;
      }
      try {
        const socket = await this.#listener.accept();
        backoff.reset();
        this.#hooks.noteSuccess();
        this.#admit(socket);
      } catch (error) {
        if (this.#stopping.isStopping) break;
        this.#counts.acceptErrors++;
        if (isPeerFault(error)) continue; // the peer has already closed; the next one is waiting
        // Out of descriptors or memory: trying at once would spin. A wait gives connections time to end.
        this.#hooks.reportFailure(translate(error, this.#context("accept")));
        this.#pause = sleep(backoff.next());
        await this.#pause.done;
      }
    }
  }

  #admit(socket: Deno.Conn): void {
    this.#counts.accepted++;
    const remoteAddr = normaliseAddr(socket.remoteAddr);
    const refusal = this.#stopping.isStopping ? "refused" : this.#admission.enter(remoteAddr);
    if (refusal !== null) {
      this.#counts[refusal]++;
      if (!isTls(socket)) return socket.close();
      this.#admission.refuse();
      this.#discard(socket, remoteAddr).then(() => this.#admission.release());
      return;
    }
    this.#counts.active++;
    if (isTls(socket)) {
      this.#serveTls(socket, remoteAddr);
    } else {
      if (this.#transport === "tcp") this.#configure(socket as Deno.TcpConn);
      this.#serve(socket, remoteAddr, null);
    }
  }

  /** The handshake happens here, off the accept loop, so that a silent client delays no other. */
  async #serveTls(socket: Deno.TlsConn, remoteAddr: SocketAddress): Promise<void> {
    const context: OperationContext = { ...this.#context("handshake"), remoteAddr };
    let alpnProtocol: string | null;
    try {
      alpnProtocol = await this.#handshakes.finish(socket, context, this.#timeouts.handshake);
    } catch (error) {
      this.#counts.handshakeErrors++;
      if (!this.#stopping.isAborted) this.#hooks.report(error);
      this.#counts.active--;
      this.#admission.giveUp();
      const released = this.#discard(socket, remoteAddr);
      this.#stopping.finishIfIdle();
      await released;
      this.#admission.release(remoteAddr);
      return;
    }
    this.#serve(socket, remoteAddr, alpnProtocol);
  }

  #discard(socket: Deno.TlsConn, remoteAddr: SocketAddress): Promise<void> {
    const localAddr = normaliseAddr(socket.localAddr);
    return this.#handshakes.discard({ socket, transport: "tls", localAddr, remoteAddr });
  }

  /** Not an async function: its frame would cost each idle connection half a kilobyte. */
  #serve(socket: Deno.Conn, remoteAddr: SocketAddress, alpnProtocol: string | null): void {
    const conn: TcpConnection = createConnection({
      socket,
      transport: this.#transport,
      localAddr: normaliseAddr(socket.localAddr),
      remoteAddr,
      timeouts: this.#timeouts,
      maxWriteQueue: this.#maxWriteQueue,
      alpnProtocol,
      onRelease: this.#released,
      onUnhandled: (error) => this.#hooks.report(error, conn),
    });
    this.connections.add(conn);
    if (this.#stopping.isStopping) drainConnection(conn); // its handshake had just ended
    if (this.#stopping.isAborted) conn.abort(this.#options.signal?.reason);
    const end = () => {
      conn.close().then(() => {
        this.#counts.active--;
        this.#admission.leave(remoteAddr);
        this.#stopping.finishIfIdle();
      });
    };
    const fail = (error: unknown) => {
      this.#counts.handlerErrors++;
      this.#hooks.report(error, conn);
      end();
    };
    try {
      catchRejection(this.#options.onConnect?.(conn), (error) => {
        this.#hooks.report(error, conn);
        conn.close();
      });
      const handling: unknown = this.#handler(conn);
      if (handling === undefined) end();
      else Promise.resolve(handling).then(end, fail);
    } catch (error) {
      fail(error);
    }
  }

  #configure(socket: Deno.TcpConn): void {
    const { noDelay = true, keepAlive = false } = this.#options;
    try {
      if (noDelay) socket.setNoDelay(true);
      if (keepAlive) socket.setKeepAlive(true);
    } catch {
      // The peer has reset it; the first read will fail.
    }
  }

  readonly #released = (conn: TcpConnection, info: CloseInfo): void => {
    this.connections.delete(conn);
    addBytes(this.#counts, conn);
    this.#hooks.call(() => this.#options.onClose?.(conn, info), conn);
  };

  #context(operation: "accept" | "handshake"): OperationContext {
    return { operation, transport: this.#transport, localAddr: this.addr };
  }
}

function isTls(socket: Deno.Conn): socket is Deno.TlsConn {
  return "handshake" in socket;
}

function addBytes(sum: { bytesReceived: number; bytesSent: number }, conn: TcpConnection): void {
  const { bytesReceived, bytesSent } = conn.stats();
  sum.bytesReceived += bytesReceived;
  sum.bytesSent += bytesSent;
}
