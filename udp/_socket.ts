/**
 * A bound socket and what belongs to it: what an endpoint does, without the types of its addresses.
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
import type { OperationContext } from "../common/net_error.ts";
import { END } from "../common/pull_iterator.ts";
import { unattended } from "../common/unattended.ts";
import { checkTarget, type UdpTarget } from "./_address.ts";
import type { Driver } from "./_driver.ts";
import { type Consumer, Dispatcher } from "./_dispatcher.ts";
import {
  applySettings,
  type GroupSettings,
  joinGroup,
  type MulticastMembership,
  type MulticastOptions,
} from "./_multicast.ts";
import { Outgoing } from "./_outgoing.ts";
import { closeSocket, RequestSockets } from "./_request_sockets.ts";
import { PendingRequests, planRequest, type UdpRequest } from "./_requests.ts";
import { checkSize, isForMany, Targets } from "./_targets.ts";
import { type Datagram, type DatagramData, toBytes } from "./datagram.ts";
import { EndpointCounts, type UdpEndpointStats } from "./endpoint_stats.ts";
import type {
  SocketLimits,
  UdpBindOptions,
  UdpReceiveOptions,
  UdpRequestOptions,
  UnixDatagramOptions,
} from "./options.ts";

/** How to make an endpoint. */
export type EndpointOptions = (UdpBindOptions | UnixDatagramOptions) & {
  /** The only address to listen to. */
  readonly peer?: SocketAddress | undefined;
};

/** What a socket is made from. */
export interface DatagramSocketInit {
  readonly driver: Driver;
  /** Binds another one like it, on a port or path that no one else has. */
  readonly openAnother: () => Promise<Driver>;
  readonly limits: SocketLimits;
  readonly options: EndpointOptions;
}

/** One bound socket, those of its requests, and what waits at them. */
export class DatagramSocket {
  readonly driver: Driver;
  readonly outgoing: Outgoing;
  readonly #transport: NetTransport;
  readonly #targets: Targets;
  readonly #counts = new EndpointCounts();
  readonly #dispatcher: Dispatcher;
  readonly #requests: PendingRequests;
  readonly #requestSockets: RequestSockets;
  readonly #groups: GroupSettings = {};
  readonly #signal: AbortSignal | undefined;
  #closing: Promise<void> | undefined;
  #isAborted = false;

  constructor({ driver, openAnother, limits, options }: DatagramSocketInit) {
    const context = this.#context.bind(this);
    const closedError = this.#closedError.bind(this);
    const counts = this.#counts;
    const makeOutgoing = (driver: Driver) =>
      new Outgoing({ driver, counts, limits, context, closedError });
    this.driver = driver;
    this.#transport = "path" in driver.addr ? "unixpacket" : "udp";
    this.#targets = new Targets({
      v6: driver.v6,
      transport: this.#transport,
      broadcast: options.broadcast === true,
      context,
    });
    const replier = this.outgoing = makeOutgoing(driver);
    const requests = this.#requests = new PendingRequests({ counts, limits, context });
    const { peer } = options;
    this.#dispatcher = new Dispatcher({ counts, requests, replier, limits, peer, context });
    this.#requestSockets = new RequestSockets({
      requests,
      counts,
      limits,
      open: async (to) => {
        const another = await openAnother();
        await applySettings(another, to, this.#groups, context("multicast"));
        return another;
      },
      outgoing: makeOutgoing,
      deliver: (datagram) => this.#dispatcher.deliver(datagram),
      replier,
      closedError,
    });
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#abort);
    driver.start(this.#dispatcher);
  }

  stats(): UdpEndpointStats {
    const { size: queued, bytes: bytesQueued } = this.#dispatcher.inbox;
    const { size: sending } = this.outgoing;
    return { ...this.#counts, sending, queued, bytesQueued, requests: this.#requests.size };
  }

  send(data: DatagramData, to: UdpTarget): Promise<void> {
    try {
      const bytes = toBytes(data);
      const address = this.#addressOf("send", to);
      if (address === null) return unattended(this.#sendToName(bytes, to as Deno.NetAddr));
      checkSize(bytes.length, address);
      return this.outgoing.post(bytes, address);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  receive(options: UdpReceiveOptions | undefined): Promise<Datagram> {
    try {
      this.#checkReceivable();
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#dispatcher.inbox.receive<never>(
      options,
      (_, reject) => reject(this.#closedError("receive")),
    );
  }

  async request(
    data: DatagramData,
    to: UdpTarget,
    options: UdpRequestOptions,
  ): Promise<Datagram> {
    const plan = planRequest(options);
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
    if (!request.samePort) return await this.#requestSockets.make(request);
    this.#requests.reserve(address)();
    const { settle } = this.#requests.begin(request, this.outgoing.send.bind(this.outgoing));
    return await settle.promise;
  }

  async joinMulticast(group: string, options: MulticastOptions): Promise<MulticastMembership> {
    const context = this.#context("multicast");
    this.#checkOpen("multicast");
    return await joinGroup(this.driver, group, options, { context, settings: this.#groups });
  }

  iterate(): AsyncIterableIterator<Datagram> {
    return this.#dispatcher.inbox.iterate(() => this.#checkReceivable(), (resolve, reject) => {
      if (this.#isAborted) reject(this.#signal?.reason);
      else resolve(END);
    });
  }

  /** Hands all datagrams to `consumer`, until it is called with `undefined`. */
  takeOver(consumer: Consumer | undefined): void {
    if (consumer !== undefined) this.#checkOpen("receive");
    this.#dispatcher.takeOver(consumer);
  }

  setRef(isRef: boolean): void {
    if (this.#closing !== undefined) return;
    if (isRef) this.driver.ref();
    else this.driver.unref();
    this.#requestSockets.setRef(isRef);
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#closing = promise; // before what waits is ended, which may close it again
      this.#close().then(resolve);
    }
    return this.#closing;
  }

  async #sendToName(data: Uint8Array, to: Deno.NetAddr): Promise<void> {
    const address = await this.#targets.lookUp(to);
    checkSize(data.length, address);
    await this.outgoing.post(data, address);
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
    this.#dispatcher.checkReceivable();
  }

  readonly #abort = (): void => {
    if (this.#closing !== undefined) return;
    this.#isAborted = true;
    this.close();
  };

  async #close(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#abort);
    const closed = closeSocket(this.driver, this.outgoing);
    this.#dispatcher.end(this.#closedError("receive"));
    this.#requests.close(this.#closedError("request"));
    await Promise.all([closed, this.#requestSockets.closeAll()]);
  }

  #closedError(operation: NetOperation, to?: SocketAddress): unknown {
    if (this.#isAborted) return this.#signal?.reason;
    const message = `Cannot ${operation}: the socket on ${
      formatAddr(this.driver.addr)
    } was closed here`;
    return new ClosedError("closed", message, this.#context(operation, to));
  }

  #context(operation: NetOperation, remoteAddr?: SocketAddress): OperationContext {
    return { operation, transport: this.#transport, localAddr: this.driver.addr, remoteAddr };
  }
}
