/**
 * One iterator per peer, on one socket.
 *
 * @module
 */
import { ClosedError, type SocketAddress } from "../errors.ts";
import { formatAddr } from "../_internal/address.ts";
import { checkCount, checkTimeout } from "../_internal/guard.ts";
import { type Sweepable, unwatch, watch } from "../_internal/sweep.ts";
import { type OperationContext, timedOut } from "../_internal/translate.ts";
import { checkTarget } from "./_address.ts";
import { DONE, Inbox } from "./_inbox.ts";
import { own } from "./_slab.ts";
import { type Datagram, type DatagramData, ReceivedDatagram, toBytes } from "./datagram.ts";
import { type Consumer, takeOver, transmit, type UdpEndpoint } from "./endpoint.ts";
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

/**
 * Gives each peer of an endpoint its own session: `handler` is called when a peer sends its first
 * datagram, and gets that one and all further ones from it in the order of their arrival.
 *
 * A session ends when its handler returns, when its peer is silent for `idle`, when the peers are
 * too many and this one was silent longest, or when the endpoint or the sessions are closed. Then
 * its loop ends and its `receive()` answers `null`. The next datagram of that peer begins a new
 * session.
 *
 * @param endpoint The socket. What it receives goes to the sessions from now on; requests made on
 * it still get their answers.
 * @param handler What to do with one peer.
 * @param options Limits and hooks.
 * @returns The sessions, to look at and to close.
 * @throws {Deno.errors.Busy} If somebody else takes the endpoint's datagrams, or waits for them.
 * @throws {ClosedError} If the endpoint was closed.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Count what each peer sends
 * ```ts
 * import { bindUdp, connectUdp, sessions } from "@tincan/net/udp";
 * import { assertEquals } from "@std/assert";
 *
 * await using endpoint = await bindUdp();
 * await using counting = sessions(endpoint, async (session) => {
 *   let count = 0;
 *   for await (const _ of session) await session.send(`${++count}`);
 * }, { idle: 30_000 });
 *
 * await using peer = await connectUdp({ port: (endpoint.addr as Deno.NetAddr).port });
 * await peer.request("one");
 * const { data } = await peer.request("two");
 * assertEquals(new TextDecoder().decode(data), "2");
 * ```
 */
export function sessions(
  endpoint: UdpEndpoint,
  handler: SessionHandler,
  options: UdpSessionsOptions = {},
): UdpSessions {
  if (typeof handler !== "function") {
    throw new TypeError(`Cannot serve: the handler must be a function, not ${typeof handler}`);
  }
  return new Sessions(endpoint, handler, options);
}

class Sessions implements UdpSessions, Consumer, Sweepable {
  readonly endpoint: UdpEndpoint;
  readonly finished: Promise<void>;
  readonly #handler: SessionHandler;
  readonly #idle: number;
  readonly #maxPeers: number;
  readonly #maxQueue: number;
  readonly #maxQueueBytes: number;
  readonly #onError: UdpSessionsOptions["onError"];
  readonly #done = Promise.withResolvers<void>();
  /** By address; the idlest first. */
  readonly #sessions = new Map<string, Session>();
  #handlers = 0; // that run, those of ended sessions included
  #bytes = 0; // that wait in all queues
  #stopped = false;
  #opened = 0;
  #expired = 0;
  #evicted = 0;
  #dropped = 0;
  #handlerErrors = 0;

  constructor(endpoint: UdpEndpoint, handler: SessionHandler, options: UdpSessionsOptions) {
    const { idle = DEFAULT_SESSION_IDLE, maxPeers = DEFAULT_MAX_PEERS } = options;
    const { maxQueue = DEFAULT_SESSION_QUEUE, maxQueueBytes = DEFAULT_SESSIONS_QUEUE_BYTES } =
      options;
    this.endpoint = endpoint;
    this.finished = this.#done.promise;
    this.#handler = handler;
    this.#idle = checkTimeout("idle", idle);
    this.#maxPeers = checkCount("maxPeers", maxPeers, 1);
    this.#maxQueue = checkCount("maxQueue", maxQueue, 1);
    this.#maxQueueBytes = checkCount("maxQueueBytes", maxQueueBytes);
    this.#onError = options.onError;
    takeOver(endpoint, this);
  }

  get peers(): Iterable<UdpSession> {
    return this.#sessions.values();
  }

  stats(): UdpSessionsStats {
    return {
      active: this.#sessions.size,
      opened: this.#opened,
      expired: this.#expired,
      evicted: this.#evicted,
      dropped: this.#dropped,
      handlerErrors: this.#handlerErrors,
    };
  }

