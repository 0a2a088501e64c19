/**
 * UDP over `Deno.listenDatagram`, which exists only where the runtime was started with
 * `--unstable-net`.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { netAddr, normaliseAddr, unmapHostname } from "../common/address.ts";
import { Backoff, type Sleep, sleep } from "../_internal/backoff.ts";
import { nextTurn, spend } from "../common/turn_budget.ts";
import { borrowBuffer, returnBuffer } from "./_buffers.ts";
import type { DatagramSink, Driver, Membership, OpenOptions } from "./_driver.ts";

/** What the runtime has and its types leave out. */
export type DenoSocket = Deno.DatagramConn & { ref(): void; unref(): void };

/** Binds a UDP port. */
export function openDeno(options: OpenOptions): Driver {
  const { hostname, port, reuseAddress } = options;
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port, reuseAddress });
  return new UdpDriver(socket, options.bufferSize, options.v6);
}

/** A socket of the runtime that receives all the time, one datagram after the other. */
export abstract class DenoDriver implements Driver {
  readonly backend = "deno";
  readonly addr: SocketAddress;
  abstract readonly v6: boolean;
  abstract readonly ordersSends: boolean;
  protected readonly socket: DenoSocket;
  protected isReceiving = false;
  protected isClosed = false;
  readonly #buffer: Uint8Array;
  #running: Promise<void> = Promise.resolve();
  #pause: Sleep | undefined;

  constructor(socket: Deno.DatagramConn, bufferSize: number) {
    this.socket = socket as DenoSocket;
    this.#buffer = borrowBuffer(bufferSize);
    this.addr = normaliseAddr(socket.addr);
  }

  abstract send(data: Uint8Array, to: SocketAddress): Promise<unknown>;
  abstract join(group: string, networkInterface: string | undefined): Promise<Membership>;
  /** Hands over a datagram that was received. */
  protected abstract take(view: Uint8Array, from: Deno.Addr, sink: DatagramSink): void;

  /** Called before each receive; what it returns is awaited, and then it is called again. */
  protected beforeReceive(): Promise<void> | undefined {
    return undefined;
  }

  start(sink: DatagramSink): void {
    this.#running = this.#run(sink);
  }

  /** One receive after the other into one buffer: a buffer for each would halve the speed. */
  async #run(sink: DatagramSink): Promise<void> {
    const backoff = new Backoff({ min: 1, max: 1_000, jitter: 0 });
    while (!this.isClosed) {
      for (let first; (first = this.beforeReceive()) !== undefined;) await first;
      try {
        this.isReceiving = true;
        const [view, from] = await this.socket.receive(this.#buffer);
        this.isReceiving = false;
        this.take(view, from, sink);
        backoff.reset();
        if (spend(view.length)) await nextTurn();
      } catch (error) {
        this.isReceiving = false;
        if (this.isClosed) return;
        // A reset that an ICMP message brought, or a shortage: the next receive may well work.
        sink.failed(error);
        this.#pause = sleep(backoff.next());
        await this.#pause.done;
      }
    }
  }

  ref(): void {
    this.socket.ref();
  }

  unref(): void {
    this.socket.unref();
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.socket.close();
    this.#pause?.wake();
    await this.#running; // the port is free when the receive under way has ended
    returnBuffer(this.#buffer);
  }
}

class UdpDriver extends DenoDriver {
  readonly v6: boolean;
  readonly ordersSends = false;

  constructor(socket: Deno.DatagramConn, bufferSize: number, v6: boolean) {
    super(socket, bufferSize);
    this.v6 = v6;
  }

  protected take(view: Uint8Array, from: Deno.Addr, sink: DatagramSink): void {
    const { hostname, port } = from as Deno.NetAddr;
    sink.received(view, netAddr("udp", this.v6 ? unmapHostname(hostname) : hostname, port));
  }

  send(data: Uint8Array, to: SocketAddress): Promise<unknown> {
    return this.socket.send(data, to);
  }

  async join(group: string, networkInterface: string | undefined): Promise<Membership> {
    const v4 = this.v6
      ? undefined
      : await this.socket.joinMulticastV4(group, networkInterface ?? "0.0.0.0");
    const membership = v4 ??
      await this.socket.joinMulticastV6(group, Number(networkInterface ?? 0));
    return {
      leave: () => membership.leave(),
      setLoopback: (loopback) => membership.setLoopback(loopback),
      setTtl: v4 && ((ttl) => v4.setTTL(ttl)),
    };
  }
}
