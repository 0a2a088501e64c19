/**
 * A socket of its own for each request without `match`.
 *
 * Without an id in the datagrams nothing tells a late answer from the next request's, except the
 * socket to which it comes. That is how DNS resolvers tell them apart, too (RFC 5452). After the answer
 * the socket stays open for a while: a copy of the answer is recognised, and what else comes is received
 * with `receive()`.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { type Sweepable, unwatch, watch } from "../common/sweep.ts";
import type { DatagramSink, Driver } from "./_driver.ts";
import { LateAnswers } from "./_late_answers.ts";
import { Outgoing } from "./_outgoing.ts";
import type { PendingRequests, UdpRequest, WaitingRequest } from "./_requests.ts";
import { own } from "./_slab.ts";
import type { SocketState } from "./_socket_state.ts";
import { type Datagram, type DatagramData, ReceivedDatagram, type Replier } from "./datagram.ts";

/** How long a socket stays open after its request was answered, in milliseconds. */
const LINGER = 5_000;
/** Answered sockets that stay open: each takes a descriptor. The oldest is closed first. */
const MAX_LINGERING = 16;

/** What request sockets need of their endpoint. */
export interface RequestSocketsInit {
  readonly state: SocketState;
  readonly requests: PendingRequests;
  /** Opens a socket like the endpoint's, on another port. */
  open(to: SocketAddress): Promise<Driver>;
  /** Takes a datagram that is no answer. */
  deliver(datagram: Datagram): void;
  /** Sends answers from the endpoint's own socket. */
  readonly replier: Replier;
}

/** The sockets of the requests of one endpoint. */
export class RequestSockets implements Sweepable {
  readonly init: RequestSocketsInit;
  readonly #open = new Set<RequestSocket>();
  readonly #lingering = new Set<RequestSocket>(); // the oldest first
  readonly #closing = new Set<Promise<void>>();
  readonly #waiting = new Set<() => void>(); // for a socket to be free, the first first
  #active = 0;
  #isClosed = false;
  #isRef = true;

  constructor(init: RequestSocketsInit) {
    this.init = init;
  }

  /** Sends a request and waits for its answer. */
  async make(request: UdpRequest): Promise<Datagram> {
    const { requests, state } = this.init;
    const release = requests.reserve(request.to);
    let socket: RequestSocket;
    try {
      if (this.#active >= state.limits.maxRequestSockets) await this.#free(request.signal);
      else this.#active++;
      try {
        socket = await this.#openFor(request, release);
      } catch (error) {
        this.#leave();
        throw error;
      }
    } finally {
      release();
    }
    try {
      return await socket.waiting.settle.promise;
    } catch (error) {
      this.close(socket);
      throw error;
    } finally {
      this.#leave();
    }
  }

  setRef(isRef: boolean): void {
    this.#isRef = isRef;
    for (const { driver } of this.#open) isRef ? driver.ref() : driver.unref();
  }

  /** Keeps a socket for a while after its answer. */
  linger(socket: RequestSocket): void {
    socket.until = performance.now() + LINGER;
    this.#lingering.add(socket);
    watch(this, socket.until);
    for (const oldest of this.#lingering) {
      if (this.#lingering.size <= MAX_LINGERING) break;
      this.close(oldest);
    }
  }

  sweep(now: number): number {
    for (const socket of this.#lingering) {
      if (socket.until > now) return socket.until;
      this.close(socket);
    }
    return Infinity;
  }

  close(socket: RequestSocket): void {
    if (!this.#open.delete(socket)) return;
    this.#lingering.delete(socket);
    if (this.#lingering.size === 0) unwatch(this);
    this.#close(socket.close());
  }

  #close(closing: Promise<void>): void {
    this.#closing.add(closing);
    closing.finally(() => this.#closing.delete(closing));
  }

  /** Closes all of them; the requests have ended before. */
  async closeAll(): Promise<void> {
    this.#isClosed = true;
    for (const resume of [...this.#waiting]) resume();
    for (const socket of [...this.#open]) this.close(socket);
    await Promise.all(this.#closing);
  }

  async #openFor(request: UdpRequest, release: () => void): Promise<RequestSocket> {
    const { to, signal } = request;
    const { state, open } = this.init;
    if (this.#isClosed) throw state.closedError("request", to);
    const driver = await open(to);
    try {
      if (this.#isClosed) throw state.closedError("request", to);
      signal?.throwIfAborted();
    } catch (error) {
      this.#close(driver.close());
      throw error;
    }
    release();
    const socket = new RequestSocket(driver, this, request);
    this.#open.add(socket);
    if (!this.#isRef) driver.unref();
    return socket;
  }

  /** Settles when the place of another socket is free, in the order of the calls. */
  #free(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const end = () => {
      this.#waiting.delete(end);
      signal?.removeEventListener("abort", end);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    signal?.addEventListener("abort", end);
    this.#waiting.add(end);
    return promise;
  }

  /** Gives a place to the next that waits for one, or back. */
  #leave(): void {
    for (const resume of this.#waiting) return resume();
    this.#active--;
  }
}

/** The socket of one request. */
class RequestSocket implements DatagramSink, Replier {
  readonly driver: Driver;
  readonly outgoing: Outgoing;
  readonly waiting: WaitingRequest;
  /** When it is closed after its answer, on the clock of `performance.now()`. */
  until = Infinity;
  readonly #owner: RequestSockets;
  readonly #late = new LateAnswers();
  #isClosed = false;

  /** Sends the request, which has its place. */
  constructor(driver: Driver, owner: RequestSockets, request: UdpRequest) {
    const { requests, state } = owner.init;
    this.driver = driver;
    this.#owner = owner;
    this.outgoing = new Outgoing(driver, state);
    this.waiting = requests.begin(request, this.outgoing);
    driver.start(this);
  }

  received(received: Uint8Array, from: SocketAddress): void {
    const { state, requests, deliver } = this.#owner.init;
    const { waiting } = this;
    const { anySource, to } = waiting.request;
    const view = state.admit(received, from, anySource ? undefined : to);
    if (view === null || this.#isClosed) return;
    const copy = () => new ReceivedDatagram(own(view), from, view !== received, this);
    if (requests.isWaiting(waiting)) {
      // One for each try, as the network may double the last.
      const copies = waiting.sent;
      this.#late.expect({ match: undefined, source: from, answer: view, copies, others: 0 });
      requests.answer(waiting, copy());
      this.#owner.linger(this);
    } else if (this.until < Infinity) {
      if (this.#late.recognise(view, from)) state.counts.lateAnswers++;
      else deliver(copy());
    }
  }

  failed(): void {
    this.#owner.init.state.counts.receiveErrors++;
  }

  sendReply(datagram: Datagram, data: DatagramData): Promise<void> {
    const replier = this.#isClosed ? this.#owner.init.replier : this.outgoing;
    return replier.sendReply(datagram, data);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.outgoing.close();
  }
}
