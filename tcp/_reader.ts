/**
 * The reading half of a connection.
 *
 * The runtime cannot take back a read: once begun, it will swallow the next bytes. So at most one
 * read of the socket is ever outstanding, and a caller who stops waiting (time-out, abort) leaves it
 * running; its bytes land in the reader's own buffer for whoever reads next. A caller who gave a
 * buffer and no way to stop waiting has the bytes read straight into that buffer.
 *
 * @module
 */
import { busy, timedOut, translate } from "../_internal/translate.ts";
import { isTurnOver, takeTurn, type Turn } from "../_internal/turns.ts";
import { contextOf, type Link } from "./_link.ts";

/** What the reader's own buffer begins with: an idle connection costs little. */
const INITIAL_SIZE = 256;
/** What it grows to while reads keep filling it: larger ones were not faster. */
const MAX_SIZE = 256 * 1024;
/** So many reads in a row that use a small part of the buffer make it smaller again. */
const SHRINK_AFTER = 8;
/** Up to this size a chunk that is handed out may keep the rest of its buffer alive. */
const SHARED_SIZE = 4 * 1024;

const EMPTY = new Uint8Array(0);
const CR = 0x0d;

/** Bytes that belong to whoever gets them. */
export type Chunk = Uint8Array<ArrayBuffer>;

/** How long a caller is willing to wait. */
export interface Patience {
  /** Milliseconds for the whole call. */
  timeout?: number | undefined;
  /** When they are over, on the clock of `performance.now()`, if the call began before this wait. */
  until?: number | undefined;
  /** Milliseconds from the first byte of a message to its last. */
  frame?: number | undefined;
  /** Ends the wait when it aborts. */
  signal?: AbortSignal | undefined;
}

/** Who looks at a reader's deadline. */
export interface Scheduler {
  /** Looks no later than `at`, on the clock of `performance.now()`. */
  schedule(at: number): void;
}

/** Who is called back with what arrives. */
export interface Receiver {
  /** Bytes have arrived; `null` at the end of the stream. It must not throw. */
  arrived(bytes: Uint8Array | null): void;
  /** Reading has failed or was stopped. */
  failed(reason: unknown): void;
}

/** The reading half of a connection; one caller at a time. */
export class Reader implements Turn {
  /** Bytes received so far, those that nobody has asked for yet included. */
  bytesRead = 0;
  /** Whether the peer has ended its side. */
  ended = false;
  /** When the caller who waits gives up, on the clock of `performance.now()`. */
  deadline = Infinity;
  /** Its place in the rounds of all connections. */
  round = -1;
  /** Reads and writes in that round. */
  steps = 0;

  readonly #link: Link;
  readonly #watchdog: Scheduler;

  #buffer: Uint8Array<ArrayBuffer> = EMPTY;
  #start = 0; // the first byte nobody has taken yet
  #end = 0; // behind the last byte received
  #room = EMPTY; // where the outstanding read puts its bytes
  #lent = false; // parts of the buffer were handed out, so it may only be appended to
  #size = INITIAL_SIZE; // of the next buffer
  #smallReads = 0;

  #reading = false; // a caller is in here
  #outstanding = false; // a read of the socket is
  #direct = false; // and it goes into the caller's buffer
  #alone = false; // and with it the caller's call ends
  #resolve: ((n: number | null) => void) | undefined; // the caller who waits for it
  #reject: ((reason: unknown) => void) | undefined;
  #receiver: Receiver | undefined; // or else he is called back
  #lends = false; // what he gets is his own
  #failure: unknown; // of the socket: stays
  #stopped: unknown; // why this side reads no more
  #drained: (() => void) | undefined;

  constructor(link: Link, watchdog: Scheduler) {
    this.#link = link;
    this.#watchdog = watchdog;
  }

  /** Bytes that have arrived and were not taken yet. */
  get buffered(): number {
    return this.#end - this.#start;
  }

