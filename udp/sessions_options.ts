/**
 * What sessions are made with, and what they look like to their owner and to their handlers.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import type { Datagram, DatagramData } from "./datagram.ts";
import type { UdpReceiveOptions } from "./options.ts";

/** Peers at one time, unless said otherwise. */
export const DEFAULT_MAX_PEERS = 4_096;

/** How long a peer may be silent, unless said otherwise, in milliseconds. */
export const DEFAULT_SESSION_IDLE = 60_000;

/** Datagrams of one peer that may wait, unless said otherwise: a burst of one window or two. */
export const DEFAULT_SESSION_QUEUE = 64;

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
   * Peers at one time. For one more, the session of the peer that was silent longest ends.
   *
   * @default {4_096}
   */
  maxPeers?: number;
  /**
   * Datagrams of one peer that may wait for its handler. What arrives beyond that is dropped and
   * counted.
   *
   * @default {64}
   */
  maxQueue?: number;
  /**
   * Bytes that may wait for the handlers of all peers together; beyond that too they are dropped.
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
  /** Peers that have a session now. */
  readonly active: number;
  /** Sessions that were begun. */
  readonly opened: number;
  /** Sessions that ended because their peer was silent. */
  readonly expired: number;
  /** Sessions that ended to make room for another peer. */
  readonly evicted: number;
  /** Datagrams that were dropped because a queue was full or nobody took them. */
  readonly dropped: number;
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
