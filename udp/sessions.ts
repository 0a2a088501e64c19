/**
 * One iterator per peer, on one socket.
 *
 * @module
 */
import { ClosedError, type SocketAddress } from "../errors.ts";
import { checkCount, checkTimeout } from "../common/options.ts";
import { PeerReport } from "../common/peer_report.ts";
import { userKey } from "../common/cidr.ts";
import { type Sweepable, unwatch, watch } from "../common/sweep.ts";
import { callHook } from "./_hook.ts";
import { Session, type SessionOwner } from "./_session.ts";
import { own } from "./_slab.ts";
import { ReceivedDatagram } from "./datagram.ts";
import { type Consumer, takeOver, type UdpEndpoint } from "./endpoint.ts";
import {
  DEFAULT_MAX_PEERS,
  DEFAULT_MAX_UNCONFIRMED,
  DEFAULT_SESSION_IDLE,
  DEFAULT_SESSION_QUEUE,
  DEFAULT_SESSION_QUEUE_BYTES,
  DEFAULT_SESSIONS_QUEUE,
  DEFAULT_SESSIONS_QUEUE_BYTES,
  type SessionEnd,
  type SessionHandler,
  type UdpSession,
  type UdpSessions,
  type UdpSessionsOptions,
  type UdpSessionsStats,
} from "./sessions_options.ts";

/**
 * Gives each peer of an endpoint its own session: `handler` is called when a peer sends its first
 * datagram, and gets that one and all further ones from it in the order of their arrival.
 *
 * A session ends when its handler returns, when its peer is silent for `idle`, when the peers are
 * too many and this one was silent longest, or when the endpoint or the sessions are closed. Then
 * its loop ends and its `receive()` answers `null`. The next datagram of that peer begins a new
 * session.
 *
 * A peer is confirmed when it has sent another datagram after an answer. Unconfirmed peers, whose
 * addresses may be forged, are counted and bounded by themselves (`maxUnconfirmed`) and never end the
 * session of a confirmed one.
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
 * await peer.send("one");
 * await peer.receive();
 * await peer.send("two");
 * const { data } = await peer.receive();
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

/** What the sessions of one kind have in their queues, and what they may have. */
interface Pool {
  count: number;
  bytes: number;
  readonly maxCount: number;
  readonly maxBytes: number;
}

class Sessions implements UdpSessions, SessionOwner, Consumer, Sweepable {
  readonly endpoint: UdpEndpoint;
  readonly finished: Promise<void>;
  readonly #handler: SessionHandler;
  readonly #limits: Limits;
  readonly #confirms: UdpSessionsOptions["confirm"];
  readonly #onError: UdpSessionsOptions["onError"];
  readonly #errors = new PeerReport();
  readonly #done = Promise.withResolvers<void>();
  /** By address; the idlest first. */
  readonly #confirmed = new Map<string, Session>();
  /** By address; the oldest first. */
  readonly #unconfirmed = new Map<string, Session>();
  /** The unconfirmed ones by what they come from; the oldest first. */
  readonly #sources = new Map<string, Set<Session>>();
  readonly #confirmedPool: Pool;
  readonly #unconfirmedPool: Pool;
  #handlers = 0; // that run, those of ended sessions included
  #stopped = false;
  #opened = 0;
  #expired = 0;
  #evicted = 0;
  #dropped = 0;
  #unanswerable = 0;
  #handlerErrors = 0;