  /** Whether a caller waits for bytes. */
  get isReading(): boolean {
    return this.#reading && this.#stopped === undefined;
  }

  /** The first failure of the socket, if there was one. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Reads into the caller's buffer. */
  read(target: Uint8Array, patience: Patience | undefined): Promise<number | null> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    if (this.#reading) return Promise.reject(this.#busy());
    if (target.length === 0) return Promise.resolve(0);
    if (this.#start < this.#end) return Promise.resolve(this.#copyTo(target));
    if (this.ended) return Promise.resolve(null);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (patience !== undefined || this.#outstanding) return this.#readBuffered(target, patience);
    const turn = takeTurn(this);
    return turn === undefined ? this.#readDirect(target) : this.#readAfter(turn, target);
  }

  /** The next bytes as they come, owned by the caller; `null` at the end. */
  chunk(patience?: Patience): Promise<Chunk | null> {
    return this.next(asIs, patience);
  }

  /** The next bytes as they come, in the form the caller wants them. */
  next<T>(form: (chunk: Chunk | null) => T, patience?: Patience): Promise<T> {
    if (patience !== undefined || !this.isFree) return this.#nextAtMost(form, patience);
    return new Promise((resolve, reject) => {
      const arrived = (chunk: Uint8Array | null) => resolve(form(chunk as Chunk | null));
      this.receive({ arrived, failed: reject }, true);
    });
  }

  /**
   * Calls `receiver` back with the next bytes: the cheapest way to wait, without a promise. Only while
   * {@linkcode isFree}.
   *
   * @param owned Whether the bytes become the receiver's own; otherwise it is shown them and must keep
   * none.
   */
  receive(receiver: Receiver, owned: boolean): void {
    takeTurn(this);
    this.#reading = true;
    this.#receiver = receiver;
    this.#lends = owned;
    this.#fill(0);
  }

  /** Whether nothing has arrived that was not taken, nobody waits, and reading is possible now. */
  get isFree(): boolean {
    return !isTurnOver(this) && this.#stopped === undefined && !this.#reading &&
      !this.#outstanding && !this.ended &&
      this.#failure === undefined && this.#start === this.#end;
  }

  async #nextAtMost<T>(
    form: (chunk: Chunk | null) => T,
    patience: Patience | undefined,
  ): Promise<T> {
    let chunk: Chunk | null;
    this.#enter();
    try {
      const arrived = this.#start < this.#end || await this.#more(waitFor(patience)) !== null;
      chunk = arrived ? this.#take(this.buffered) : null;
    } finally {
      this.#reading = false;
    }
    return form(chunk);
  }

  /** Exactly `length` bytes; `null` if the stream ended before the first of them. */
  async exactly(length: number, patience?: Patience): Promise<Chunk | null> {
    this.#enter();
    try {
      const wait = waitFor(patience);
      while (this.buffered < length) {
        if (await this.#more(wait, length - this.buffered) === null) {
          return this.#endInside(`${length} bytes`);
        }
      }
      return this.#take(length);
    } finally {
      this.#reading = false;
    }
  }

  /**
   * Everything up to and with the delimiter; `null` if the stream ended before the first byte.
   *
   * @param tooLong Makes the error for a message that grows past `maxLength`.
   * @param isLine Whether a CR before the delimiter belongs to it, and what stands before the end of
   * the stream is a message too.
   */
  async until(
    delimiter: Uint8Array,
    maxLength: number,
    patience: Patience | undefined,
    tooLong: () => unknown,
    isLine: boolean,
  ): Promise<Chunk | null> {
    this.#enter();
    try {
      const wait = waitFor(patience);
      let searched = 0;
      while (true) {
        const held = this.#buffer.subarray(this.#start, this.#end);
        const found = indexOf(held, delimiter, searched);
        const length = found < 0 ? Math.max(0, held.length - delimiter.length + 1) : found;
        if (length > maxLength) {
          const isCr = isLine && length === maxLength + 1 && held[length - 1] === CR;
          if (!isCr) throw tooLong();
        }
        if (found >= 0) return this.#take(found + delimiter.length);
        searched = length;
        if (await this.#more(wait) === null) {
          if (!isLine || this.buffered === 0) return this.#endInside("the delimiter");
          if (this.buffered > maxLength) throw tooLong();
          return this.#take(this.buffered);
        }
      }
    } finally {
      this.#reading = false;
    }
  }

  /** Puts bytes back in front of everything that will be read. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const joined = new Uint8Array(bytes.length + this.buffered);
    joined.set(bytes);
    joined.set(this.#buffer.subarray(this.#start, this.#end), bytes.length);
    this.#buffer = joined; // a read that is outstanding still fills the old one: see #received
    this.#start = 0;
    this.#end = joined.length;
    this.#lent = false;
  }

  /** Gives up the wait if its deadline has passed. */
  expire(now: number): void {
    if (now >= this.deadline) this.#giveUp(EXPIRED);
  }

  /** Ends the reading from this side: who waits is told `reason`, and so is who comes later. */
  stop(reason: unknown): void {
    this.#stopped ??= reason;
    this.#giveUp(reason);
  }

  /** Settles when no read of the socket is outstanding. */
  settled(): Promise<void> {
    if (!this.#outstanding) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  /** After {@linkcode stop}: reads and forgets until the peer has ended its side or failed. */
  async discard(): Promise<void> {
    await this.settled();
    this.#buffer = EMPTY;
    this.#start = this.#end = 0;
    while (!this.ended && this.#failure === undefined) {
      try {
        const n = await this.#link.socket.read(discarded);
        if (n === null) this.ended = true;
        else this.bytesRead += n;
      } catch (error) {
        this.#failure = error;
      }
    }
  }

  #busy(): unknown {
    return busy(contextOf(this.#link, "read"));
  }

  #enter(): void {
    if (this.#stopped !== undefined) throw this.#stopped;
    if (this.#reading) throw this.#busy();
    this.#reading = true;
  }

  #readDirect(target: Uint8Array): Promise<number | null> {
    this.#reading = true;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#outstanding = true;
      this.#direct = true;
      this.#alone = true;
      this.#link.socket.read(target).then(this.#onRead, this.#onFailure);
    });
  }

  async #readAfter(turn: Promise<void>, target: Uint8Array): Promise<number | null> {
    this.#reading = true;
    try {
      await turn;
      if (this.#stopped !== undefined) throw this.#stopped;
      return await this.#readDirect(target);
    } finally {
      this.#reading = false;
    }
  }

  async #readBuffered(
    target: Uint8Array,
    patience: Patience | undefined,
  ): Promise<number | null> {
    this.#reading = true;
    try {
      return await this.#more(waitFor(patience)) === null ? null : this.#copyTo(target);
    } finally {
      this.#reading = false;
    }
  }

  /**
   * Waits until more bytes are in the buffer; `null` at the end of the stream. Not an async function:
   * its frame would cost each idle connection half a kilobyte.
   */
  #more(wait: Wait | undefined, wanted = 0): Promise<number | null> {
    if (this.ended) return Promise.resolve(null);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (!this.#outstanding) {
      const turn = takeTurn(this);
      if (turn !== undefined) return this.#moreAfter(turn, wait, wanted);
    }
    if (wait === undefined) return this.#wait(wanted);
    const isBounded = wait.until < Infinity || wait.signal !== undefined ||
      (wait.frame < Infinity && this.buffered > 0);
    return isBounded ? this.#waitUntil(wait, wanted) : this.#wait(wanted);
  }