  close(): Promise<void> {
    if (!this.#stopped) {
      takeOver(this.endpoint, undefined);
      this.closed();
    }
    return this.finished;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  consume(view: Uint8Array, from: SocketAddress, truncated: boolean): void {
    const key = "path" in from ? from.path : `${from.hostname} ${from.port}`;
    let session = this.#sessions.get(key);
    if (session === undefined) {
      // Handlers that do not end with their sessions must not pile up without a bound either.
      if (this.#handlers >= 2 * this.#maxPeers) {
        this.#dropped++;
        return;
      }
      session = this.#open(key, from);
    } else {
      this.#sessions.delete(key); // to the end: the map is in the order of the last datagram
      this.#sessions.set(key, session);
    }
    session.lastHeard = performance.now();
    const fits = this.#bytes + view.length <= this.#maxQueueBytes;
    const datagram = session.inbox.awaited || (fits && session.inbox.accepts(view.length))
      ? new ReceivedDatagram(own(view), from, truncated, session)
      : null;
    if (datagram === null) {
      session.dropped++;
      this.#dropped++;
    } else if (!session.inbox.deliver(datagram)) {
      this.#bytes += view.length;
    }
    if (!session.started) this.#start(session);
  }

  failed(error: unknown): void {
    this.#report(error, undefined);
  }

  closed(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const session of [...this.#sessions.values()]) this.end(session, "stopped");
    unwatch(this);
    this.#finishIfEmpty();
  }

  /** A datagram was taken out of a queue. */
  taken(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Ends a session; its handler notices by itself. */
  end(session: Session, how: SessionEnd): void {
    if (session.ended !== null) return;
    this.#sessions.delete(session.key);
    this.#bytes -= session.inbox.bytes;
    if (how !== "stopped") this.#dropped += session.inbox.size;
    session.finish(how);
  }

  sweep(now: number): number {
    for (const session of this.#sessions.values()) {
      const until = session.lastHeard + this.#idle;
      if (until > now) return until;
      this.#expired++;
      this.end(session, "idle");
    }
    unwatch(this);
    return Infinity;
  }

  #open(key: string, from: SocketAddress): Session {
    if (this.#sessions.size >= this.#maxPeers) {
      const [idlest] = this.#sessions.values();
      if (idlest !== undefined) {
        this.#evicted++;
        this.end(idlest, "evicted");
      }
    }
    const session = new Session(this, key, from, this.#maxQueue);
    this.#opened++;
    if (this.#sessions.size === 0 && this.#idle < Infinity) {
      watch(this, performance.now() + this.#idle);
    }
    this.#sessions.set(key, session);
    return session;
  }

  async #start(session: Session): Promise<void> {
    session.started = true;
    this.#handlers++;
    try {
      await this.#handler(session);
    } catch (error) {
      this.#handlerErrors++;
      this.#report(error, session);
    }
    this.#handlers--;
    this.end(session, "handler");
    this.#finishIfEmpty();
  }

  #finishIfEmpty(): void {
    if (this.#stopped && this.#handlers === 0) this.#done.resolve();
  }

  #report(error: unknown, session: UdpSession | undefined): void {
    try {
      if (this.#onError) this.#onError(error, session);
      else if (session !== undefined && !(error instanceof ClosedError)) console.error(error);
    } catch (thrown) {
      console.error(thrown);
    }
  }
}

class Session implements UdpSession {
  readonly key: string;
  readonly remoteAddr: SocketAddress;
  readonly inbox: Inbox;
  ended: SessionEnd | null = null;
  dropped = 0;
  started = false;
  /** When the last datagram came, on the clock of `performance.now()`. */
  lastHeard = 0;
  readonly #owner: Sessions;
  #controller: AbortController | undefined;

  constructor(owner: Sessions, key: string, remoteAddr: SocketAddress, maxQueue: number) {
    this.#owner = owner;
    this.key = key;
    this.remoteAddr = remoteAddr;
    this.inbox = new Inbox({
      maxCount: maxQueue,
      maxBytes: Infinity,
      late: (after) => timedOut(this.#context(), after, "nothing came"),
      onTaken: (bytes) => owner.taken(bytes),
    });
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.ended !== null) this.#controller.abort(this.#reason(this.ended));
    }
    return this.#controller.signal;
  }

  finish(how: SessionEnd): void {
    this.ended = how;
    this.inbox.end();
    this.#controller?.abort(this.#reason(how));
  }

  send(data: DatagramData): Promise<void> {
    try {
      const bytes = toBytes(data);
      if ("path" in this.remoteAddr) checkTarget("send", this.remoteAddr);
      return transmit(this.#owner.endpoint, bytes, this.remoteAddr) as Promise<void>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  sendReply(_: Datagram, data: DatagramData): Promise<void> {
    return this.send(data);
  }

  receive(options?: UdpReceiveOptions): Promise<Datagram | null> {
    return this.inbox.receive<null>(options, (resolve) => resolve(null));
  }

  close(): void {
    this.#owner.end(this, "closed");
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Datagram> {
    return this.inbox.iterate(() => {}, (resolve) => resolve(DONE));
  }

  #reason(how: SessionEnd): ClosedError {
    const peer = formatAddr(this.remoteAddr);
    const message = `Cannot go on: the session of ${peer} has ended (${how})`;
    return new ClosedError("closed", message, this.#context());
  }

  #context(): OperationContext {
    return {
      operation: "receive",
      transport: "path" in this.remoteAddr ? "unixpacket" : "udp",
      localAddr: this.#owner.endpoint.addr,
      remoteAddr: this.remoteAddr,
    };
  }
}