  constructor(endpoint: UdpEndpoint, handler: SessionHandler, options: UdpSessionsOptions) {
    this.endpoint = endpoint;
    this.finished = this.#done.promise;
    this.#handler = handler;
    this.#limits = checkLimits(options);
    const { maxTotalQueue: maxCount, maxQueueBytes: maxBytes } = this.#limits;
    this.#confirmedPool = { count: 0, bytes: 0, maxCount, maxBytes };
    this.#unconfirmedPool = {
      count: 0,
      bytes: 0,
      maxCount: Math.ceil(maxCount / 4),
      maxBytes: Math.ceil(maxBytes / 4),
    };
    this.#confirms = options.confirm;
    this.#onError = options.onError;
    takeOver(endpoint, this);
  }

  get peers(): Iterable<UdpSession> {
    const all = [...this.#confirmed.values(), ...this.#unconfirmed.values()];
    return all.sort((one, other) => one.lastHeard - other.lastHeard);
  }

  stats(): UdpSessionsStats {
    return {
      active: this.#confirmed.size + this.#unconfirmed.size,
      unconfirmed: this.#unconfirmed.size,
      opened: this.#opened,
      expired: this.#expired,
      evicted: this.#evicted,
      dropped: this.#dropped,
      unanswerable: this.#unanswerable,
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
    let session = this.#confirmed.get(key);
    if (session !== undefined) {
      this.#confirmed.delete(key); // to the end: the map is in the order of the last datagram
      this.#confirmed.set(key, session);
    } else {
      session = this.#unconfirmed.get(key);
      if (session !== undefined && session.isAnswered) this.#confirm(session, view);
    }
    if (session === undefined) {
      // Handlers that do not end with their sessions must not pile up without a bound either.
      const { maxPeers, maxUnconfirmed } = this.#limits;
      if (this.#handlers >= maxPeers + Math.max(maxPeers, 2 * maxUnconfirmed)) {
        this.#dropped++;
        return;
      }
      session = this.#open(key, from);
    }
    session.lastHeard = performance.now();
    this.#deliver(session, view, truncated);
    if (!session.started) this.#start(session);
  }

  failed(error: unknown): void {
    this.#report(error, undefined);
  }

  closed(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const session of [...this.#confirmed.values(), ...this.#unconfirmed.values()]) {
      this.end(session, "stopped");
    }
    unwatch(this);
    this.#finishIfEmpty();
  }

  taken(session: Session, bytes: number): void {
    const pool = this.#poolOf(session);
    pool.count--;
    pool.bytes -= bytes;
  }

  unanswerable(): void {
    this.#unanswerable++;
  }

  /** Ends a session; its handler notices by itself. */
  end(session: Session, how: SessionEnd): void {
    if (session.ended !== null) return;
    const { size, bytes } = session.inbox;
    const pool = this.#poolOf(session);
    pool.count -= size;
    pool.bytes -= bytes;
    if (session.confirmed) this.#confirmed.delete(session.key);
    else this.#forgetUnconfirmed(session);
    if (how !== "stopped") this.#dropped += size;
    session.finish(how);
  }

  sweep(now: number): number {
    let next = Infinity;
    for (const session of this.#confirmed.values()) {
      const until = session.lastHeard + this.#limits.idle;
      next = Math.min(next, until);
      if (until > now) break;
      this.#expire(session);
    }
    for (const session of this.#unconfirmed.values()) {
      const until = session.lastHeard + this.#limits.idle;
      if (until <= now) this.#expire(session);
      else next = Math.min(next, until);
    }
    if (this.#confirmed.size + this.#unconfirmed.size === 0) unwatch(this);
    return next;
  }

  #expire(session: Session): void {
    this.#expired++;
    this.end(session, "idle");
  }

  #poolOf(session: Session): Pool {
    return session.confirmed ? this.#confirmedPool : this.#unconfirmedPool;
  }

  #open(key: string, from: SocketAddress): Session {
    const { maxUnconfirmed, maxUnconfirmedPerSource } = this.#limits;
    const source = "path" in from ? from.path : userKey(from.hostname);
    const siblings = this.#sources.get(source);
    if (siblings !== undefined && siblings.size >= maxUnconfirmedPerSource) this.#evict(siblings);
    if (this.#unconfirmed.size >= maxUnconfirmed) this.#evict(this.#unconfirmed.values());
    const { maxQueue, maxPeerQueueBytes: maxBytes } = this.#limits;
    const session = new Session(this, { key, source, remoteAddr: from, maxQueue, maxBytes });
    this.#opened++;
    if (this.#confirmed.size + this.#unconfirmed.size === 0 && this.#limits.idle < Infinity) {
      watch(this, performance.now() + this.#limits.idle);
    }
    this.#unconfirmed.set(key, session);
    const known = this.#sources.get(source);
    if (known === undefined) this.#sources.set(source, new Set([session]));
    else known.add(session);
    return session;
  }

  /** Ends the first of these sessions to make room for another. */
  #evict(sessions: Iterable<Session>): void {
    for (const first of sessions) {
      this.#evicted++;
      return this.end(first, "evicted");
    }
  }

  #confirm(session: Session, view: Uint8Array): void {
    try {
      if (this.#confirms !== undefined && !this.#confirms(view, session)) return;
    } catch (error) {
      this.#report(error, session);
      return;
    }
    if (session.ended !== null) return; // the hook has closed it
    if (this.#confirmed.size >= this.#limits.maxPeers) this.#evict(this.#confirmed.values());
    const { size, bytes } = session.inbox;
    this.#unconfirmedPool.count -= size;
    this.#unconfirmedPool.bytes -= bytes;
    this.#forgetUnconfirmed(session);
    session.confirmed = true;
    this.#confirmedPool.count += size;
    this.#confirmedPool.bytes += bytes;
    this.#confirmed.set(session.key, session);
  }

  #forgetUnconfirmed(session: Session): void {
    this.#unconfirmed.delete(session.key);
    const siblings = this.#sources.get(session.source);
    siblings?.delete(session);
    if (siblings?.size === 0) this.#sources.delete(session.source);
  }

  #deliver(session: Session, view: Uint8Array, truncated: boolean): void {
    const { inbox, remoteAddr } = session;
    if (!inbox.awaited && !this.#hasRoom(session, view.length)) {
      session.dropped++;
      this.#dropped++;
      return;
    }
    const isTaken = inbox.deliver(new ReceivedDatagram(own(view), remoteAddr, truncated, session));
    if (isTaken) return;
    const pool = this.#poolOf(session);
    pool.count++;
    pool.bytes += view.length;
  }

  /** Whether a datagram may wait; for one of an unconfirmed peer, others of that kind make room. */
  #hasRoom(session: Session, length: number): boolean {
    if (session.ended !== null || !session.inbox.accepts(length)) return false;
    const pool = this.#poolOf(session);
    const isFull = () => pool.count >= pool.maxCount || pool.bytes + length > pool.maxBytes;
    if (!isFull()) return true;
    if (session.confirmed) return false;
    for (const other of this.#unconfirmed.values()) {
      if (other === session || other.inbox.size === 0) continue;
      this.#evict([other]);
      if (!isFull()) return true;
    }
    return !isFull();
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
    if (!this.#stopped || this.#handlers > 0) return;
    this.#errors.close();
    this.#done.resolve();
  }

  #report(error: unknown, session: UdpSession | undefined): void {
    const onError = this.#onError;
    if (onError !== undefined) {
      callHook(() => onError(error, session), (thrown) => this.#errors.mistake(thrown));
    } else if (session !== undefined && !(error instanceof ClosedError)) {
      this.#errors.report(error, session.remoteAddr);
    }
  }
}

