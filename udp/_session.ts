/**
 * One peer of an endpoint, and all peers of one kind.
 *
 * @module
 */
import { ClosedError, type SocketAddress } from "../errors.ts";
import { formatAddr } from "../common/address.ts";
import { userKey } from "../common/cidr.ts";
import { END } from "../common/pull_iterator.ts";
import type { OperationContext } from "../common/net_error.ts";
import { canAnswer, senderKey } from "./_address.ts";
import { Inbox } from "./_inbox.ts";
import { LazySignal } from "./_lazy_signal.ts";
import { promiseOf } from "./_outgoing.ts";
import type { SessionLimits } from "./_session_limits.ts";
import { type Datagram, type DatagramData, toBytes } from "./datagram.ts";
import { socketOf, type UdpEndpoint } from "./endpoint.ts";
import type { UdpReceiveOptions } from "./options.ts";
import type { SessionEnd, UdpSession } from "./sessions_options.ts";

/** What a session needs of the sessions that it belongs to. */
export interface SessionOwner {
  readonly endpoint: UdpEndpoint;
  /** A datagram was taken out of a queue. */
  taken(session: Session, bytes: number): void;
  /** Something was not sent because the peer has no port or path to send to. */
  unanswerable(): void;
  /** Ends a session. */
  end(session: Session, how: SessionEnd): void;
}

/** The datagrams of one peer, and what their owner must know of them. */
export class Session implements UdpSession {
  readonly key: string;
  readonly remoteAddr: SocketAddress;
  readonly inbox: Inbox;
  /** What its unconfirmed sessions are counted by. */
  readonly source: string;
  ended: SessionEnd | null = null;
  confirmed = false;
  /** Whether anything was sent to the peer. */
  isAnswered = false;
  dropped = 0;
  started = false;
  /** When the last datagram came, on the clock of `performance.now()`. */
  lastHeard = 0;
  readonly #owner: SessionOwner;
  readonly #lazy = new LazySignal();

  constructor(owner: SessionOwner, remoteAddr: SocketAddress, limits: SessionLimits) {
    this.#owner = owner;
    this.key = senderKey(remoteAddr);
    this.source = "path" in remoteAddr ? remoteAddr.path : userKey(remoteAddr.hostname);
    this.remoteAddr = remoteAddr;
    const context = () => this.#context();
    const onTaken = (bytes: number) => owner.taken(this, bytes);
    this.inbox = new Inbox(limits.maxQueue, limits.maxPeerQueueBytes, context, onTaken);
  }

  get signal(): AbortSignal {
    return this.#lazy.signal;
  }

  finish(how: SessionEnd): void {
    this.ended = how;
    this.inbox.end();
    this.#lazy.abort(() => this.#reason(how));
  }

  send(data: DatagramData): Promise<void> {
    return promiseOf((done) => {
      const bytes = toBytes(data);
      if (!canAnswer(this.remoteAddr)) {
        this.#owner.unanswerable();
        return done(undefined);
      }
      this.isAnswered = true;
      socketOf(this.#owner.endpoint).outgoing.send(bytes, this.remoteAddr, done);
    });
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
    return this.inbox.iterate(() => {}, (resolve) => resolve(END));
  }

  #reason(how: SessionEnd): ClosedError {
    const peer = formatAddr(this.remoteAddr);
    const message = `Cannot receive: the session of ${peer} has ended (${how})`;
    return new ClosedError(how === "stopped" ? "draining" : "closed", message, this.#context());
  }

  #context(): OperationContext {
    return socketOf(this.#owner.endpoint).state.context("receive", this.remoteAddr);
  }
}

/** The sessions of one kind by address, and what waits in their queues together. */
export class SessionGroup extends Map<string, Session> {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  #count = 0;
  #bytes = 0;

  /** @param share The part of the limits that holds for these sessions. */
  constructor({ maxTotalQueue, maxQueueBytes }: SessionLimits, share: number) {
    super();
    this.#maxCount = Math.ceil(maxTotalQueue * share);
    this.#maxBytes = Math.ceil(maxQueueBytes * share);
  }

  /** Whether one more datagram of this length may wait. */
  fits(length: number): boolean {
    return this.#count < this.#maxCount && this.#bytes + length <= this.#maxBytes;
  }

  /** Notes what waits, or with negative numbers what no longer does. */
  addQueued(count: number, bytes: number): void {
    this.#count += count;
    this.#bytes += bytes;
  }
}
