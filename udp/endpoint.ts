/**
 * One bound datagram socket.
 *
 * @module
 */
import {
  ClosedError,
  type NetOperation,
  type NetTransport,
  type SocketAddress,
} from "../errors.ts";
import { formatAddr } from "../common/address.ts";
import { checkCount, checkTimeout } from "../common/options.ts";
import { netError, type OperationContext, timedOut } from "../common/net_error.ts";
import { translate } from "../_internal/translate.ts";
import { unattended } from "../common/unattended.ts";
import { canAnswer, checkTarget, isSame, type UdpTarget } from "./_address.ts";
import type { Driver } from "./_driver.ts";
import { DONE, Inbox } from "./_inbox.ts";
import {
  applySettings,
  type GroupSettings,
  joinGroup,
  type MulticastMembership,
  type MulticastOptions,
} from "./_multicast.ts";
import { Outgoing, type SendCounts, type SendDone } from "./_outgoing.ts";
import { closeSocket, type ReceiveCounts, RequestSockets } from "./_request_sockets.ts";
import { type RequestInit, Requests } from "./_requests.ts";
import { own } from "./_slab.ts";
import { checkSize, isForMany, Targets } from "./_targets.ts";
import { type Datagram, type DatagramData, ReceivedDatagram, toBytes } from "./datagram.ts";
import type { UdpEndpointStats } from "./endpoint_stats.ts";
import {
  DEFAULT_MAX_QUEUE,
  DEFAULT_MAX_QUEUE_BYTES,
  DEFAULT_MAX_REQUEST_SOCKETS,
  DEFAULT_MAX_REQUEST_TIMEOUT,
  DEFAULT_MAX_REQUESTS,
  DEFAULT_MAX_SEND_QUEUE,
  DEFAULT_MAX_SEND_QUEUE_BYTES,
  DEFAULT_REQUEST_RETRIES,
  DEFAULT_REQUEST_TIMEOUT,
  type UdpBindOptions,
  type UdpReceiveOptions,
  type UdpRequestOptions,
  type UnixDatagramOptions,
} from "./options.ts";

/** Somebody who takes all datagrams of an endpoint in the place of `receive()`. */
export interface Consumer {
  /** Takes a datagram; `view` is valid during the call only. It never throws. */
  consume(view: Uint8Array, from: SocketAddress, truncated: boolean): void;
  /** Takes an error of the system; receiving goes on. */
  failed(error: unknown): void;
  /** The endpoint was closed. */
  closed(reason: unknown): void;
}

/** What is shared by everything that the endpoint's parts may need. */
interface Internals {
  transmit(endpoint: UdpEndpoint, data: Uint8Array, to: SocketAddress, done: SendDone): void;
  post(endpoint: UdpEndpoint, data: Uint8Array, to: SocketAddress): Promise<void>;
  takeOver(endpoint: UdpEndpoint, consumer: Consumer | undefined): void;
  create(init: EndpointInit): UdpEndpoint;
}

/** How to make an endpoint. */
export type EndpointOptions = (UdpBindOptions | UnixDatagramOptions) & {
  /** The only one to listen to. */
  readonly peer?: SocketAddress | undefined;
};

/** What an endpoint is made from. */
export interface EndpointInit {
  readonly driver: Driver;
  /** Binds another socket like it, on a port or path that no one else has. */
  readonly openAnother: () => Promise<Driver>;
  readonly maxSize: number;
  readonly options: EndpointOptions;
}

let internals: Internals;

/**
 * A bound datagram socket: it sends to anybody and receives from anybody.
 *
 * Receiving goes on all the time, into a bounded queue, because what the system keeps by itself is
 * little: what the queue cannot hold is dropped and counted.
 *
 * - Zero-length datagrams are data. Whoever sends to a peer that does not exist is not told so.
 * - Datagrams leave in the order of the calls, awaited or not. Up to `maxSendQueue` of them wait for
 *   the system.
 * - Any number of callers may wait in {@linkcode UdpEndpoint.receive}; each gets a whole datagram.
 * - The endpoint keeps the process alive until it is closed, or {@linkcode UdpEndpoint.unref} is
 *   called.
 *
 * @example Ask and answer
 * ```ts
 * import { bindUdp } from "@tincan/net/udp";
 * import { assertEquals } from "@std/assert";
 *
 * await using alice = await bindUdp();
 * await using bob = await bindUdp();
 *
 * await alice.send("hello", bob.addr as Deno.NetAddr);
 * const datagram = await bob.receive();
 * await datagram.reply("hello yourself");
 *
 * const { data, from } = await alice.receive();
 * assertEquals(new TextDecoder().decode(data), "hello yourself");
 * assertEquals(from, bob.addr);
 * ```
 */
