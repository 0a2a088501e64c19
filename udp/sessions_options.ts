/**
 * The options of sessions, and what `sessions()` returns and calls its handlers with.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { namesOf, type OptionNames } from "../common/options.ts";
import type { ShutdownOptions } from "../_internal/shutdown.ts";
import type { Datagram, DatagramData } from "./datagram.ts";
import type { UdpReceiveOptions } from "./options.ts";

/** How a session ended. */
export type SessionEnd = "handler" | "closed" | "idle" | "evicted" | "stopped";

/** What to do with one peer. The session ends when it returns or throws. */
export type SessionHandler<Addr extends SocketAddress = SocketAddress> = (
  session: UdpSession<Addr>,
) => void | Promise<void>;

/** The limits of sessions, and their hooks. */
export interface UdpSessionsOptions<Addr extends SocketAddress = SocketAddress> {
  /**
   * Milliseconds without a datagram from the peer; then its session ends, up to 5 ms late. 0 ends it
   * at once, `Infinity` never.
   *
   * @default {60_000}
   */
  idle?: number | undefined;
  /**
   * Confirmed peers at one time. For one more, the session of the confirmed peer that was silent longest
   * ends.
   *
   * @default {4_096}
   */
  maxPeers?: number | undefined;
  /**
   * Unconfirmed peers at one time. The first datagram of a peer begins a session, which is unconfirmed until
   * the peer has sent another one after an answer: then its address is not merely a forged one. For one
   * more, the oldest unconfirmed session ends. So forged senders neither end the sessions of confirmed
   * peers nor keep newcomers out. What unconfirmed peers have queued is bounded by itself, by a quarter
   * of `maxTotalQueue` and `maxQueueBytes`, and makes room in the same way.
   *
   * @default {1_024} or a quarter of `maxPeers`, if that is less; with 10,000 forged senders a second a
   * newcomer has 0.1 s to answer
   */
  maxUnconfirmed?: number | undefined;
  /**
   * Unconfirmed peers of one source at one time: an IPv4 address, or the /64 network of an IPv6 address.
   * For one more, the oldest unconfirmed session of that source ends.
   *
   * @default {256} or a quarter of `maxUnconfirmed`
   */
  maxUnconfirmedPerSource?: number | undefined;
  /**
   * Whether a datagram confirms its peer; asked about each datagram that comes after the first answer,
   * until one does. A protocol that sends a secret with its first answer, as QUIC and DTLS do, looks
   * for it here: then a sender that guesses when to send a second datagram stays unconfirmed, too.
   *
   * @default {undefined} each of them does
   */
  confirm?: ((data: Uint8Array, session: UdpSession<Addr>) => boolean) | undefined;
  /**
   * Datagrams of one peer that may wait for its handler. What arrives beyond that is dropped and
   * counted.
   *
   * @default {64} a burst of one window or two
   */
  maxQueue?: number | undefined;
  /**
   * Bytes of one peer that may wait; beyond that too they are dropped.
   *
   * @default {1_048_576} 16 of the largest datagrams
   */
  maxPeerQueueBytes?: number | undefined;
  /**
   * Datagrams that may wait for the handlers of all confirmed peers together.
   *
   * @default {16_384}
   */
  maxTotalQueue?: number | undefined;
  /**
   * Bytes that may wait for the handlers of all confirmed peers together.
   *
   * @default {16_777_216}
   */
  maxQueueBytes?: number | undefined;
  /**
   * Called with what a handler threw (with its session), and with what the system reported while
   * receiving (without).
   *
   * @default {undefined} prints what handlers threw to stderr: mistakes with their stack, what a peer
   * has caused as one escaped line with its address, both limited in rate
   */
  onError?: ((error: unknown, session?: UdpSession<Addr>) => void) | undefined;
}

/** What sessions have counted since they began. */
export interface UdpSessionsStats {
  /** Peers that have a session now, confirmed or not. */
  readonly active: number;
  /** Those of them that are not confirmed yet. */
  readonly unconfirmed: number;
  /** Sessions that were begun. */
  readonly opened: number;
  /** Sessions that ended because their peer was silent. */
  readonly expired: number;
  /** Sessions that ended to make room for another peer. */
  readonly evicted: number;
  /** Datagrams that were dropped because a queue was full or no session took them. */
  readonly dropped: number;
  /** Sends that were left out because the peer has no port or path to send to. */
  readonly unanswerable: number;
  /** Handlers that threw. */
  readonly handlerErrors: number;
}

/** The sessions of one endpoint, under way. */
export interface UdpSessions<Addr extends SocketAddress = SocketAddress> extends AsyncDisposable {
  /** The sessions that are open now, the idlest first. */
  readonly peers: Iterable<UdpSession<Addr>>;
  /**
   * Resolves when the sessions were shut down, or their endpoint was closed, and the last handler is
   * done; it never rejects.
   */
  readonly finished: Promise<void>;
  /** What was counted so far. */
  stats(): UdpSessionsStats;
  /**
   * Stops gracefully: ends all sessions, which their handlers notice by `signal` and by the end of their
   * loops, gives the endpoint back (its `receive()` works again, and it stays open), and waits for the
   * handlers, for `timeout` and another second at most.
   *
   * Calling it again with a shorter timeout shortens the wait; a longer one changes nothing.
   *
   * @param options How long to wait.
   * @returns A promise that settles when the last handler is done, or is no longer waited for.
   * @throws {RangeError} If `timeout` is negative or not a number.
   */
  shutdown(options?: ShutdownOptions): Promise<void>;
}

/** The datagrams of one peer. */
export interface UdpSession<Addr extends SocketAddress = SocketAddress>
  extends AsyncIterable<Datagram<Addr>> {
  /** The peer's address. */
  readonly remoteAddr: Addr;
  /** Aborts when the session ends, with a `ClosedError` that says why. */
  readonly signal: AbortSignal;
  /** How the session ended, `null` while it has not. */
  readonly ended: SessionEnd | null;
  /** Whether the peer has sent a datagram after an answer: its address is not a forged one. */
  readonly confirmed: boolean;
  /** Datagrams of this peer that were dropped because its queue was full. */
  readonly dropped: number;
  /**
   * Sends a datagram to the peer; it works after the session's end too.
   *
   * @param data Bytes, or text that is sent as UTF-8.
   * @returns A promise that settles when the system has taken it. That is not a receipt.
   * @throws {RangeError} If it is longer than a datagram can be.
   * @throws {ClosedError} If the endpoint was closed.
   */
  send(data: DatagramData): Promise<void>;
  /**
   * Receives the peer's next datagram, or waits for one.
   *
   * Cancellation: a call that timed out or was aborted has taken nothing.
   *
   * @param options How long to wait.
   * @returns The datagram; `null` if the session has ended.
   * @throws {Deno.errors.TimedOut} If nothing came in time.
   */
  receive(options?: UdpReceiveOptions): Promise<Datagram<Addr> | null>;
  /** Ends the session. The next datagram of the peer begins a new one. */
  close(): void;
}

/** The names of all options. */
export const SESSIONS_NAMES: OptionNames<UdpSessionsOptions> = {
  ...namesOf("idle", "maxPeers", "maxUnconfirmed", "maxUnconfirmedPerSource", "confirm"),
  ...namesOf("maxQueue", "maxPeerQueueBytes", "maxTotalQueue", "maxQueueBytes", "onError"),
};
