/**
 * One iterator per peer, on one socket.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { splitArguments } from "../common/options.ts";
import { type Sweepable, unwatch, watch } from "../common/sweep.ts";
import { ServerHooks } from "../_internal/server_hooks.ts";
import { Shutdown, type ShutdownOptions } from "../_internal/shutdown.ts";
import { senderKey } from "./_address.ts";
import type { Consumer } from "./_dispatcher.ts";
import { Session, SessionGroup, type SessionOwner } from "./_session.ts";
import { type SessionLimits, sessionLimits } from "./_session_limits.ts";
import { own } from "./_slab.ts";
import { ReceivedDatagram } from "./datagram.ts";
import { socketOf, type UdpEndpoint } from "./endpoint.ts";
import {
  type SessionEnd,
  type SessionHandler,
  SESSIONS_NAMES,
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
 * too many and this one was silent longest, or when the sessions are shut down or the endpoint is closed.
 * Then its loop ends and its `receive()` answers `null`. The next datagram of that peer begins a new
 * session.
 *
 * A peer is confirmed when it has sent another datagram after an answer. Unconfirmed peers, whose
 * addresses may be forged, are counted and bounded by themselves (`maxUnconfirmed`) and never end the
 * session of a confirmed one.
 *
 * @param endpoint The socket. What it receives goes to the sessions from now on; requests made on
 * it still get their answers.
 * @param options Limits and hooks.
 * @param handler What to do with one peer.
 * @returns The sessions, to look at and to shut down.
 * @throws {Deno.errors.Busy} If the endpoint's datagrams are taken already, or a call waits for one.
 * @throws {ClosedError} If the endpoint was closed.
 * @throws {RangeError | TypeError} If an option is out of range, or does not exist.
 *
 * @example Count what each peer sends
 * ```ts
 * import { bindUdp, connectUdp, sessions } from "@tincan/net/udp";
 * import { assertEquals } from "@std/assert";
 *
 * await using endpoint = await bindUdp();
 * await using counting = sessions(endpoint, { idle: 30_000 }, async (session) => {
 *   let count = 0;
 *   for await (const _ of session) await session.send(`${++count}`);
 * });
 *
 * await using peer = await connectUdp(endpoint.addr);
 * await peer.send("one");
 * await peer.receive();
 * await peer.send("two");
 * const datagram = await peer.receive();
 * assertEquals(datagram.text(), "2");
 * ```
 */
export function sessions<Addr extends SocketAddress>(
  endpoint: UdpEndpoint<Addr>,
  options: UdpSessionsOptions<Addr> | undefined,
  handler: SessionHandler<Addr>,
): UdpSessions<Addr>;
/**
 * Gives each peer of an endpoint its own session, with the default limits.
 *
 * @param endpoint The socket. What it receives goes to the sessions from now on.
 * @param handler What to do with one peer.
 * @returns The sessions, to look at and to shut down.
 * @throws {Deno.errors.Busy} If the endpoint's datagrams are taken already, or a call waits for one.
 * @throws {ClosedError} If the endpoint was closed.
 */
export function sessions<Addr extends SocketAddress>(
  endpoint: UdpEndpoint<Addr>,
  handler: SessionHandler<Addr>,
): UdpSessions<Addr>;
export function sessions(
  endpoint: UdpEndpoint,
  second: unknown,
  third?: unknown,
): UdpSessions {
  const names = SESSIONS_NAMES;
  return new Sessions(
    endpoint,
    ...splitArguments<UdpSessionsOptions, SessionHandler>("sessions", names, second, third),
  );
}

