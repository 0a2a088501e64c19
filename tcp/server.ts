/**
 * TCP, TLS and unix servers.
 *
 * @module
 */
import { ClosedError, type SocketAddress } from "../errors.ts";
import { hasPath, normaliseAddr } from "../common/address.ts";
import { Backoff, type Sleep, sleep } from "../_internal/backoff.ts";
import { EarliestTimer } from "../common/earliest_timer.ts";
import { catchUnhandled } from "../_internal/unhandled.ts";
import { checkCount, checkTimeout } from "../common/options.ts";
import type { OperationContext } from "../common/net_error.ts";
import { isPeerFault, translate } from "../_internal/translate.ts";
import { eventLoopTurn } from "../common/turn_budget.ts";
import { Admission } from "./_admission.ts";
import { Handshakes } from "./_handshakes.ts";
import { Hooks } from "./_hooks.ts";
import { listen, type Listening } from "./_listen.ts";
import type { CloseInfo } from "./close_options.ts";
import {
  createConnection,
  DEFAULT_MAX_WRITE_QUEUE,
  drainConnection,
  type TcpConnection,
} from "./connection.ts";
import {
  DEFAULT_SHUTDOWN_TIMEOUT,
  type ShutdownOptions,
  type TcpServer,
  type TcpServerStats,
} from "./server_handle.ts";
import type { TcpServerOptions, UnixServerOptions } from "./server_options.ts";
import { resolveTimeouts, SERVER_TIMEOUTS, type TcpTimeouts } from "./timeouts.ts";

/** How long an aborted handler may take to notice before the server stops waiting for it. */
const FORCE_GRACE = 1_000;

/**
 * So many connections are accepted before everything else has a turn. Newcomers do not wait in line with
 * the connections that flood: with 100 of those, each would be a round of that line late.
 */
const ACCEPTS_PER_TURN = 16;

/** What to do with one connection. The connection is closed when it returns or throws. */
export type TcpHandler = (conn: TcpConnection) => void | Promise<void>;

