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

/** Whether the runtime has datagram sockets of its own: decided when asked, not when imported. */
export function hasDenoBackend(): boolean {
  return typeof Deno.listenDatagram === "function";
}

/** Binds a UDP port. */
export function openDeno(options: OpenOptions): Driver {
  const { hostname, port, reuseAddress } = options;
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port, reuseAddress });
  return new DenoDriver(socket, options.v6, options.bufferSize);
}

/** What the runtime has and its types leave out. */
export type DenoSocket = Deno.DatagramConn & { ref(): void; unref(): void };

class DenoDriver implements Driver {
  readonly backend = "deno";
  readonly addr: SocketAddress;
  readonly v6: boolean;
  readonly ordersSends = false;
  readonly #socket: DenoSocket;
  readonly #buffer: Uint8Array;
  #running: Promise<void> = Promise.resolve();
  #closed = false;
  #pause: Sleep | undefined;

  constructor(socket: Deno.DatagramConn, v6: boolean, bufferSize: number) {
    this.#socket = socket as DenoSocket;
    this.#buffer = borrowBuffer(bufferSize);
    this.addr = normaliseAddr(socket.addr);
    this.v6 = v6;
  }

  start(sink: DatagramSink): void {
    this.#running = this.#run(sink);
  }

  /** One receive after the other into one buffer: a buffer for each would halve the speed. */
  async #run(sink: DatagramSink): Promise<void> {
    const backoff = new Backoff({ min: 1, max: 1_000, jitter: 0 });
    while (!this.#closed) {
      try {
        const [view, from] = await this.#socket.receive(this.#buffer);
        sink.received(view, this.#plain(from));
        backoff.reset();
        if (spend(view.length)) await nextTurn();
      } catch (error) {
        if (this.#closed) return;
        // A reset that an ICMP message brought, or a shortage: the next receive may well work.
        sink.failed(error);
        this.#pause = sleep(backoff.next());
        await this.#pause.done;
      }
    }
  }

  #plain(from: Deno.Addr): SocketAddress {
    const { hostname, port } = from as Deno.NetAddr;
    return netAddr("udp", this.v6 ? unmapHostname(hostname) : hostname, port);
  }

  send(data: Uint8Array, to: SocketAddress): Promise<unknown> {
    return this.#socket.send(data, to);
  }

  async join(group: string, networkInterface: string | undefined): Promise<Membership> {
    if (this.v6) {
      const index = Number(networkInterface ?? 0);
      const membership = await this.#socket.joinMulticastV6(group, index);
      return {
        leave: () => membership.leave(),
        setLoopback: (loopback) => membership.setLoopback(loopback),
        setTtl: undefined,
      };
    }
    const membership = await this.#socket.joinMulticastV4(group, networkInterface ?? "0.0.0.0");
    return {
      leave: () => membership.leave(),
      setLoopback: (loopback) => membership.setLoopback(loopback),
      setTtl: (ttl) => membership.setTTL(ttl),
    };
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
    this.#pause?.wake();
    await this.#running; // the port is free when the receive under way has ended
    returnBuffer(this.#buffer);
  }
}
