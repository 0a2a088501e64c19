/**
 * Unix datagrams over `Deno.listenDatagram`, which exists only where the runtime was started with
 * `--unstable-net`.
 *
 * One socket receives, all the time; others send in its name (see `_unix_senders.ts`). A receiver that
 * has connected its socket takes datagrams only from the very socket it is connected to. So what it
 * refuses is sent by the socket that receives, between two receives.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { unixAddr } from "../common/address.ts";
import { Backoff, type Sleep, sleep } from "../_internal/backoff.ts";
import { nextTurn, spend } from "../common/turn_budget.ts";
import type { DatagramSink, Driver, Membership } from "./_driver.ts";
import type { DenoSocket } from "./_driver_deno.ts";
import { UnixSenders } from "./_unix_senders.ts";

/** So many receivers are known to have connected their sockets; then the memory starts anew. */
const MAX_CONNECTED = 1_024;

/** Binds a unix datagram socket; its file goes away with it. */
export function openUnix(path: string, bufferSize: number, senders: number): Driver {
  const sending = new UnixSenders(path, senders);
  try {
    const socket = Deno.listenDatagram({ transport: "unixpacket", path }) as DenoSocket;
    return new UnixDriver(socket, sending, { path, bufferSize });
  } catch (error) {
    sending.close();
    throw error;
  }
}

/** A datagram that the socket that receives has to send. */
interface WaitingDatagram {
  readonly data: Uint8Array;
  readonly to: SocketAddress;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

class UnixDriver implements Driver {
  readonly backend = "deno";
  readonly addr: Deno.UnixAddr;
  readonly v6 = false;
  readonly ordersSends = true;
  readonly #socket: DenoSocket;
  readonly #senders: UnixSenders;
  readonly #file: SocketFile;
  readonly #buffer: Uint8Array;
  /** Receivers that take datagrams only from the socket that receives. */
  readonly #connected = new Set<string>();
  #last: Deno.UnixAddr; // that something came from
  #outbox: WaitingDatagram[] = [];
  #isReceiving = false;
  #running: Promise<void> = Promise.resolve();
  #closed = false;
  #pause: Sleep | undefined;

  constructor(
    socket: DenoSocket,
    senders: UnixSenders,
    { path, bufferSize }: { path: string; bufferSize: number },
  ) {
    this.#socket = socket;
    this.#senders = senders;
    this.#file = new SocketFile(path);
    this.#buffer = new Uint8Array(bufferSize);
    this.addr = unixAddr("unixpacket", path);
    this.#last = this.addr;
  }

  start(sink: DatagramSink): void {
    this.#running = this.#run(sink);
  }

  async #run(sink: DatagramSink): Promise<void> {
    const backoff = new Backoff({ min: 1, max: 1_000, jitter: 0 });
    const waker = this.#senders.wakerPath;
    while (!this.#closed) {
      // No await between this check and the receive: what is sent from then on wakes it.
      while (this.#outbox.length > 0) await this.#flush();
      try {
        this.#isReceiving = true;
        const [view, from] = await this.#socket.receive(this.#buffer);
        this.#isReceiving = false;
        // A sender that has not bound its socket has no path.
        const path = (from as Deno.UnixAddr).path as string | null ?? "";
        this.#senders.received();
        if (path !== waker) sink.received(view, this.#sender(path));
        backoff.reset();
        if (spend(view.length)) await nextTurn();
      } catch (error) {
        this.#isReceiving = false;
        if (this.#closed) break;
        sink.failed(error);
        this.#pause = sleep(backoff.next());
        await this.#pause.done;
      }
    }
    this.#rejectOutbox(new Deno.errors.BadResource("The socket is closed"));
  }

  /** The address of a sender: mostly the one before, so that it need not be made again. */
  #sender(path: string): Deno.UnixAddr {
    return path === this.#last.path ? this.#last : this.#last = unixAddr("unixpacket", path);
  }

  /** Sends what waits. These receivers have no full queue for the socket they are connected to. */
  async #flush(): Promise<void> {
    const batch = this.#outbox;
    this.#outbox = [];
    for (const { data, to, resolve, reject } of batch) {
      await this.#socket.send(data, to).then(resolve, reject);
    }
  }

  async send(data: Uint8Array, to: SocketAddress): Promise<void> {
    const address = to as Deno.UnixAddr;
    if (!this.#connected.has(address.path)) {
      try {
        return await this.#senders.send(data, address);
      } catch (error) {
        // Not the permission of the file, but of a socket that is connected elsewhere.
        const isRefused = error instanceof Deno.errors.PermissionDenied &&
          /os error 1\)/.test(error.message);
        if (!isRefused || this.#senders.wakerPath === null) throw error;
      }
    }
    await this.#sendBetween(data, to);
    if (this.#connected.size >= MAX_CONNECTED) this.#connected.clear();
    this.#connected.add(address.path);
  }

  #sendBetween(data: Uint8Array, to: SocketAddress): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#outbox.push({ data, to, resolve, reject });
      if (this.#isReceiving) this.#wake();
    });
  }

  /** Ends the receive under way. */
  async #wake(): Promise<void> {
    try {
      await this.#senders.wake(this.addr.path);
    } catch (error) {
      this.#rejectOutbox(error);
    }
  }

  #rejectOutbox(reason: unknown): void {
    const batch = this.#outbox;
    this.#outbox = [];
    for (const { reject } of batch) reject(reason);
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
    this.#senders.close();
    this.#socket.close();
    this.#pause?.wake();
    this.#file.remove();
    await this.#running;
  }
}

/** The file of a unix socket, which the runtime does not remove. */
class SocketFile {
  readonly #path: string;
  readonly #inode: number | null;

  constructor(path: string) {
    this.#path = path;
    this.#inode = inodeOf(path);
  }

  /** Removes it, unless another one is in its place. */
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
