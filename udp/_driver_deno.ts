/**
 * Datagrams over `Deno.listenDatagram`, which exists only where the runtime was started with
 * `--unstable-net`.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { normaliseAddr } from "../_internal/address.ts";
import { Backoff, type Sleep, sleep } from "../_internal/backoff.ts";
import type { Driver, Membership, OpenOptions, Sink } from "./_driver.ts";

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

/** Binds a unix datagram socket; its file goes away with it. */
export function openUnix(path: string, bufferSize: number): Driver {
  const socket = Deno.listenDatagram({ transport: "unixpacket", path });
  return new DenoDriver(socket, false, bufferSize, new SocketFile(path));
}

/** What the runtime has and its types leave out. */
type Socket = Deno.DatagramConn & { ref(): void; unref(): void };

class DenoDriver implements Driver {
  readonly backend = "deno";
  readonly addr: SocketAddress;
  readonly v6: boolean;
  readonly #socket: Socket;
  readonly #buffer: Uint8Array;
  readonly #file: SocketFile | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;
  #pause: Sleep | undefined;

  constructor(socket: Deno.DatagramConn, v6: boolean, bufferSize: number, file?: SocketFile) {
    this.#socket = socket as Socket;
    this.#buffer = new Uint8Array(bufferSize);
    this.#file = file;
    this.addr = normaliseAddr({ ...socket.addr }) as SocketAddress;
    this.v6 = v6;
  }

  start(sink: Sink): void {
    this.#running = this.#run(sink);
  }

  /** One receive after the other into one buffer: a buffer for each would halve the speed. */
  async #run(sink: Sink): Promise<void> {
    const backoff = new Backoff({ min: 1, max: 1_000, jitter: 0 });
    while (!this.#closed) {
      try {
        const [view, from] = await this.#socket.receive(this.#buffer);
        sink.received(view, this.#plain(from));
        backoff.reset();
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
    if (from.transport !== "udp") {
      // A sender that has not bound its socket has no path.
      const path = (from as Deno.UnixAddr).path as string | null;
      return { transport: "unixpacket", path: path ?? "" };
    }
    const { hostname, port } = from;
    const plain: Deno.NetAddr = { transport: "udp", hostname, port };
    return this.v6 ? normaliseAddr(plain) : plain;
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
    this.#file?.remove();
    await this.#running; // the port is free when the receive under way has ended
  }
}

/** The file of a unix socket, which the runtime leaves behind. */
class SocketFile {
  readonly #path: string;
  readonly #inode: number | null;

  constructor(path: string) {
    this.#path = path;
    this.#inode = inodeOf(path);
  }

  /** Removes it, unless somebody else has put another one in its place. */
  remove(): void {
    try {
      if (inodeOf(this.#path) === this.#inode) Deno.removeSync(this.#path);
    } catch {
      // It is gone already, or the program may not write there any more.
    }
  }
}

function inodeOf(path: string): number | null {
  try {
    return Deno.lstatSync(path).ino;
  } catch {
    return null;
  }
}
