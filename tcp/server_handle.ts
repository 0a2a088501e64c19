/**
 * What whoever started a server holds in hand.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import type { TcpConnection } from "./connection.ts";

/** How long `shutdown()` lets handlers finish, unless said otherwise. */
export const DEFAULT_SHUTDOWN_TIMEOUT = 10_000;

/** What a server has counted since it began. */
export interface TcpServerStats {
  /** Connections that were accepted, those turned away included. */
  readonly accepted: number;
  /**
   * Connections that take a place of `maxConnections`: their TLS handshake is under way, their socket
   * is open, or their handler has not returned although the socket is closed. With handlers that never
   * return it exceeds the size of `connections`.
   */
  readonly active: number;
  /** Connections that were closed because of a limit. */
  readonly refused: number;
  /** Connections that were closed because of `allow` or `deny`. */
  readonly denied: number;
  /** Accepts that failed, mostly because the peer had gone again. */
  readonly acceptErrors: number;
  /** TLS handshakes that failed or took too long. */
  readonly handshakeErrors: number;
  /** Handlers that threw. */
  readonly handlerErrors: number;
  /** Bytes received over all connections, ended ones included. */
  readonly bytesReceived: number;
  /** Bytes sent over all connections, ended ones included. */
  readonly bytesSent: number;
}

/** How to shut down. */
export interface ShutdownOptions {
  /**
   * Milliseconds for handlers to finish; then their connections are aborted. `Infinity` waits as long
   * as it takes, 0 not at all.
   *
   * @default {10_000}
   */
  timeout?: number;
}

/** A server that is listening; in the shape of what `Deno.serve` returns. */
export interface TcpServer extends AsyncDisposable {
  /** Where it listens; with the port the system chose, if `port` was 0. */
  readonly addr: SocketAddress;
  /** Resolves when the server has stopped and its last handler is done; it never rejects. */
  readonly finished: Promise<void>;
  /** The connections that are open now. */
  readonly connections: ReadonlySet<TcpConnection>;
  /** What was counted so far. */
  stats(): TcpServerStats;
  /**
   * Stops gracefully: accepts no more, tells the handlers through `conn.signal` and `conn.draining`,
   * waits for them, and aborts what is left after `timeout`.
   *
   * Calling it again with a shorter time-out shortens the wait; a longer one changes nothing.
   *
   * @param options How long to wait.
   * @returns A promise that settles when nothing is left: the port can be bound again.
   * @throws {RangeError} If `timeout` is negative or not a number.
   */
  shutdown(options?: ShutdownOptions): Promise<void>;
  /** Keeps the process alive while the server listens (the default). */
  ref(): void;
  /** Lets the process end although the server listens. */
  unref(): void;
}