/** The limits of sessions, checked. */
type Limits = Readonly<
  Record<
    | "idle"
    | "maxPeers"
    | "maxUnconfirmed"
    | "maxUnconfirmedPerSource"
    | "maxQueue"
    | "maxPeerQueueBytes"
    | "maxTotalQueue"
    | "maxQueueBytes",
    number
  >
>;

function checkLimits(options: UdpSessionsOptions): Limits {
  const { idle = DEFAULT_SESSION_IDLE, maxPeers = DEFAULT_MAX_PEERS } = options;
  checkCount("maxPeers", maxPeers, 1);
  const { maxUnconfirmed = Math.min(DEFAULT_MAX_UNCONFIRMED, Math.ceil(maxPeers / 4)) } = options;
  checkCount("maxUnconfirmed", maxUnconfirmed, 1);
  const { maxUnconfirmedPerSource = Math.ceil(maxUnconfirmed / 4) } = options;
  const { maxQueue = DEFAULT_SESSION_QUEUE, maxPeerQueueBytes = DEFAULT_SESSION_QUEUE_BYTES } =
    options;
  const { maxTotalQueue = DEFAULT_SESSIONS_QUEUE, maxQueueBytes = DEFAULT_SESSIONS_QUEUE_BYTES } =
    options;
  return {
    idle: checkTimeout("idle", idle),
    maxPeers,
    maxUnconfirmed,
    maxUnconfirmedPerSource: checkCount("maxUnconfirmedPerSource", maxUnconfirmedPerSource, 1),
    maxQueue: checkCount("maxQueue", maxQueue, 1),
    maxPeerQueueBytes: checkCount("maxPeerQueueBytes", maxPeerQueueBytes),
    maxTotalQueue: checkCount("maxTotalQueue", maxTotalQueue, 1),
    maxQueueBytes: checkCount("maxQueueBytes", maxQueueBytes),
  };
}
