/**
 * Unix datagrams over `Deno.listenDatagram`, which exists only where the runtime was started with
 * `--unstable-net`.
 *
 * The runtime cannot send on such a socket while it receives: it throws `Busy`. So sends wait for
 * the receive under way, and a datagram from a second socket ends that one at once.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { Backoff, type Sleep, sleep } from "../_internal/backoff.ts";
import type { Driver, Membership, Sink } from "./_driver.ts";
import type { Socket } from "./_driver_deno.ts";

/** What the second socket's path ends in. */
const WAKER = ".wake";

/** Binds a unix datagram socket; its file goes away with it. */
export function openUnix(path: string, bufferSize: number): Driver {
  const socket = Deno.listenDatagram({ transport: "unixpacket", path });
  return new UnixDriver(socket as Socket, path, bufferSize);
}

/** A datagram that waits to be sent. */
interface Outgoing {
  readonly data: Uint8Array;
  readonly to: SocketAddress;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

class UnixDriver implements Driver {
  readonly backend = "deno";
  readonly addr: Deno.UnixAddr;
  readonly v6 = false;
  readonly ordersSends = true;
  readonly #socket: Socket;
  readonly #file: SocketFile;
  readonly #buffer: Uint8Array;
  #waker: Deno.DatagramConn | undefined;
  #waking = false;
  #outbox: Outgoing[] = [];
  #receiving = false;
  #running: Promise<void> = Promise.resolve();
  #closed = false;
  #pause: Sleep | undefined;

  constructor(socket: Socket, path: string, bufferSize: number) {
    this.#socket = socket;
    this.#file = new SocketFile(path);
    this.#buffer = new Uint8Array(bufferSize);
    this.addr = { transport: "unixpacket", path };
  }

  start(sink: Sink): void {
    this.#running = this.#run(sink);
  }

  async #run(sink: Sink): Promise<void> {
    const backoff = new Backoff({ min: 1, max: 1_000, jitter: 0 });
    while (!this.#closed) {
      // No await between this check and the receive: what is sent from then on wakes it.
      while (this.#outbox.length > 0) await this.#flush();
      try {
        this.#receiving = true;
        const [view, from] = await this.#socket.receive(this.#buffer);
        this.#receiving = false;
        // A sender that has not bound its socket has no path.
        const path = (from as Deno.UnixAddr).path as string | null ?? "";
        if (this.#waking && path === this.addr.path + WAKER) this.#waking = false;
        else sink.received(view, { transport: "unixpacket", path });
        backoff.reset();
      } catch (error) {
        this.#receiving = false;
        if (this.#closed) break;
        sink.failed(error);
        this.#pause = sleep(backoff.next());
        await this.#pause.done;
      }
    }
    const closed = new Deno.errors.BadResource("The socket is closed");
    for (const { reject } of this.#outbox) reject(closed);
  }

  /** Sends what waits; nobody receives meanwhile. */
  async #flush(): Promise<void> {
    const batch = this.#outbox;
    this.#outbox = [];
    for (const { data, to, resolve, reject } of batch) {
      await this.#socket.send(data, to).then(resolve, reject);
    }
  }

  send(data: Uint8Array, to: SocketAddress): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#outbox.push({ data, to, resolve, reject });
      if (this.#receiving && !this.#waking) this.#wake();
    });
  }

  /** Ends the receive under way. */
  async #wake(): Promise<void> {
    this.#waking = true;
    try {
      await this.#openWaker().send(new Uint8Array(0), this.addr);
    } catch (error) {
      this.#waking = false;
      const batch = this.#outbox;
      this.#outbox = [];
      for (const { reject } of batch) reject(error);
    }
  }

  #openWaker(): Deno.DatagramConn {
    if (this.#waker === undefined) {
      const path = this.addr.path + WAKER;
      this.#waker = Deno.listenDatagram({ transport: "unixpacket", path });
      Deno.removeSync(path); // only its name as a sender is needed
    }
    return this.#waker;
  }

  join(): Promise<Membership> {
    return Promise.reject(new TypeError("Cannot join a multicast group with a unix socket"));
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
    this.#waker?.close();
    this.#pause?.wake();
    this.#file.remove();
    await this.#running;
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