export class UdpEndpoint implements AsyncIterable<Datagram>, AsyncDisposable {
  readonly #driver: Driver;
  readonly #transport: NetTransport;
  readonly #maxSize: number;
  readonly #targets: Targets;
  readonly #peer: SocketAddress | undefined;
  readonly #inbox: Inbox;
  readonly #requests: Requests;
  readonly #requestSockets: RequestSockets;
  readonly #outgoing: Outgoing;
  readonly #groups: GroupSettings = {};
  readonly #signal: AbortSignal | undefined;
  readonly #counts: SendCounts & ReceiveCounts = {
    sent: 0,
    bytesSent: 0,
    sendErrors: 0,
    received: 0,
    bytesReceived: 0,
    strangers: 0,
    truncated: 0,
    receiveErrors: 0,
  };
  #dropped = 0;
  #unanswerable = 0;
  #consumer: Consumer | undefined;
  #closing: Promise<void> | undefined;
  #aborted = false;

  static {
    internals = {
      transmit: (endpoint, data, to, done) => endpoint.#outgoing.send(data, to, done),
      post: (endpoint, data, to) => endpoint.#outgoing.post(data, to),
      takeOver: (endpoint, consumer) => endpoint.#takeOver(consumer),
      create: (init) => new UdpEndpoint(init),
    };
  }

  private constructor({ driver, openAnother, maxSize, options }: EndpointInit) {
    this.#driver = driver;
    this.#transport = "path" in driver.addr ? "unixpacket" : "udp";
    this.#maxSize = maxSize;
    this.#targets = new Targets({
      v6: driver.v6,
      transport: this.#transport,
      broadcast: "broadcast" in options && options.broadcast === true,
      context: (operation, to) => this.#context(operation, to),
    });
    this.#peer = options.peer;
    this.#inbox = new Inbox({
      maxCount: options.maxQueue ?? DEFAULT_MAX_QUEUE,
      maxBytes: options.maxQueueBytes ?? DEFAULT_MAX_QUEUE_BYTES,
      late: (after) => timedOut(this.#context("receive"), after, "nothing came"),
    });
    const makeOutgoing = (driver: Driver) =>
      new Outgoing({
        driver,
        counts: this.#counts,
        maxCount: options.maxSendQueue ?? DEFAULT_MAX_SEND_QUEUE,
        maxBytes: options.maxSendQueueBytes ?? DEFAULT_MAX_SEND_QUEUE_BYTES,
        context: (operation, to) => this.#context(operation, to),
        closedError: (operation, to) => this.#closedError(operation, to),
      });
    this.#outgoing = makeOutgoing(driver);
    this.#requests = new Requests(
      (operation, to) => this.#context(operation, to),
      options.maxRequests ?? DEFAULT_MAX_REQUESTS,
    );
    this.#requestSockets = new RequestSockets({
      requests: this.#requests,
      counts: this.#counts,
      maxSize,
      maxSockets: options.maxRequestSockets ?? DEFAULT_MAX_REQUEST_SOCKETS,
      open: async (to) => {
        const another = await openAnother();
        await applySettings(another, to, this.#groups, this.#context("multicast"));
        return another;
      },
      outgoing: makeOutgoing,
      deliver: (datagram) => this.#deliver(datagram),
      reply: (datagram, data) => this.#replier.sendReply(datagram, data),
      closedError: (operation, to) => this.#closedError(operation, to),
    });
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#abort);
    driver.start({ received: this.#take, failed: this.#failed });
  }

  /** Where it is bound; with the port the system chose, if `port` was 0. */
  get addr(): SocketAddress {
    return this.#driver.addr;
  }

  /** What it is built on. */
  get backend(): "deno" | "node" {
    return this.#driver.backend;
  }

  /** What was counted so far. */
  stats(): UdpEndpointStats {
    return {
      ...this.#counts,
      dropped: this.#dropped,
      unanswerable: this.#unanswerable,
      lateAnswers: this.#requests.late,
      retransmits: this.#requests.retransmits,
      sending: this.#outgoing.size,
      queued: this.#inbox.size,
      bytesQueued: this.#inbox.bytes,
      requests: this.#requests.size,
    };
  }

  /**
   * Sends one datagram.
   *
   * Cancellation: a send cannot be taken back. Closing the endpoint sends what waits, as far as the
   * system takes it within a second.
   *
   * @param data Bytes, or text that is sent as UTF-8; an empty datagram is one too. The bytes are read
   * until the promise has settled: leave a buffer alone until then, and use it again afterwards.
   * @param to Host and port, or a path.
   * @returns A promise that settles when the system has taken the datagram. That is not a receipt,
   * and that nobody is there does not show.
   * @throws {RangeError} If the port is not from 1 to 65535, or the datagram is longer than 65,507
   * bytes (over IPv6: 65,527).
   * @throws {Deno.errors.NotFound} If there is no such host, or no such unix socket.
   * @throws {Deno.errors.PermissionDenied} To a broadcast address without the option `broadcast`.
   * @throws {LimitError} With the code `write_queue`, if `maxSendQueue` or `maxSendQueueBytes` wait.
   * @throws {ClosedError} If the endpoint was closed here.
   */
  send(data: DatagramData, to: UdpTarget): Promise<void> {
    try {
      const bytes = toBytes(data);
      const address = this.#addressOf("send", to);
      if (address === null) return unattended(this.#sendToName(bytes, to as Deno.NetAddr));
      checkSize(bytes.length, address);
      return this.#outgoing.post(bytes, address);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Receives the next datagram, or waits for one.
   *
   * Cancellation: a call that timed out or was aborted has taken nothing; a datagram that arrives
   * later is there for the next call.
   *
   * @param options How long to wait.
   * @returns The datagram, owned by the caller.
   * @throws {Deno.errors.TimedOut} If nothing came in time.
   * @throws {Deno.errors.Busy} If a server or `sessions()` takes the endpoint's datagrams.
   * @throws {ClosedError} If the endpoint was closed here.
   */
  receive(options?: UdpReceiveOptions): Promise<Datagram> {
    try {
      this.#checkReceivable();
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#inbox.receive(options, (_, reject) => reject(this.#closedError("receive")));
  }

  /**
   * Sends a datagram and waits for the answer; asks again while none comes.
   *
   * A late answer is never taken for another request's. With a `match` that looks for the request's
   * own id, requests and answers use the endpoint's own socket, any number at a time. Without `match`
   * nothing in the datagrams tells answers apart, so each request leaves from a socket of its own: the
   * same address, another port. A peer that must see the same port each time, such as one with
   * `sessions()`, needs a `match`, or `samePort` where no late answer is to be feared.
   *
   * Answers that come late or twice are dropped and counted in `stats().lateAnswers`. What else comes to
   * a request's socket, such as the answers of the other members of a group, goes on to `receive()`
   * for five seconds after the first answer. The receiver may see a request more than once.
   *
   * Cancellation: a request that was aborted or timed out may have been received and acted on.
   *
   * @param data Bytes, or text that is sent as UTF-8.
   * @param to Host and port, or a path.
   * @param options How long and how often to ask, and what the answer looks like.
   * @returns The answer, owned by the caller.
   * @throws {Deno.errors.TimedOut} If no answer came; the message says to how many tries over how long.
   * @throws {LimitError} With the code `requests`, if `maxRequests` wait already.
   * @throws {RangeError} If the port, the size or an option is out of range.
   * @throws {Deno.errors.NotFound} If there is no such host, or no such unix socket.
   * @throws {ClosedError} If the endpoint was closed here.
   *
   * @example With an id in the first byte
   * ```ts
   * import { bindUdp, serveUdp } from "@tincan/net/udp";
   * import { assertEquals } from "@std/assert";
   *
   * await using server = await serveUdp({ onListen() {} }, ({ data }) => data);
   * await using endpoint = await bindUdp();
   *
   * const answers = await Promise.all([1, 2, 3].map((id) =>
   *   endpoint.request(new Uint8Array([id]), server.addr as Deno.NetAddr, {
   *     match: (data) => data[0] === id,
   *   })
   * ));
   * assertEquals(answers.map(({ data }) => data[0]), [1, 2, 3]);
   * ```
   */
  async request(
    data: DatagramData,
    to: UdpTarget,
    options: UdpRequestOptions = {},
  ): Promise<Datagram> {
    const { retries = DEFAULT_REQUEST_RETRIES, match, signal } = options;
    const timeout = checkTimeout("timeout", options.timeout ?? DEFAULT_REQUEST_TIMEOUT);
    const maxTimeout = checkTimeout(
      "maxTimeout",
      options.maxTimeout ?? Math.max(DEFAULT_MAX_REQUEST_TIMEOUT, timeout),
    );
    checkCount("retries", retries);
    signal?.throwIfAborted();
    const bytes = toBytes(data);
    const address = this.#addressOf("request", to) ??
      await this.#targets.lookUp(to as Deno.NetAddr);
    signal?.throwIfAborted();
    checkSize(bytes.length, address);
    this.#checkOpen("request", address);
    const request: RequestInit = {
      // What is sent again must be what was sent before, whatever the caller does to the buffer.
      data: typeof data === "string" ? bytes : Uint8Array.from(bytes),
      to: address,
      timeout,
      maxTimeout,
      tries: retries + 1,
      match,
      samePort: match !== undefined || options.samePort === true,
      anySource: options.anySource ?? isForMany(address),
      signal,
    };
    if (!request.samePort) return await this.#requestSockets.make(request);
    this.#requests.reserve(address)();
    const settle = Promise.withResolvers<Datagram>();
    this.#requests.begin(request, this.#outgoing.send.bind(this.#outgoing), settle);
    return await settle.promise;
  }

  /**
   * Joins a multicast group, so that datagrams to the group arrive here too.
   *
   * Bind to `"0.0.0.0"` (or `"::"`) and the group's port first; a socket on 127.0.0.1 receives no
   * group. Several members on one machine need `reuseAddress`.
   *
   * @param group The group's address, such as `"239.1.2.3"` or `"ff02::1:3"`.
   * @param options On which interface, and how far to send.
   * @returns The membership, to leave the group and to change its settings.
   * @throws {TypeError} If `group` is not a multicast address of the socket's family.
   * @throws {RangeError} If `ttl` is not from 1 to 255.
   * @throws {Error} If the system refuses, with the code `EINVAL`, `ENODEV` or the like.
   * @throws {ClosedError} If the endpoint was closed here.
   *
   * @example
   * ```ts
   * import { bindUdp } from "@tincan/net/udp";
   *
   * await using endpoint = await bindUdp({ hostname: "0.0.0.0", port: 0 });
   * const membership = await endpoint.joinMulticast("239.1.2.3", {
   *   interface: "127.0.0.1",
   *   ttl: 1,
   * });
   * await membership.leave();
   * ```
   */
  async joinMulticast(
    group: string,
    options: MulticastOptions = {},
  ): Promise<MulticastMembership> {
    const context = this.#context("multicast");
    this.#checkOpen("multicast");
    return await joinGroup(this.#driver, group, options, { context, settings: this.#groups });
  }

  /** Keeps the process alive while the endpoint is open (the default). */
  ref(): void {
    if (this.#closing !== undefined) return;
    this.#driver.ref();
    this.#requestSockets.setRef(true);
  }

  /**
   * Lets the process end although the endpoint is open, even while a call waits. A unix socket keeps
   * it alive all the same: the runtime cannot do otherwise.
   */
  unref(): void {
    if (this.#closing !== undefined) return;
    this.#driver.unref();
    this.#requestSockets.setRef(false);
  }

  /**
   * Closes the endpoint. Calls that wait reject with {@linkcode ClosedError}, loops over the endpoint
   * end, and datagrams that nobody has taken are dropped. Calling it again answers with the same
   * promise.
   *
   * @returns A promise that settles when the port can be bound again; it never rejects.
   */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#closing = promise;
      this.#close().then(resolve);
    }
    return this.#closing;
  }

  /**
   * The datagrams as they arrive, until the endpoint is closed. Leaving the loop neither closes the
   * endpoint nor loses datagrams: another loop goes on where this one ended.
   *
   * @returns An iterator over the datagrams.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Datagram> {
    return this.#inbox.iterate(() => this.#checkReceivable(), (resolve, reject) => {
      if (this.#aborted) reject(this.#signal?.reason);
      else resolve(DONE);
    });
  }

  /** Closes the endpoint; see {@linkcode UdpEndpoint.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Every datagram passes here. */
  readonly #take = (view: Uint8Array, from: SocketAddress): void => {
    if (this.#closing !== undefined) return;
    this.#counts.received++;
    this.#counts.bytesReceived += view.length;
    if (this.#peer !== undefined && !isSame(this.#peer, from)) {
      this.#counts.strangers++;
      return;
    }
    const truncated = view.length > this.#maxSize;
    if (truncated) {
      this.#counts.truncated++;
      view = view.subarray(0, this.#maxSize);
    }
    if (!this.#requests.idle) {
      const datagram = new ReceivedDatagram(own(view), from, truncated, this.#replier);
      if (this.#requests.take(datagram)) return;
      if (this.#consumer === undefined) return this.#deliver(datagram);
    }
    if (this.#consumer !== undefined) {
      this.#consumer.consume(view, from, truncated);
    } else if (this.#inbox.accepts(view.length)) {
      this.#inbox.deliver(new ReceivedDatagram(own(view), from, truncated, this.#replier));
    } else {
      this.#dropped++;
    }
  };

  /** Queues a datagram, or drops it: a server or `sessions()` takes only what comes to their own port. */
  #deliver(datagram: Datagram): void {
    const isWanted = this.#consumer === undefined && this.#inbox.accepts(datagram.data.length);
    if (isWanted) this.#inbox.deliver(datagram);
    else this.#dropped++;
  }

  readonly #failed = (error: unknown): void => {
    this.#counts.receiveErrors++;
    this.#consumer?.failed(translate(error, this.#context("receive")));
  };

  readonly #replier = {
    sendReply: (datagram: Datagram, data: DatagramData): Promise<void> => {
      try {
        const bytes = toBytes(data);
        const { from } = datagram;
        checkSize(bytes.length, from);
        if (canAnswer(from)) return this.#outgoing.post(bytes, from);
        this.#unanswerable++;
        return Promise.resolve();
      } catch (error) {
        return Promise.reject(error);
      }
    },
  };

  async #sendToName(data: Uint8Array, to: Deno.NetAddr): Promise<void> {
    const address = await this.#targets.lookUp(to);
    checkSize(data.length, address);
    await this.#outgoing.post(data, address);
  }

  /** The numeric address of a target, `null` if it has a name that must be looked up. */
  #addressOf(operation: "send" | "request", to: UdpTarget): SocketAddress | null {
    checkTarget(operation, to);
    this.#checkOpen(operation);
    return this.#targets.addressOf(operation, to);
  }

  #checkOpen(operation: NetOperation, to?: SocketAddress): void {
    if (this.#closing !== undefined) throw this.#closedError(operation, to);
  }

  #checkReceivable(): void {
    this.#checkOpen("receive");
    if (this.#consumer !== undefined) {
      const reason = "a server or sessions() takes the datagrams of this endpoint";
      throw netError(Deno.errors.Busy, "EBUSY", reason, this.#context("receive"));
    }
  }

  #takeOver(consumer: Consumer | undefined): void {
    if (consumer === undefined) {
      this.#consumer = undefined;
      return;
    }
    this.#checkReceivable();
    if (this.#inbox.awaited) {
      const reason = "somebody waits in receive() already";
      throw netError(Deno.errors.Busy, "EBUSY", reason, this.#context("receive"));
    }
    this.#consumer = consumer;
    for (let waiting = this.#inbox.shift(); waiting; waiting = this.#inbox.shift()) {
      consumer.consume(waiting.data, waiting.from, waiting.truncated);
    }
  }

  readonly #abort = (): void => {
    if (this.#closing !== undefined) return;
    this.#aborted = true;
    this.close();
  };

  async #close(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#abort);
    const closed = closeSocket(this.#driver, this.#outgoing);
    const reason = this.#closedError("receive");
    this.#inbox.end();
    this.#requests.close(this.#closedError("request"));
    this.#consumer?.closed(reason);
    await Promise.all([closed, this.#requestSockets.closeAll()]);
  }

  #closedError(operation: NetOperation, to?: SocketAddress): unknown {
    if (this.#aborted) return this.#signal?.reason;
    const message = `Cannot ${operation}: the socket on ${formatAddr(this.addr)} was closed here`;
    return new ClosedError("closed", message, this.#context(operation, to));
  }

  #context(operation: NetOperation, remoteAddr?: SocketAddress): OperationContext {
    return { operation, transport: this.#transport, localAddr: this.addr, remoteAddr };
  }
}

/** Makes an endpoint on a socket that was bound. */
export function createEndpoint(init: EndpointInit): UdpEndpoint {
  return internals.create(init);
}

/** Hands all datagrams of an endpoint to `consumer`, until it is called with `undefined`. */
export function takeOver(endpoint: UdpEndpoint, consumer: Consumer | undefined): void {
  internals.takeOver(endpoint, consumer);
}

/**
 * Sends to an address that a datagram came from, without the checks that `send` makes.
 *
 * @throws {RangeError} If there are too many bytes.
 */
export function transmit(
  endpoint: UdpEndpoint,
  data: Uint8Array,
  { to, done }: { to: SocketAddress; done: SendDone },
): void {
  checkSize(data.length, to);
  internals.transmit(endpoint, data, to, done);
}

/** Does the same with a promise. */
export function post(
  endpoint: UdpEndpoint,
  data: Uint8Array,
  to: SocketAddress,
): Promise<void> {
  checkSize(data.length, to);
  return internals.post(endpoint, data, to);
}
