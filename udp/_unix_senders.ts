/**
 * Sending on unix datagram sockets.
 *
 * The runtime cannot send on a socket while it receives on it, a send to a receiver whose queue is full
 * waits, and nothing takes a send back. So a socket that receives has several others that send. They
 * were bound to the same path before it, one after the other, and so have the same name for the
 * receivers. Each serves one receiver at a time: one that does not read holds up no other.
 *
 * A send that waits is tried again when something happens to its socket. The system makes that happen
 * when the receiver takes one of this socket's datagrams, but not when it takes another's. So the files
 * of the senders are kept in a hidden folder, and a datagram to one of them, a nudge, makes it try again.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import type { DenoSocket } from "./_driver_deno.ts";

/** How long a receiver may leave its queue full before a send to it fails, in milliseconds. */
const SEND_TIMEOUT = 2_000;
/** Datagrams to one receiver that may wait; more fail. */
const MAX_PER_RECEIVER = 1_024;
/** The longest path of a unix socket on Linux. */
const MAX_PATH = 107;
/**
 * When a send that waits is tried again, in milliseconds from its start. A sender cannot take the nudges
 * out of its queue while it waits, and the queue holds ten.
 */
const NUDGES = [1, 2, 5, 10, 30, 100, 300, 1_000, 30_000, 300_000] as const;

const EMPTY = new Uint8Array(0);

interface UnixDatagram {
  readonly data: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  readonly since: number;
}

/** A receiver to which something is being sent or waits to be. */
interface Receiver {
  readonly to: SocketAddress;
  items: UnixDatagram[];
  /** Whether a send to it has failed for time, and still waits. */
  isStuck: boolean;
}

/** A socket that sends. */
interface Sender {
  readonly socket: DenoSocket;
  /** Where nudges go; `null` if they cannot. */
  readonly path: string | null;
  receiver: Receiver | null;
  item: UnixDatagram | null;
  nudges: number;
}

/** The sockets that send in the name of one path. */
export class UnixSenders {
  readonly #folder: string | null;
  readonly #senders: Sender[] = [];
  readonly #nudger: DenoSocket | undefined;
  /** What ends a receive; its item is unused. */
  readonly #waker: Sender | undefined;
  #isWaking = false;
  readonly #receivers = new Map<string, Receiver>();
  readonly #buffer = new Uint8Array(1);
  #ready: Receiver[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isNudging = false;
  #isClosed = false;

