/**
 * Datagrams over `node:dgram`, which needs no flag of the runtime. The module is imported when the
 * first socket is bound, because that takes some 15 ms.
 *
 * @module
 */
import type { Socket } from "node:dgram";
import type { SocketAddress } from "../errors.ts";
import { netAddr, unmapHostname } from "../common/address.ts";
import { eventLoopTurn } from "../common/turn_budget.ts";
import type { DatagramSink, Driver, Membership, OpenOptions } from "./_driver.ts";

/** The longest time an interval can have (a signed 32-bit number of milliseconds). */
const MAX_INTERVAL = 2 ** 31 - 1;

/** Binds a UDP port. */
export async function openNode(options: OpenOptions): Promise<Driver> {
  const { createSocket } = await import("node:dgram");
  const { nextTick } = await import("node:process"); // before it is loaded, callbacks get lost
  const { hostname, port, v6 } = options;
  let isBound = false;
  const socket = createSocket({
    type: v6 ? "udp6" : "udp4",
    reuseAddr: options.reuseAddress,
    // All addresses are numeric. While binding, the answer comes at once, so that a missing permission
    // can be caught; afterwards in the next tick, which is how a send is cheapest.
    lookup(host, _, found) {
      if (isBound) nextTick(found, null, host, v6 ? 6 : 4);
      else found(null, host, v6 ? 6 : 4);
    },
  });
  // The runtime acts on ref() and unref() only at the next datagram. So the socket never keeps the
  // process alive, and a timer does instead.
  socket.unref();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("error", reject);
  socket.bind({ address: hostname, port, exclusive: true }, resolve);
  const waiting = setInterval(() => {}, MAX_INTERVAL);
  try {
    await promise;
    isBound = true;
    if (options.mayBroadcast) socket.setBroadcast(true);
  } catch (error) {
    socket.close();
    throw error;
  } finally {
    clearInterval(waiting);
  }
  socket.off("error", reject);
  return new NodeDriver(socket, v6, options.mayBroadcast);
}

class NodeDriver implements Driver {
  readonly backend = "node";
  readonly addr: Deno.NetAddr;
  readonly v6: boolean;
  readonly ordersSends = false;
  readonly #socket: Socket;
  readonly #broadcast: boolean;
  #alive: ReturnType<typeof setInterval> | undefined;
  #closed = false;

  constructor(socket: Socket, v6: boolean, broadcast: boolean) {
    const { address, port } = socket.address();
    this.#socket = socket;
    this.addr = netAddr("udp", unmapHostname(address), port);
    this.v6 = v6;
    this.#broadcast = broadcast;
    this.ref();
  }

  start(sink: DatagramSink): void {
    const { v6 } = this;
    this.#socket.on("message", (data, { address, port }) => {
      if (this.#closed) return;
      sink.received(data, netAddr("udp", v6 ? unmapHostname(address) : address, port));
    });
    this.#socket.on("error", (error) => {
      if (!this.#closed) sink.failed(error);
    });
  }

  send(data: Uint8Array, to: SocketAddress): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = to as Deno.NetAddr;
      const address = this.v6 && !hostname.includes(":") ? `::ffff:${hostname}` : hostname;
      this.#socket.send(data, port, address, (error) => {
        if (error) reject(this.#explained(error, hostname));
        else resolve(undefined);
      });
    });
  }

  /**
   * The runtime hides why the system refused a datagram. Size, port and family were checked before; what
   * is left, but for a firewall, are a broadcast address that was not allowed and a missing route.
   */
  #explained(error: Error, hostname: string): Error {
    if (!("code" in error) || error.code !== "UNKNOWN") return error;
    const mayBeBroadcast = !this.v6 && !this.#broadcast && hostname.endsWith(".255");
    const code = mayBeBroadcast ? "EACCES" : this.#isOnLoopback() ? "EINVAL" : "ENETUNREACH";
    return Object.assign(new Error(error.message, { cause: error }), { code });
  }

  #isOnLoopback(): boolean {
    const { hostname } = this.addr;
    return hostname.startsWith("127.") || hostname === "::1";
  }

  // deno-lint-ignore require-await -- what node:dgram throws at once must become a rejection
  async join(group: string, networkInterface: string | undefined): Promise<Membership> {
    const socket = this.#socket;
    socket.addMembership(group, networkInterface);
    return {
      leave: () => socket.dropMembership(group, networkInterface),
      setLoopback(loopback) {
        socket.setMulticastLoopback(loopback);
      },
      setTtl: this.v6 ? undefined : (ttl) => {
        socket.setMulticastTTL(ttl);
      },
    };
  }

  ref(): void {
    this.#alive ??= setInterval(() => {}, MAX_INTERVAL);
  }

  unref(): void {
    clearInterval(this.#alive);
    this.#alive = undefined;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // What was sent just now leaves in the next tick; after close() it never would, nor say so.
    await eventLoopTurn();
    await new Promise<void>((resolve) => {
      this.#socket.close(resolve);
    });
    await eventLoopTurn(); // then the receive under way has ended too, and the port is free
    this.unref();
  }
}
