/**
 * What `serveUdp` returns: a server that is bound.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import type { ShutdownOptions } from "../_internal/shutdown.ts";
import type { UdpEndpoint } from "./endpoint.ts";
import type { UdpEndpointStats } from "./endpoint_stats.ts";

/** What a server has counted since it began, and its endpoint with it. */
export interface UdpServerStats extends UdpEndpointStats {
  /** Handlers that run now, and answers on their way to the system. */
  readonly active: number;
  /** Datagrams that wait for a handler now. */
  readonly queued: number;
  /** Datagrams that were dropped because the queue was full, or the server was shutting down. */
  readonly dropped: number;
  /** Datagrams that were not handled because they repeat an earlier one (`dedup`). */
  readonly duplicates: number;
  /** Answers that were not sent because of `maxReplyRatio` or `loopGuard`. */
  readonly refusedReplies: number;
  /** Handlers that threw. */
  readonly handlerErrors: number;
}

/**
 * A datagram server that is bound; in the shape of what `serveTcp` and `Deno.serve` return.
 *
 * @typeParam Addr What its addresses look like: `Deno.NetAddr` for a port, `Deno.UnixAddr` for a path.
 */
export interface UdpServer<Addr extends SocketAddress = SocketAddress> extends AsyncDisposable {
  /** Where it is bound; with the port the system chose, if `port` was 0. */
  readonly addr: Addr;
  /** Resolves when the server has stopped and its last handler is done; it never rejects. */
  readonly finished: Promise<void>;
  /**
   * The socket, to send, to make requests and to join multicast groups. What it receives goes to
   * the handler.
   */
  readonly endpoint: UdpEndpoint<Addr>;
  /** What was counted so far. */
  stats(): UdpServerStats;
  /**
   * Stops gracefully: takes no more datagrams, tells the handlers through their `signal`, waits for
   * those that run and for their answers, and closes the socket, after `timeout` in any case.
   *
   * Calling it again with a shorter timeout shortens the wait; a longer one changes nothing.
   *
   * @param options How long to wait.
   * @returns A promise that settles when nothing is left: the port can be bound again.
   * @throws {RangeError} If `timeout` is negative or not a number.
   */
  shutdown(options?: ShutdownOptions): Promise<void>;
  /** Keeps the process alive while the server is bound (the default). */
  ref(): void;
  /** Lets the process end although the server is bound. */
  unref(): void;
}
