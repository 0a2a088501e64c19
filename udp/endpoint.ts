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
import { DONE } from "../common/iterator.ts";
import { checkOptions } from "../common/options.ts";
import type { OperationContext } from "../common/net_error.ts";
import { unattended } from "../common/unattended.ts";
import { checkTarget, type UdpTarget } from "./_address.ts";
import type { Driver } from "./_driver.ts";
import { type Consumer, Incoming } from "./_incoming.ts";
import {
  applySettings,
  type GroupSettings,
  joinGroup,
  MULTICAST_NAMES,
  type MulticastMembership,
  type MulticastOptions,
} from "./_multicast.ts";
import { Outgoing, type SendDone } from "./_outgoing.ts";
import { closeSocket, RequestSockets } from "./_request_sockets.ts";
import { PendingRequests, planRequest, type UdpRequest } from "./_requests.ts";
import { checkSize, isForMany, Targets } from "./_targets.ts";
import { type Datagram, type DatagramData, toBytes } from "./datagram.ts";
import { type UdpEndpointStats, zeroCounts } from "./endpoint_stats.ts";
import {
  DEFAULTS,
  type UdpBindOptions,
  type UdpReceiveOptions,
  type UdpRequestOptions,
  type UnixDatagramOptions,
} from "./options.ts";

export type { Consumer } from "./_incoming.ts";

