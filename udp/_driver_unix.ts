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
import { identifyFile } from "../_internal/socket_file.ts";
import type { DatagramSink, Driver, Membership } from "./_driver.ts";
import { DenoDriver } from "./_driver_deno.ts";
import { UnixSenders } from "./_unix_senders.ts";

/** Receivers that are remembered as connected; at this number all are forgotten. */
const MAX_CONNECTED = 1_024;

/** Binds a unix datagram socket; its file goes away with it. */
export function openUnix(path: string, bufferSize: number, senders: number): Driver {
  const sending = new UnixSenders(path, senders);
  try {
    const socket = Deno.listenDatagram({ transport: "unixpacket", path });
    return new UnixDriver(socket, bufferSize, sending);
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

class UnixDriver extends DenoDriver {
  readonly v6 = false;
  readonly ordersSends = true;
  readonly #path: string;
  readonly #senders: UnixSenders;
  readonly #file: string | undefined;
  /** Receivers that take datagrams only from the socket that receives. */
  readonly #connected = new Set<string>();
  #last: Deno.UnixAddr; // that something came from
  #outbox: WaitingDatagram[] = [];

  constructor(socket: Deno.DatagramConn, bufferSize: number, senders: UnixSenders) {
    super(socket, bufferSize);
    this.#last = this.addr as Deno.UnixAddr;
    this.#path = this.#last.path;
    this.#senders = senders;
    this.#file = identifyFile(this.#path);
  }

  /** No await between this check and the receive: what is sent from then on wakes it. */
  protected override beforeReceive(): Promise<void> | undefined {
    return this.#outbox.length > 0 ? this.#flush() : undefined;
  }

  protected take(view: Uint8Array, from: Deno.Addr, sink: DatagramSink): void {
    // A sender that has not bound its socket has no path.
    const path = (from as Deno.UnixAddr).path as string | null ?? "";
    this.#senders.received();
    if (path !== this.#senders.wakerPath) sink.received(view, this.#sender(path));
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
      await this.socket.send(data, to).then(resolve, reject);
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
      if (this.isReceiving) this.#wake();
    });
  }

  /** Ends the receive under way. */
  async #wake(): Promise<void> {
    try {
      await this.#senders.wake(this.#path);
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

  override async close(): Promise<void> {
    if (this.isClosed) return;
    this.#senders.close();
    const closed = super.close();
    this.#removeFile();
    await closed;
    this.#rejectOutbox(new Deno.errors.BadResource("The socket is closed"));
  }

  /** Removes the file, which the runtime does not, unless another one is in its place. */
  #removeFile(): void {
    try {
      if (identifyFile(this.#path) === this.#file) Deno.removeSync(this.#path);
    } catch {
      // It is gone already, or the program may not write there any more.
    }
  }
}
