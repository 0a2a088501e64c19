/**
 * What `serveTcp` returns: a server that is listening.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import type { ShutdownOptions } from "../_internal/shutdown.ts";
import type { TcpConnection } from "./connection.ts";

/** What a server has counted since it began. */
export interface TcpServerStats {
  /** Connections that were accepted, those refused included. */
  readonly accepted: number;
  /**
   * Connections that count for `maxConnections`: their TLS handshake is under way, their socket is
   * open, or their handler has not returned although the socket is closed. With handlers that never
   * return it exceeds the size of `connections`.
   */
  readonly active: number;
  /** Connections that were closed because of a limit. */
  readonly refused: number;
  /** Connections that were closed because of `allow` or `deny`. */
  readonly denied: number;
  /** Accepts that failed, mostly because the peer had already closed. */
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

/** A server that is listening; in the shape of what `Deno.serve` returns. */
export interface TcpServer<Addr extends SocketAddress = SocketAddress> extends AsyncDisposable {
  /** Where it listens; with the port the system chose, if `port` was 0. */
  readonly addr: Addr;
  /** Resolves when the server has stopped and its last handler is done; it never rejects. */
  readonly finished: Promise<void>;
  /** The connections that are open now. */
  readonly connections: ReadonlySet<TcpConnection<Addr>>;
  /** What was counted so far. */
  stats(): TcpServerStats;
  /**
   * Stops gracefully: accepts no more, tells the handlers through `conn.signal` and `conn.draining`,
   * waits for them, and aborts what is left after `timeout`.
   *
   * Calling it again with a shorter timeout shortens the wait; a longer one changes nothing.
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
