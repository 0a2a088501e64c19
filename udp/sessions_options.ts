/**
 * What sessions are made with, and what they look like to their owner and to their handlers.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import type { Datagram, DatagramData } from "./datagram.ts";
import type { UdpReceiveOptions } from "./options.ts";

/** Confirmed peers at one time, unless said otherwise. */
export const DEFAULT_MAX_PEERS = 4_096;

/**
 * Unconfirmed peers at one time, unless specified (or a quarter of `maxPeers`, if that is less): a
 * flood of forged senders at 10,000 a second leaves a newcomer 0.1 s to answer.
 */
export const DEFAULT_MAX_UNCONFIRMED = 1_024;

/** How long a peer may be silent, unless said otherwise, in milliseconds. */
export const DEFAULT_SESSION_IDLE = 60_000;

/** Datagrams of one peer that may wait, unless said otherwise: a burst of one window or two. */
export const DEFAULT_SESSION_QUEUE = 64;

/** Bytes of one peer that may wait, unless specified: 16 of the largest datagrams. */
export const DEFAULT_SESSION_QUEUE_BYTES = 1024 * 1024;

/** Datagrams that may wait for all peers together, unless specified: an empty one takes memory, too. */
export const DEFAULT_SESSIONS_QUEUE = 16_384;

/** Bytes that may wait for all peers together, unless said otherwise. */
export const DEFAULT_SESSIONS_QUEUE_BYTES = 16 * 1024 * 1024;

/** How a session ended. */
export type SessionEnd = "handler" | "closed" | "idle" | "evicted" | "stopped";

/** What to do with one peer. The session ends when it returns or throws. */
export type SessionHandler = (session: UdpSession) => void | Promise<void>;

/** The limits of sessions, and their hooks. */
export interface UdpSessionsOptions {
  /**
   * Milliseconds without a datagram from the peer; then its session ends. 0 and `Infinity` mean "no
   * limit". A session may end up to an eighth of that late.
   *
   * @default {60_000}
   */
  idle?: number;
  /**
   * Confirmed peers at one time. For one more, the session of the confirmed peer that was silent longest
   * ends.
   *
   * @default {4_096}
   */
  maxPeers?: number;
  /**
   * Unconfirmed peers at one time. Whoever sends one datagram has a session, which is unconfirmed until
   * the peer has sent another one after an answer: then its address is not merely a forged one. For one
   * more, the oldest unconfirmed session ends. So forged senders neither end the sessions of confirmed
   * peers nor keep newcomers out. What unconfirmed peers have queued is bounded by itself, by a quarter
   * of `maxTotalQueue` and `maxQueueBytes`, and makes room in the same way.
   *
   * @default {1_024} or a quarter of `maxPeers`, if that is less
   */
  maxUnconfirmed?: number;
  /**
   * Unconfirmed peers of one source at one time: an IPv4 address, or the /64 network of an IPv6 address.
   * For one more, the oldest unconfirmed session of that source ends.
   *
   * @default {256} or a quarter of `maxUnconfirmed`
   */
  maxUnconfirmedPerSource?: number;
  /**
   * Whether a datagram confirms its peer; asked about each datagram that comes after the first answer,
   * until one does. A protocol that sends a secret with its first answer, as QUIC and DTLS do, looks
   * for it here: then a sender that guesses when to send a second datagram stays unconfirmed, too.
   *
   * @default {() => true}
   */
  confirm?: (data: Uint8Array, session: UdpSession) => boolean;
  /**
   * Datagrams of one peer that may wait for its handler. What arrives beyond that is dropped and
   * counted.
   *
   * @default {64}
   */
  maxQueue?: number;
  /**
   * Bytes of one peer that may wait; beyond that too they are dropped.
   *
   * @default {1_048_576}
   */
  maxPeerQueueBytes?: number;
  /**
   * Datagrams that may wait for the handlers of all confirmed peers together.
   *
   * @default {16_384}
   */
  maxTotalQueue?: number;
  /**
   * Bytes that may wait for the handlers of all confirmed peers together.
   *
   * @default {16_777_216}
   */
  maxQueueBytes?: number;
  /**
   * Called with what a handler threw (with its session), and with what the system reported while
   * receiving (without).
   *
   * @default {undefined} prints what handlers threw to stderr
   */
  onError?: (error: unknown, session?: UdpSession) => void;
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
  /** Datagrams that were dropped because a queue was full or nobody took them. */
  readonly dropped: number;
  /** Sends that were left out because the peer has no port or path to send to. */
  readonly unanswerable: number;
  /** Handlers that threw. */
  readonly handlerErrors: number;
}

/** The sessions of one endpoint, under way. */
export interface UdpSessions extends AsyncDisposable {
  /** The sessions that are open now, the idlest first. */
  readonly peers: Iterable<UdpSession>;
  /** Resolves when it was closed, or its endpoint was, and the last handler is done; never rejects. */
  readonly finished: Promise<void>;
  /** What was counted so far. */
  stats(): UdpSessionsStats;
  /**
   * Ends all sessions and gives the endpoint back: its `receive()` works again. The endpoint stays open.
   *
   * @returns A promise that settles when the last handler is done.
   */
  close(): Promise<void>;
}

/** The datagrams of one peer. */
export interface UdpSession extends AsyncIterable<Datagram> {
  /** The peer's address. */
  readonly remoteAddr: SocketAddress;
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
  receive(options?: UdpReceiveOptions): Promise<Datagram | null>;
  /** Ends the session. The next datagram of the peer begins a new one. */
  close(): void;
}