class Sessions implements UdpSessions, SessionOwner, Consumer, Sweepable {
  readonly endpoint: UdpEndpoint;
  readonly finished: Promise<void>;
  readonly #handler: SessionHandler;
  readonly #limits: SessionLimits;
  readonly #confirms: UdpSessionsOptions["confirm"];
  readonly #hooks: ServerHooks<UdpSession>;
  readonly #stopping: Shutdown;
  readonly #confirmed: SessionGroup; // the idlest first
  readonly #unconfirmed: SessionGroup; // the oldest first
  /** The unconfirmed ones by what they come from; the oldest first. */
  readonly #sources = new Map<string, Set<Session>>();
  readonly #counts = {
    opened: 0,
    expired: 0,
    evicted: 0,
    dropped: 0,
    unanswerable: 0,
    handlerErrors: 0,
  };
  #handlers = 0; // that run, those of ended sessions included

  constructor(endpoint: UdpEndpoint, options: UdpSessionsOptions, handler: SessionHandler) {
    this.endpoint = endpoint;
    this.#handler = handler;
    this.#limits = sessionLimits(options);
    this.#confirmed = new SessionGroup(this.#limits, 1);
    this.#unconfirmed = new SessionGroup(this.#limits, 1 / 4);
    this.#confirms = options.confirm;
    this.#hooks = new ServerHooks(options, ({ remoteAddr }) => remoteAddr);
    this.#stopping = new Shutdown({
      stopAccepting: () => this.#stop(),
      drain() {}, // a session that has ended has told its handler
      abort() {}, // the endpoint stays open
      isIdle: () => this.#handlers === 0,
      release: () => this.#hooks.close(),
    });
    this.finished = this.#stopping.finished;
    socketOf(endpoint).takeOver(this);
  }

  get peers(): Iterable<UdpSession> {
    return this.#all().sort((one, other) => one.lastHeard - other.lastHeard);
  }

  stats(): UdpSessionsStats {
    return {
      active: this.#confirmed.size + this.#unconfirmed.size,
      unconfirmed: this.#unconfirmed.size,
      ...this.#counts,
    };
  }

  shutdown(options?: ShutdownOptions): Promise<void> {
    return this.#stopping.shutdown(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  consume(view: Uint8Array, from: SocketAddress, truncated: boolean): void {
    this.#hooks.noteSuccess();
    const key = senderKey(from);
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
        this.#counts.dropped++;
        return;
      }
      session = this.#open(from);
    }
    session.lastHeard = performance.now();
    this.#deliver(session, view, truncated);
    if (!session.started) this.#start(session);
  }

  failed(error: unknown): void {
    this.#hooks.reportFailure(error);
  }

  closed(): void {
    this.#stopping.abort();
  }

  taken(session: Session, bytes: number): void {
    this.#groupOf(session).addQueued(-1, -bytes);
  }

  unanswerable(): void {
    this.#counts.unanswerable++;
  }

  /** Ends a session; its handler notices by itself. */
  end(session: Session, how: SessionEnd): void {
    if (session.ended !== null) return;
    this.#remove(session);
    if (how !== "stopped") this.#counts.dropped += session.inbox.size;
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
    this.#counts.expired++;
    this.end(session, "idle");
  }

  #all(): Session[] {
    return [...this.#confirmed.values(), ...this.#unconfirmed.values()];
  }

  #groupOf({ confirmed }: Session): SessionGroup {
    return confirmed ? this.#confirmed : this.#unconfirmed;
  }

  #open(from: SocketAddress): Session {
    const { maxUnconfirmed, maxUnconfirmedPerSource } = this.#limits;
    const session = new Session(this, from, this.#limits);
    const { key, source } = session;
    const siblings = this.#sources.get(source);
    if (siblings !== undefined && siblings.size >= maxUnconfirmedPerSource) this.#evict(siblings);
    if (this.#unconfirmed.size >= maxUnconfirmed) this.#evict(this.#unconfirmed.values());
    this.#counts.opened++;
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
      this.#counts.evicted++;
      return this.end(first, "evicted");
    }
  }

  #confirm(session: Session, view: Uint8Array): void {
    try {
      if (this.#confirms !== undefined && !this.#confirms(view, session)) return;
    } catch (error) {
      this.#hooks.report(error, session);
      return;
    }
    if (session.ended !== null) return; // the hook has closed it
    if (this.#confirmed.size >= this.#limits.maxPeers) this.#evict(this.#confirmed.values());
    this.#remove(session);
    session.confirmed = true;
    this.#confirmed.addQueued(session.inbox.size, session.inbox.bytes);
    this.#confirmed.set(session.key, session);
  }

  /** Takes a session out of its group, with what waits in its queue. */
  #remove(session: Session): void {
    const group = this.#groupOf(session);
    group.delete(session.key);
    group.addQueued(-session.inbox.size, -session.inbox.bytes);
    if (session.confirmed) return;
    const siblings = this.#sources.get(session.source);
    siblings?.delete(session);
    if (siblings?.size === 0) this.#sources.delete(session.source);
  }

  #deliver(session: Session, view: Uint8Array, truncated: boolean): void {
    const { inbox, remoteAddr } = session;
    if (!inbox.awaited && !this.#hasRoom(session, view.length)) {
      session.dropped++;
      this.#counts.dropped++;
      return;
    }
    const isTaken = inbox.deliver(new ReceivedDatagram(own(view), remoteAddr, truncated, session));
    if (!isTaken) this.#groupOf(session).addQueued(1, view.length);
  }

  /** Whether a datagram may wait; for one of an unconfirmed peer, others of that kind make room. */
  #hasRoom(session: Session, length: number): boolean {
    if (session.ended !== null || !session.inbox.accepts(length)) return false;
    const group = this.#groupOf(session);
    if (group.fits(length)) return true;
    if (session.confirmed) return false;
    for (const other of this.#unconfirmed.values()) {
      if (other === session || other.inbox.size === 0) continue;
      this.#evict([other]);
      if (group.fits(length)) return true;
    }
    return false;
  }

  async #start(session: Session): Promise<void> {
    session.started = true;
    this.#handlers++;
    try {
      await this.#handler(session);
    } catch (error) {
      this.#counts.handlerErrors++;
      this.#hooks.report(error, session);
    }
    this.#handlers--;
    this.end(session, "handler");
    this.#stopping.finishIfIdle();
  }

  /** Ends all sessions, and gives the endpoint back. */
  #stop(): void {
    socketOf(this.endpoint).takeOver(undefined);
    for (const session of this.#all()) this.end(session, "stopped");
    unwatch(this);
  }
}