  async #moreAfter(
    turn: Promise<void>,
    wait: Wait | undefined,
    wanted: number,
  ): Promise<number | null> {
    await turn;
    if (this.#stopped !== undefined) throw this.#stopped;
    return await (wait === undefined ? this.#wait(wanted) : this.#waitUntil(wait, wanted));
  }

  #wait(wanted: number): Promise<number | null> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (!this.#outstanding) this.#fill(wanted);
    });
  }

  async #waitUntil(wait: Wait, wanted: number): Promise<number | null> {
    const { signal, frame } = wait;
    signal?.throwIfAborted();
    if (this.buffered > 0) wait.frameUntil ??= performance.now() + frame;
    const until = Math.min(wait.until, wait.frameUntil ?? Infinity);
    if (until < Infinity) {
      this.deadline = until;
      this.#watchdog.schedule(until);
    }
    const abort = () => this.#giveUp(signal?.reason);
    signal?.addEventListener("abort", abort);
    try {
      return await this.#wait(wanted);
    } catch (error) {
      if (error !== EXPIRED) throw error;
      const context = contextOf(this.#link, "read");
      throw until === wait.until
        ? timedOut(context, wait.timeout, "nothing arrived")
        : timedOut(context, frame, "the message begun was not complete");
    } finally {
      this.deadline = Infinity;
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Tells the caller who waits that it is over; the read of the socket goes on. */
  #giveUp(reason: unknown): void {
    if (this.#receiver !== undefined) return this.#dismiss().failed(reason);
    const reject = this.#reject;
    this.#resolve = undefined;
    this.#reject = undefined;
    this.deadline = Infinity;
    reject?.(reason);
  }

  /** Begins a read of the socket into the reader's own buffer. */
  #fill(wanted: number): void {
    this.#makeRoom(wanted);
    this.#outstanding = true;
    this.#direct = false;
    this.#room = this.#end === 0 ? this.#buffer : this.#buffer.subarray(this.#end);
    this.#link.socket.read(this.#room).then(this.#onRead, this.#onFailure);
  }

  readonly #onRead = (n: number | null): void => {
    this.#outstanding = false;
    if (n === null) {
      this.ended = true;
    } else {
      this.bytesRead += n;
      if (!this.#direct) this.#received(n);
    }
    if (this.#receiver !== undefined) this.#deliver(n);
    else this.#settled()?.(n);
  };

  #deliver(n: number | null): void {
    const from = this.#start;
    const receiver = this.#dismiss();
    if (n === null) return receiver.arrived(null);
    if (this.#lends) return receiver.arrived(this.#take(this.buffered));
    this.#start = this.#end;
    receiver.arrived(this.#buffer.subarray(from, this.#end));
  }

  /** Lets go of the receiver, who may come again at once. */
  #dismiss(): Receiver {
    const receiver = this.#receiver as Receiver;
    this.#receiver = undefined;
    this.#reading = false;
    return receiver;
  }

  readonly #onFailure = (error: unknown): void => {
    this.#outstanding = false;
    this.#failure ??= translate(error, contextOf(this.#link, "read"));
    const reject = this.#reject;
    if (this.#receiver !== undefined) this.#dismiss().failed(this.#failure);
    this.#settled();
    reject?.(this.#failure);
  };

  #settled(): ((n: number | null) => void) | undefined {
    const resolve = this.#resolve;
    if (this.#alone) this.#reading = false;
    this.#alone = false;
    this.#direct = false;
    this.#resolve = undefined;
    this.#reject = undefined;
    this.#drained?.();
    return resolve;
  }

  /** Counts `n` more bytes in the buffer, and learns from them how large the next should be. */
  #received(n: number): void {
    const room = this.#room.length;
    if (this.#room.buffer !== this.#buffer.buffer) {
      const joined = new Uint8Array(this.buffered + n);
      joined.set(this.#buffer.subarray(this.#start, this.#end));
      joined.set(this.#room.subarray(0, n), this.buffered);
      this.#end = this.buffered;
      this.#buffer = joined;
      this.#start = 0;
      this.#lent = false;
    }
    this.#end += n;
    if (n === room && room * 2 >= this.#size) {
      this.#size = Math.min(this.#size * 4, MAX_SIZE);
      this.#smallReads = 0;
    } else if (n * 16 < this.#size && this.#size > INITIAL_SIZE) {
      if (++this.#smallReads < SHRINK_AFTER) return;
      this.#size = Math.max(this.#size / 4, INITIAL_SIZE);
      this.#smallReads = 0;
    } else {
      this.#smallReads = 0;
    }
  }

  /** Makes room behind the bytes held, without ever touching memory that was handed out. */
  #makeRoom(wanted: number): void {
    this.#rewind();
    const held = this.buffered;
    const room = this.#buffer.length - this.#end;
    if (held === 0 && !this.#lent) {
      if (this.#buffer.length === this.#size) return;
    } else {
      // Grow with what has arrived, not with what somebody says will come.
      const useful = Math.max(this.#size / 4, Math.min(wanted, held));
      if (room >= useful && this.#buffer.length <= Math.max(this.#size, held * 4)) return;
      if (held === 0 && this.#size < SHARED_SIZE) this.#size *= 2; // lively
    }
    const grown = new Uint8Array(Math.max(this.#size, ceilPowerOfTwo(held * 2)));
    if (held > 0) grown.set(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = grown;
    this.#start = 0;
    this.#end = held;
    this.#lent = false;
  }

  #rewind(): void {
    if (this.#start !== this.#end || this.#lent || this.#outstanding) return;
    this.#start = 0;
    this.#end = 0;
  }

  #consume(length: number): void {
    this.#start += length;
    this.#rewind();
  }

  #copyTo(target: Uint8Array): number {
    const n = Math.min(target.length, this.buffered);
    target.set(this.#buffer.subarray(this.#start, this.#start + n));
    this.#consume(n);
    return n;
  }

  /** The next `length` bytes, owned by the caller: lent out of the buffer, or copied if they would
   * keep a much larger one alive. */
  #take(length: number): Chunk {
    const { length: size } = this.#buffer;
    const from = this.#start;
    if (size > SHARED_SIZE && length * 4 < size) {
      const copy = this.#buffer.slice(from, from + length);
      this.#consume(length);
      return copy;
    }
    this.#lent = true;
    this.#start += length;
    return this.#buffer.subarray(from, from + length);
  }

  #endInside(what: string): null {
    if (this.buffered === 0) return null;
    throw translate(
      new Deno.errors.UnexpectedEof(
        `the stream ended after ${this.buffered} bytes, before ${what}`,
      ),
      contextOf(this.#link, "read"),
    );
  }
}

/** Marks a wait that ended by its deadline. */
const EXPIRED = Symbol("expired");

/** Where lingering connections put what they no longer want; nobody reads it. */
const discarded = new Uint8Array(64 * 1024);

/** A caller's patience, counted from when the call began. */
interface Wait {
  timeout: number;
  until: number;
  frame: number;
  frameUntil: number | undefined;
  signal: AbortSignal | undefined;
}

/** `undefined` for a caller who waits as long as it takes. */
function waitFor(patience: Patience | undefined): Wait | undefined {
  if (patience === undefined) return undefined;
  const { timeout = Infinity, frame = Infinity, signal } = patience;
  if (timeout === Infinity && frame === Infinity && signal === undefined) return undefined;
  const until = patience.until ?? (timeout === Infinity ? Infinity : performance.now() + timeout);
  return { timeout, until, frame, frameUntil: undefined, signal };
}

function asIs(chunk: Chunk | null): Chunk | null {
  return chunk;
}

function indexOf(bytes: Uint8Array, delimiter: Uint8Array, from: number): number {
  const first = delimiter[0] ?? 0;
  const last = bytes.length - delimiter.length;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at > last) return -1;
    let same = 1;
    while (same < delimiter.length && bytes[at + same] === delimiter[same]) same++;
    if (same === delimiter.length) return at;
  }
  return -1;
}

function ceilPowerOfTwo(n: number): number {
  return n <= 1 ? 1 : 2 ** Math.ceil(Math.log2(n));
}