/** How to make an endpoint. */
export type EndpointOptions = (UdpBindOptions | UnixDatagramOptions) & {
  /** The only address to listen to. */
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

let create: (init: EndpointInit) => UdpEndpoint;
let incomingOf: (endpoint: UdpEndpoint, mustBeOpen: boolean) => Incoming;
let outgoingOf: (endpoint: UdpEndpoint) => Outgoing;

/**
 * A bound datagram socket: it sends to any address and receives from any.
 *
 * It receives all the time, into a bounded queue, because the system keeps little by itself: what the
 * queue cannot hold is dropped and counted.
 *
 * - Zero-length datagrams are data. A send to a peer that does not exist succeeds.
 * - Datagrams leave in the order of the calls, awaited or not. Up to `maxSendQueue` of them wait for
 *   the system.
 * - Any number of callers may wait in {@linkcode UdpEndpoint.receive}; each gets a whole datagram.
 * - The endpoint keeps the process alive until it is closed, or {@linkcode UdpEndpoint.unref} is
 *   called.
 *
 * @typeParam Addr What its addresses look like: `Deno.NetAddr` for a port, `Deno.UnixAddr` for a path.
 *
 * @example Ask and answer
 * ```ts
 * import { bindUdp } from "@tincan/net/udp";
 * import { assertEquals } from "@std/assert";
 *
 * await using alice = await bindUdp();
 * await using bob = await bindUdp();
 *
 * await alice.send("hello", bob.addr);
 * const datagram = await bob.receive();
 * await datagram.reply("hello yourself");
 *
 * const answer = await alice.receive();
 * assertEquals(answer.text(), "hello yourself");
 * assertEquals(answer.from, bob.addr);
 * ```
 */
export class UdpEndpoint<Addr extends SocketAddress = SocketAddress>
  implements AsyncIterable<Datagram<Addr>>, AsyncDisposable {
  readonly #driver: Driver;
  readonly #transport: NetTransport;
  readonly #targets: Targets;
  readonly #counts = zeroCounts();
  readonly #incoming: Incoming;
  readonly #outgoing: Outgoing;
  readonly #requests: PendingRequests;
  readonly #requestSockets: RequestSockets;
  readonly #groups: GroupSettings = {};
  readonly #signal: AbortSignal | undefined;
  #closing: Promise<void> | undefined;
  #aborted = false;

  static {
    create = (init) => new UdpEndpoint(init);
    outgoingOf = (endpoint) => endpoint.#outgoing;
    incomingOf = (endpoint, mustBeOpen) => {
      if (mustBeOpen) endpoint.#checkOpen("receive");
      return endpoint.#incoming;
    };
  }

  private constructor({ driver, openAnother, maxSize, options }: EndpointInit) {
    const { maxSendQueue, maxSendQueueBytes, maxRequests, maxRequestSockets } = options;
    const { maxQueue = DEFAULTS.maxQueue, maxQueueBytes = DEFAULTS.maxQueueBytes } = options;
    const context = this.#context.bind(this);
    const closedError = this.#closedError.bind(this);
    const counts = this.#counts;
    const makeOutgoing = (driver: Driver) =>
      new Outgoing({
        driver,
        counts,
        maxCount: maxSendQueue ?? DEFAULTS.maxSendQueue,
        maxBytes: maxSendQueueBytes ?? DEFAULTS.maxSendQueueBytes,
        context,
        closedError,
      });
    this.#driver = driver;
    this.#transport = "path" in driver.addr ? "unixpacket" : "udp";
    this.#targets = new Targets({
      v6: driver.v6,
      transport: this.#transport,
      broadcast: options.broadcast === true,
      context,
    });
    this.#outgoing = makeOutgoing(driver);
    const requests = new PendingRequests(context, counts, maxRequests ?? DEFAULTS.maxRequests);
    this.#requests = requests;
    const replier = this.#outgoing;
    const { peer } = options;
    this.#incoming = new Incoming(
      { counts, requests, replier, maxSize, maxQueue, maxQueueBytes, peer, context },
    );
    this.#requestSockets = new RequestSockets({
      requests,
      counts,
      maxSize,
      maxSockets: maxRequestSockets ?? DEFAULTS.maxRequestSockets,
      open: async (to) => {
        const another = await openAnother();
        await applySettings(another, to, this.#groups, context("multicast"));
        return another;
      },
      outgoing: makeOutgoing,
      deliver: (datagram) => this.#incoming.deliver(datagram),
      replier,
      closedError,
    });
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#abort);
    driver.start(this.#incoming);
  }

  /** Where it is bound; with the port the system chose, if `port` was 0. */
  get addr(): Addr {
    return this.#driver.addr as Addr;
  }

  /** What it is built on. */
  get backend(): "deno" | "node" {
    return this.#driver.backend;
  }

  /** What was counted so far. */
  stats(): UdpEndpointStats {
    const { size: queued, bytes: bytesQueued } = this.#incoming.inbox;
    const { size: sending } = this.#outgoing;
    return { ...this.#counts, sending, queued, bytesQueued, requests: this.#requests.size };
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
   * and whether anyone is there does not show.
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
   * @throws {RangeError | TypeError} If there is no such option, or one is out of range.
   */
  receive(options?: UdpReceiveOptions): Promise<Datagram<Addr>> {
    try {
      this.#checkReceivable();
    } catch (error) {
      return Promise.reject(error);
    }
    const ended = (_: unknown, reject: (reason: unknown) => void) => {
      reject(this.#closedError("receive"));
    };
    return this.#incoming.inbox.receive<never>(options, ended) as Promise<Datagram<Addr>>;
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
   * a request's socket within five seconds after the answer, such as the answers of the other members of a
   * group, is received with `receive()`. The receiver may see a request more than once.
   *
   * Cancellation: a request that was aborted or timed out may have been received and acted on.
   *
   * @param data Bytes, or text that is sent as UTF-8.
   * @param to Host and port, or a path.
   * @param options How long and how often to ask, and what the answer looks like.
   * @returns The answer, owned by the caller.
   * @throws {Deno.errors.TimedOut} If no answer came; the message says to how many tries over how long.
   * @throws {LimitError} With the code `requests`, if `maxRequests` wait already.
   * @throws {RangeError | TypeError} If there is no such option, or one is out of range, or the port or the
   * size is.
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
   *   endpoint.request(new Uint8Array([id]), server.addr, { match: (data) => data[0] === id })
   * ));
   * assertEquals(answers.map(({ data }) => data[0]), [1, 2, 3]);
   * ```
   */
  async request(
    data: DatagramData,
    to: UdpTarget,
    options: UdpRequestOptions<Addr> = {},
  ): Promise<Datagram<Addr>> {
    const plan = planRequest(options as UdpRequestOptions);
    plan.signal?.throwIfAborted();
    const bytes = toBytes(data);
    const address = this.#addressOf("request", to) ??
      await this.#targets.lookUp(to as Deno.NetAddr);
    plan.signal?.throwIfAborted();
    checkSize(bytes.length, address);
    this.#checkOpen("request", address);
    const request: UdpRequest = {
      ...plan,
      // What is sent again must be what was sent before, whatever the caller does to the buffer.
      data: typeof data === "string" ? bytes : Uint8Array.from(bytes),
      to: address,
      anySource: options.anySource ?? isForMany(address),
    };
    if (!request.samePort) return await this.#requestSockets.make(request) as Datagram<Addr>;
    this.#requests.reserve(address)();
    const { settle } = this.#requests.begin(request, this.#outgoing.send.bind(this.#outgoing));
    return await settle.promise as Datagram<Addr>;
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
    checkOptions("joinMulticast", options, MULTICAST_NAMES);
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
   * end, and datagrams that wait are dropped. Calling it again returns the same promise.
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
   * endpoint nor loses datagrams: another loop resumes where this one ended.
   *
   * @returns An iterator over the datagrams.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Datagram<Addr>> {
    const { inbox } = this.#incoming;
    return inbox.iterate(() => this.#checkReceivable(), (resolve, reject) => {
      if (this.#aborted) reject(this.#signal?.reason);
      else resolve(DONE);
    }) as AsyncIterableIterator<Datagram<Addr>>;
  }

  /** Closes the endpoint; see {@linkcode UdpEndpoint.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

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
    this.#incoming.checkReceivable();
  }

  readonly #abort = (): void => {
    if (this.#closing !== undefined) return;
    this.#aborted = true;
    this.close();
  };

  async #close(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#abort);
    const closed = closeSocket(this.#driver, this.#outgoing);
    this.#incoming.end(this.#closedError("receive"));
    this.#requests.close(this.#closedError("request"));
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
  return create(init);
}

/** Hands all datagrams of an endpoint to `consumer`, until it is called with `undefined`. */
export function takeOver(endpoint: UdpEndpoint, consumer: Consumer | undefined): void {
  incomingOf(endpoint, consumer !== undefined).takeOver(consumer);
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
  outgoingOf(endpoint).send(data, to, done);
}

/** Does the same with a promise. */
export function post(
  endpoint: UdpEndpoint,
  data: Uint8Array,
  to: SocketAddress,
): Promise<void> {
  checkSize(data.length, to);
  return outgoingOf(endpoint).post(data, to);
}
