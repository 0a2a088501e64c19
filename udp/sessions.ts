/**
 * One iterator per peer, on one socket.
 *
 * @module
 */
import { ClosedError, type SocketAddress } from "../errors.ts";
import { checkCount, checkTimeout } from "../_internal/guard.ts";
import { type Sweepable, unwatch, watch } from "../_internal/sweep.ts";
import { Session, type SessionOwner } from "./_session.ts";
import { own } from "./_slab.ts";
import { ReceivedDatagram } from "./datagram.ts";
import { type Consumer, takeOver, type UdpEndpoint } from "./endpoint.ts";
import {
  DEFAULT_MAX_PEERS,
  DEFAULT_SESSION_IDLE,
  DEFAULT_SESSION_QUEUE,
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

class Sessions implements UdpSessions, SessionOwner, Consumer, Sweepable {
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
