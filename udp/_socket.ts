/**
 * A bound socket and what belongs to it: what an endpoint does, without the types of its addresses.
 *
 * @module
 */
import type { NetOperation, SocketAddress } from "../errors.ts";
import { END } from "../common/pull_iterator.ts";
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
import { Outgoing, promiseOf } from "./_outgoing.ts";
import { RequestSockets } from "./_request_sockets.ts";
import { PendingRequests, planRequest, type UdpRequest } from "./_requests.ts";
import { SocketState } from "./_socket_state.ts";
import { checkSize, isForMany, Targets } from "./_targets.ts";
import { type Datagram, type DatagramData, toBytes } from "./datagram.ts";
import type { UdpEndpointStats } from "./endpoint_stats.ts";
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

/** One bound socket, those of its requests, and what waits at them. */
export class DatagramSocket {
  readonly driver: Driver;
  readonly outgoing: Outgoing;
  readonly state: SocketState;
  readonly #targets: Targets;
  readonly #dispatcher: Dispatcher;
  readonly #requests: PendingRequests;
  readonly #requestSockets: RequestSockets;
  readonly #groups: GroupSettings = {};
  readonly #signal: AbortSignal | undefined;
  #closing: Promise<void> | undefined;

  /** @param openAnother Binds another one like it, on a port or path that no one else has. */
  constructor(
    driver: Driver,
    limits: SocketLimits,
    { signal, peer, broadcast = false }: EndpointOptions,
    openAnother: () => Promise<Driver>,
  ) {
    const state = this.state = new SocketState(driver.addr, limits, signal);
    this.driver = driver;
    this.#targets = new Targets(state, driver.v6, broadcast);
    const replier = this.outgoing = new Outgoing(driver, state);
    const requests = this.#requests = new PendingRequests(state);
    this.#dispatcher = new Dispatcher(state, requests, replier, peer);
    this.#requestSockets = new RequestSockets({
      state,
      requests,
      open: async (to) => {
        const another = await openAnother();
        await applySettings(another, to, this.#groups, state.context("multicast"));
        return another;
      },
      deliver: (datagram) => this.#dispatcher.deliver(datagram),
      replier,
    });
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort);
    driver.start(this.#dispatcher);
  }

  stats(): UdpEndpointStats {
    const { size: queued, bytes: bytesQueued } = this.#dispatcher.inbox;
    const { size: sending } = this.outgoing;
    return { ...this.state.counts, sending, queued, bytesQueued, requests: this.#requests.size };
  }

  send(data: DatagramData, to: UdpTarget): Promise<void> {
    return promiseOf((done) => {
      const bytes = toBytes(data);
      const address = this.#addressOf("send", to);
      if (address !== null) return this.outgoing.send(bytes, address, done);
      this.#targets.lookUp(to as Deno.NetAddr)
        .then((address) => this.outgoing.send(bytes, address, done)).catch(done);
    });
  }

  receive(options: UdpReceiveOptions | undefined): Promise<Datagram> {
    try {
      this.#checkReceivable();
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#dispatcher.inbox.receive<never>(
      options,
      (_, reject) => reject(this.state.closedError("receive")),
    );
  }

  async request<Addr extends SocketAddress>(
    data: DatagramData,
    to: UdpTarget,
    options: UdpRequestOptions<Addr>,
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
    const { settle } = this.#requests.begin(request, this.outgoing);
    return await settle.promise as Datagram<Addr>;
  }

  async joinMulticast(group: string, options: MulticastOptions): Promise<MulticastMembership> {
    const context = this.state.context("multicast");
    this.#checkOpen("multicast");
    return await joinGroup(this.driver, group, options, { context, settings: this.#groups });
  }

  iterate(): AsyncIterableIterator<Datagram> {
    return this.#dispatcher.inbox.iterate(() => this.#checkReceivable(), (resolve, reject) => {
      if (this.state.isAborted) reject(this.#signal?.reason);
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

  /** The numeric address of a target, `null` if it has a name that must be looked up. */
  #addressOf(operation: "send" | "request", to: UdpTarget): SocketAddress | null {
    checkTarget(operation, to);
    this.#checkOpen(operation);
    return this.#targets.addressOf(operation, to);
  }

  #checkOpen(operation: NetOperation, to?: SocketAddress): void {
    if (this.#closing !== undefined) throw this.state.closedError(operation, to);
  }

  #checkReceivable(): void {
    this.#checkOpen("receive");
    this.#dispatcher.checkReceivable();
  }

  readonly #abort = (): void => {
    if (this.#closing !== undefined) return;
    this.state.isAborted = true;
    this.close();
  };

  async #close(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#abort);
    const closed = this.outgoing.close();
    this.#dispatcher.end(this.state.closedError("receive"));
    this.#requests.close(this.state.closedError("request"));
    await Promise.all([closed, this.#requestSockets.closeAll()]);
  }
}