  /**
   * Binds the senders, in the place where the socket that receives is bound afterwards.
   *
   * @param count How many receivers can be sent to at one time.
   */
  constructor(path: string, count: number) {
    this.#folder = makeHiddenFolder(path);
    try {
      for (let i = 0; i < count; i++) {
        const socket = listen(path);
        const kept = this.#folder && move(path, `${this.#folder}/${i}`);
        if (kept === null) Deno.removeSync(path);
        this.#senders.push(newSender(socket, kept));
      }
      if (this.#folder !== null) {
        this.#nudger = listen(`${this.#folder}/n`);
        const path = `${this.#folder}/w`;
        this.#waker = newSender(listen(path), path);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The name of the datagrams that end a receive; `null` if there are none. */
  get wakerPath(): string | null {
    return this.#waker?.path ?? null;
  }

  /** Sends after what was sent to the same receiver before. */
  send(data: Uint8Array, to: SocketAddress & { path: string }): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const item: UnixDatagram = { data, resolve, reject, since: performance.now() };
    let receiver = this.#receivers.get(to.path);
    if (receiver === undefined) {
      receiver = { to, items: [], isStuck: false };
      this.#receivers.set(to.path, receiver);
      this.#ready.push(receiver);
    }
    if (receiver.isStuck || receiver.items.length >= MAX_PER_RECEIVER) reject(doesNotRead());
    else receiver.items.push(item);
    this.#pump();
    return promise;
  }

  /** Sends an empty datagram that is no one's: it ends the receive of the socket at `path`. */
  async wake(path: string): Promise<void> {
    const waker = this.#waker;
    if (waker === undefined || this.#isWaking) return;
    this.#isWaking = true;
    try {
      await waker.socket.send(EMPTY, { transport: "unixpacket", path });
      await this.#takeNudges(waker);
    } finally {
      this.#isWaking = false;
    }
  }

  /** The socket that receives has taken a datagram: if its queue was full, the waker tries again. */
  received(): void {
    const waker = this.#waker;
    if (this.#isWaking && waker !== undefined && waker.nudges < NUDGES.length) this.#nudge(waker);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const closed = new Deno.errors.BadResource("The socket is closed");
    for (const { socket, item } of this.#senders) {
      socket.close();
      item?.reject(closed);
    }
    this.#nudger?.close();
    this.#waker?.socket.close();
    for (const { items } of this.#receivers.values()) {
      for (const { reject } of items) reject(closed);
    }
    this.#receivers.clear();
    this.#ready = [];
    try {
      if (this.#folder !== null) Deno.removeSync(this.#folder, { recursive: true });
    } catch {
      // It is gone already.
    }
  }

  #pump(): void {
    while (this.#ready.length > 0 && !this.#isClosed) {
      const sender = this.#senders.find(({ receiver }) => receiver === null);
      if (sender === undefined) break;
      const receiver = this.#ready.shift();
      if (receiver !== undefined) this.#run(sender, receiver);
    }
    if (this.#timer === undefined && this.#receivers.size > 0) this.#schedule(1);
  }

  async #run(sender: Sender, receiver: Receiver): Promise<void> {
    sender.receiver = receiver;
    for (let count = 0; count < 16; count++) { // then others have their turn
      const item = receiver.items.shift();
      if (item === undefined) break;
      sender.item = item;
      try {
        await sender.socket.send(item.data, receiver.to);
        item.resolve();
      } catch (error) {
        item.reject(error);
      }
      sender.item = null;
      receiver.isStuck = false;
      if (sender.nudges > 0) await this.#takeNudges(sender);
      if (this.#isClosed) return;
    }
    sender.receiver = null;
    if (receiver.items.length > 0) this.#ready.push(receiver);
    else this.#receivers.delete((receiver.to as Deno.UnixAddr).path);
    this.#pump();
  }

  async #takeNudges(sender: Sender): Promise<void> {
    try {
      while (sender.nudges > 0 && !this.#isClosed) {
        await sender.socket.receive(this.#buffer);
        sender.nudges--;
      }
    } catch {
      // It is closed.
    }
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, ms);
    Deno.unrefTimer(this.#timer); // the send keeps the process alive
  }

  /** Nudges what has waited for some time, and gives up what has waited too long. */
  async #look(): Promise<void> {
    const now = performance.now();
    for (const receiver of this.#receivers.values()) {
      while (receiver.items[0] !== undefined && now - receiver.items[0].since > SEND_TIMEOUT) {
        receiver.items.shift()?.reject(doesNotRead());
      }
    }
    for (const sender of this.#senders) {
      const { item, receiver } = sender;
      if (item === null || receiver === null) continue;
      const waited = now - item.since;
      if (waited > SEND_TIMEOUT && !receiver.isStuck) {
        receiver.isStuck = true;
        item.reject(doesNotRead());
        for (const { reject } of receiver.items.splice(0)) reject(doesNotRead());
      }
      if (waited >= (NUDGES[sender.nudges] ?? Infinity)) await this.#nudge(sender);
    }
    if (this.#isClosed) return;
    this.#ready = this.#ready.filter((receiver) => {
      if (receiver.items.length > 0) return true;
      this.#receivers.delete((receiver.to as Deno.UnixAddr).path);
      return false;
    });
    if (this.#timer === undefined && this.#receivers.size > 0) {
      const isYoung = this.#senders.some(({ item }) => item !== null && now - item.since < 50);
      this.#schedule(isYoung ? 1 : 50);
    }
  }

  async #nudge(sender: Sender): Promise<void> {
    if (sender.path === null || this.#nudger === undefined || this.#isNudging) return;
    this.#isNudging = true;
    sender.nudges++;
    try {
      await this.#nudger.send(EMPTY, { transport: "unixpacket", path: sender.path });
    } catch {
      sender.nudges--; // its file is gone, or this is closed
    }
    this.#isNudging = false;
  }
}

/**
 * Makes a folder for the files of the senders, in the nearest place where it may be and is short enough.
 *
 * @returns Its path, `null` if there is no such place.
 */
function makeHiddenFolder(path: string): string | null {
  for (let end = path.lastIndexOf("/");; end = path.lastIndexOf("/", end - 1)) {
    const folder = `${path.slice(0, end + 1)}.${crypto.randomUUID().slice(0, 6)}`;
    if (folder.length + 3 <= MAX_PATH && mayWrite(folder)) {
      try {
        Deno.mkdirSync(folder, { mode: 0o700 });
        return folder;
      } catch {
        // The next one, perhaps.
      }
    }
    if (end <= 0) return null;
  }
}

/** Moves a file; `null` if that cannot be. */
function move(path: string, to: string): string | null {
  try {
    Deno.renameSync(path, to);
    return to;
  } catch {
    return null;
  }
}

function listen(path: string): DenoSocket {
  return Deno.listenDatagram({ transport: "unixpacket", path }) as DenoSocket;
}

function mayWrite(path: string): boolean {
  return (["read", "write"] as const).every((name) =>
    Deno.permissions.querySync({ name, path }).state === "granted"
  );
}

function newSender(socket: DenoSocket, path: string | null): Sender {
  return { socket, path, receiver: null, item: null, nudges: 0 };
}

function doesNotRead(): Error {
  const error = new Deno.errors.TimedOut("the receiver does not read what was sent to it");
  return Object.assign(error, { code: "EAGAIN" });
}