/**
 * Serves connections: one call of `handler` for each. The accept loop, the errors, the limits and the
 * ending are taken care of.
 *
 * @param handler What to do with one connection; it is closed when the handler returns or throws.
 * @returns The server, which is listening already.
 * @throws {Deno.errors.AddrInUse} If something listens there already.
 * @throws {Deno.errors.AddrNotAvailable} If the address is not one of this machine's.
 * @throws {Deno.errors.NotCapable} Without the permission to listen there.
 * @throws {RangeError | TypeError} If an option is out of range.
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
export function serveTcp(handler: TcpHandler): TcpServer;
/**
 * Serves connections with options: one call of `handler` for each.
 *
 * @param options Where to listen, limits, time-outs and hooks.
 * @param handler What to do with one connection; it is closed when the handler returns or throws.
 * @returns The server, which is listening already.
 * @throws {Deno.errors.AddrInUse} If something listens there already.
 * @throws {Deno.errors.AddrNotAvailable} If the address is not one of this machine's.
 * @throws {Deno.errors.NotCapable} Without the permission to listen there.
 * @throws {Deno.errors.NotSupported} With `reusePort`, if the runtime was started without
 * `--unstable-net`.
 * @throws {RangeError | TypeError} If an option is out of range.
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
  options: TcpServerOptions | UnixServerOptions | undefined,
  handler: TcpHandler,
): TcpServer;
export function serveTcp(
  first: TcpServerOptions | UnixServerOptions | TcpHandler | undefined,
  second?: TcpHandler,
): TcpServer {
  const [options, handler] = typeof first === "function" ? [{}, first] : [first ?? {}, second];
  if (typeof handler !== "function") {
    throw new TypeError(`Cannot serve: the handler must be a function, not ${typeof handler}`);
  }
  return new Server(options, handler);
}

class Server implements TcpServer {
  readonly addr: SocketAddress;
  readonly finished: Promise<void>;
  readonly connections: Set<TcpConnection> = new Set();

  readonly #signal: AbortSignal | undefined;
  readonly #hooks: Hooks;
  readonly #handler: TcpHandler;
  readonly #listening: Listening;
  readonly #admission: Admission;
  readonly #timeouts: Required<TcpTimeouts>;
  readonly #maxWriteQueue: number;
  readonly #done = Promise.withResolvers<void>();
  readonly #forceTimer = new EarliestTimer();
  readonly #counts = {
    accepted: 0,
    refused: 0,
    denied: 0,
    acceptErrors: 0,
    handshakeErrors: 0,
    handlerErrors: 0,
    bytesReceived: 0,
    bytesSent: 0,
  };
  readonly #handshakes = new Handshakes();
  #guests = 0; // connections that were let in and whose socket or handler is not done
  #accepting = true;
  #stopping = false;
  #pause: Sleep | undefined;
  #forced = false;

  constructor(options: TcpServerOptions | UnixServerOptions, handler: TcpHandler) {
    const { limits = {}, signal } = options;
    signal?.throwIfAborted();
    this.#signal = signal;
    this.#hooks = new Hooks(options);
    this.#handler = handler;
    this.#timeouts = resolveTimeouts(options.timeouts, SERVER_TIMEOUTS);
    this.#maxWriteQueue = checkCount(
      "limits.maxWriteQueue",
      limits.maxWriteQueue ?? DEFAULT_MAX_WRITE_QUEUE,
    );
    this.#admission = new Admission(
      hasPath(options) ? limits : { ...limits, allow: options.allow, deny: options.deny },
    );
    this.#listening = listen(options);
    this.#done.promise.then(catchUnhandled());
    this.addr = this.#listening.addr;
    this.finished = this.#done.promise;
    try {
      this.#hooks.listening(this.addr);
    } catch (error) {
      this.#listening.listener.close();
      this.#done.resolve();
      throw error;
    }
    this.#acceptAll();
    // After the announcement, which may throw, or abort the signal itself.
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener("abort", this.#abort);
  }

  stats(): TcpServerStats {
    const stats = { ...this.#counts, active: this.#guests };
    for (const conn of this.connections) {
      stats.bytesReceived += conn.stats().bytesReceived;
      stats.bytesSent += conn.stats().bytesSent;
    }
    return stats;
  }

  shutdown(options: ShutdownOptions = {}): Promise<void> {
    const { timeout = DEFAULT_SHUTDOWN_TIMEOUT } = options;
    if (timeout !== 0) checkTimeout("timeout", timeout);
    if (!this.#stopping) {
      this.#stopAccepting();
      for (const conn of this.connections) drainConnection(conn);
    }
    if (timeout === 0) this.#force(undefined);
    else if (!this.#forced) this.#forceTimer.start(timeout, () => this.#force(undefined));
    this.#finishIfEmpty();
    return this.finished;
  }

  ref(): void {
    this.#listening.listener.ref();
  }

  unref(): void {
    this.#listening.listener.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #acceptAll(): Promise<void> {
    const backoff = new Backoff({ min: 5, max: 1_000, jitter: 0 });
    let complained = false;
    let inRow = 0;
    while (!this.#stopping) {
      // Those that come and go must not keep all others waiting.
      if (++inRow % ACCEPTS_PER_TURN === 0) await eventLoopTurn();
      if (this.#admission.full) {
        await this.#admission.vacancy();
        continue;
      }
      try {
        const socket = await this.#listening.listener.accept();
        backoff.reset();
        complained = false;
        this.#admit(socket);
      } catch (error) {
        if (this.#stopping) break;
        this.#counts.acceptErrors++;
        if (isPeerFault(error)) continue; // it came and went; the next one is waiting
        // Out of descriptors or memory: trying at once would spin. Others leave meanwhile.
        if (!complained) this.#hooks.report(translate(error, this.#context("accept")));
        complained = true;
        this.#pause = sleep(backoff.next());
        await this.#pause.done;
      }
    }
    this.#accepting = false;
    this.#finishIfEmpty();
  }

  #admit(socket: Deno.Conn): void {
    this.#counts.accepted++;
    const remoteAddr = normaliseAddr(socket.remoteAddr) as SocketAddress;
    const hostname = "hostname" in remoteAddr ? remoteAddr.hostname : null;
    const refusal = this.#stopping ? "max_connections" : this.#admission.enter(hostname);
    if (refusal !== null) {
      this.#counts[refusal === "denied" ? "denied" : "refused"]++;
      if (isTls(socket)) this.#turnAway(socket, remoteAddr);
      else socket.close();
      return;
    }
    this.#guests++;
    if (isTls(socket)) {
      this.#serveTls(socket, remoteAddr, hostname);
    } else {
      this.#configure(socket as Deno.TcpConn);
      this.#serve(socket, remoteAddr, hostname, null);
    }
  }

  /** The handshake happens here, off the accept loop, so that a silent client holds up nobody. */
  async #serveTls(
    socket: Deno.TlsConn,
    remoteAddr: SocketAddress,
    hostname: string | null,
  ): Promise<void> {
    const context: OperationContext = { ...this.#context("handshake"), remoteAddr };
    let alpnProtocol: string | null;
    try {
      const limit = this.#timeouts.handshake;
      alpnProtocol = await this.#handshakes.finish(socket, { context, limit });
    } catch (error) {
      this.#counts.handshakeErrors++;
      if (!(error instanceof ClosedError)) this.#hooks.report(error);
      this.#guests--;
      this.#admission.giveUp();
      const released = this.#discard(socket, remoteAddr);
      this.#finishIfEmpty();
      await released;
      this.#admission.release(hostname);
      return;
    }
    this.#serve(socket, remoteAddr, hostname, alpnProtocol);
  }

  async #turnAway(socket: Deno.TlsConn, remoteAddr: SocketAddress): Promise<void> {
    this.#admission.turnAway();
    await this.#discard(socket, remoteAddr);
    this.#admission.release(null);
  }

  #discard(socket: Deno.TlsConn, remoteAddr: SocketAddress): Promise<void> {
    const localAddr = normaliseAddr(socket.localAddr) as SocketAddress;
    return this.#handshakes.discard({ socket, transport: "tls", localAddr, remoteAddr });
  }

  /** One guest. Not an async function: its frame would cost each idle connection half a kilobyte. */
  #serve(
    socket: Deno.Conn,
    remoteAddr: SocketAddress,
    hostname: string | null,
    alpnProtocol: string | null,
  ): void {
    const conn: TcpConnection = createConnection({
      socket,
      transport: this.#listening.transport,
      localAddr: normaliseAddr(socket.localAddr) as SocketAddress,
      remoteAddr,
      timeouts: this.#timeouts,
      maxWriteQueue: this.#maxWriteQueue,
      alpnProtocol,
      onRelease: this.#released,
      onUnhandled: (error) => this.#hooks.report(error, conn),
    });
    this.connections.add(conn);
    if (this.#stopping) drainConnection(conn);
    if (this.#forced) conn.abort(this.#signal?.reason); // its handshake had just ended
    const end = () => {
      conn.close().then(() => this.#leave(hostname));
    };
    const fail = (error: unknown) => {
      this.#counts.handlerErrors++;
      this.#hooks.report(error, conn);
      end();
    };
    try {
      this.#hooks.connected(conn);
      const handling: unknown = this.#handler(conn);
      if (handling === undefined) end();
      else Promise.resolve(handling).then(end, fail);
    } catch (error) {
      fail(error);
    }
  }

  #leave(hostname: string | null): void {
    this.#guests--;
    this.#admission.leave(hostname);
    this.#finishIfEmpty();
  }

  #configure(socket: Deno.TcpConn): void {
    const { noDelay, keepAlive } = this.#listening;
    try {
      if (noDelay) socket.setNoDelay(true);
      if (keepAlive) socket.setKeepAlive(true);
    } catch {
      // The peer has reset it meanwhile; the first read will say so.
    }
  }

  readonly #released = (conn: TcpConnection, info: CloseInfo): void => {
    this.connections.delete(conn);
    this.#counts.bytesReceived += conn.stats().bytesReceived;
    this.#counts.bytesSent += conn.stats().bytesSent;
    this.#hooks.closed(conn, info);
  };

  readonly #abort = (): void => {
    this.#stopAccepting();
    this.#force(this.#signal?.reason);
    this.#finishIfEmpty();
  };

  #stopAccepting(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#listening.listener.close();
    this.#pause?.wake();
    this.#admission.wake();
  }

  #force(reason: unknown): void {
    if (this.#forced) return;
    this.#forced = true;
    this.#handshakes.endAll();
    for (const conn of this.connections) conn.abort(reason);
    // A handler that waits for something else than its connection may never notice.
    this.#forceTimer.stop();
    this.#forceTimer.start(FORCE_GRACE, () => this.#finish());
  }

  #finishIfEmpty(): void {
    if (this.#stopping && !this.#accepting && this.#guests === 0) this.#finish();
  }

  #finish(): void {
    this.#forceTimer.stop();
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#handshakes.close();
    this.#hooks.finished();
    this.#done.resolve();
  }

  #context(operation: "accept" | "handshake"): OperationContext {
    return { operation, transport: this.#listening.transport, localAddr: this.addr };
  }
}

function isTls(socket: Deno.Conn): socket is Deno.TlsConn {
  return "handshake" in socket;
}
