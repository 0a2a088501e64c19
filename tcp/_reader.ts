/**
 * The reading half of a connection.
 *
 * The runtime cannot take back a read: once begun, it will swallow the next bytes. So at most one
 * read of the socket is ever outstanding, and it belongs to the reader. A call that ends early (by its
 * timeout or its signal) leaves the read running; the bytes land in the buffer for the next call.
 *
 * At most one call is inside at a time. The call and the read of the socket are in one of these states:
 *
 * | state     | a call waits          | a read is outstanding | what ends it                               |
 * |-----------|-----------------------|-----------------------|--------------------------------------------|
 * | idle      | no                    | no                    | a call                                     |
 * | filling   | for the buffer        | into the buffer       | bytes, the end, an error; or it gives up   |
 * | direct    | for its own memory    | into its memory       | bytes, the end, an error                   |
 * | abandoned | no                    | into the buffer       | bytes; or a call, which makes it "filling" |
 * | held      | for the next turn     | no                    | the next turn of the event loop            |
 *
 * "Held" is what keeps one connection from stopping the others: data that is in memory is handed out
 * only while this turn of the event loop has time left (see `_internal/turn_budget.ts`).
 *
 * Three facts about the stream stay once they are true: it `ended`, the socket has `failed`, this side
 * has stopped it.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { netError, timedOut } from "../common/net_error.ts";
import { busy, translate } from "../_internal/translate.ts";
import { inTurn, mayHandOut, nextTurn, spend } from "../common/turn_budget.ts";
import { noteError } from "../_internal/unhandled.ts";
import { CROWD, isTurnOver, takeTurn, type Turn } from "../_internal/turns.ts";
import { contextOf, type Link } from "./_link.ts";
import { type Chunk, ReadBuffer } from "./_read_buffer.ts";

const CR = 0x0d;
/** A write that is under way is told of a reset within so many turns of the event loop after a read. */
const TURNS_FOR_A_RESET = 4;

/** How long a call may wait. */
export interface WaitLimits {
  /** Milliseconds for the whole call. */
  timeout?: number | undefined;
  /** When they are over, on the clock of `performance.now()`, if the call began before this wait. */
  until?: number | undefined;
  /** Milliseconds from the first byte of a message to its last. */
  frame?: number | undefined;
  /** Ends the wait when it aborts. */
  signal?: AbortSignal | undefined;
}

/** Looks at a reader's deadline. */
export interface Scheduler {
  /** Looks no later than `at`, on the clock of `performance.now()`. */
  schedule(at: number): void;
}

/** Is called back with what arrives. */
export interface Receiver {
  /** Bytes have arrived; `null` at the end of the stream. It must not throw. */
  arrived(bytes: Chunk | null): void;
  /** Reading has failed or was stopped. */
  failed(reason: unknown): void;
}

/** The reading half of a connection; one caller at a time. */
export class Reader implements Turn {
  /** Bytes received so far, those not taken yet included. */
  bytesRead = 0;
  /** Whether the peer has ended its side. */
  ended = false;
  /** When the call that waits gives up, on the clock of `performance.now()`. */
  deadline = Infinity;
  /** Its place in the rounds of all connections. */
  round = -1;
  /** Reads and writes in that round. */
  steps = 0;

  /** The other half of the same socket. */
  writer: { readonly active: boolean } | undefined;

  readonly #link: Link;
  readonly #watchdog: Scheduler;
  readonly #buffer = new ReadBuffer();

  #isInside = false; // a call is
  #isOutstanding = false; // a read of the socket is
  #isDirect = false; // and it goes into the caller's memory
  // The call that waits: a promise, or a receiver.
  #resolve: ((n: number | null) => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  #receiver: Receiver | undefined;
  #isOwned = false; // what the receiver gets
  #failure: unknown; // of the socket: stays
  #reset: unknown; // what a write has met: the end of the stream is none then
  #stopped: unknown; // why this side reads no more
  #onSettled: (() => void)[] | undefined;
  #waits = 0; // how many there were, to know one from the next

  constructor(link: Link, watchdog: Scheduler) {
    this.#link = link;
    this.#watchdog = watchdog;
  }

  /** Bytes that have arrived and were not taken yet. */
  get buffered(): number {
    return this.#buffer.length;
  }

  /** Whether a call waits for bytes. */
  get isReading(): boolean {
    return this.#isInside && this.#stopped === undefined;
  }

  /** Whether the socket has failed. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Whether nothing has arrived that was not taken, no call is inside, and reading is possible now. */
  get isFree(): boolean {
    return !isTurnOver(this) && this.#stopped === undefined && !this.#isInside &&
      !this.#isOutstanding && !this.ended && this.#failure === undefined &&
      this.#buffer.length === 0;
  }

  /** Reads into the caller's memory. */
  read(target: Uint8Array, limits: WaitLimits | undefined): Promise<number | null> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    if (this.#isInside) return Promise.reject(this.#busy());
    if (target.length === 0) return Promise.resolve(0);
    if (this.#buffer.length > 0) {
      if (!spend(this.#buffer.length)) return Promise.resolve(this.#buffer.copyTo(target));
    } else {
      if (this.ended) return Promise.resolve(null);
      if (this.#failure !== undefined) return Promise.reject(this.#failure);
      if (limits === undefined && !this.#isOutstanding) {
        const turn = takeTurn(this);
        return turn === undefined ? this.#readDirect(target) : this.#readDirectAfter(turn, target);
      }
    }
    return this.#take<number | null>((buffer) => buffer.copyTo(target), null, limits);
  }

  /** The next bytes as they come, owned by the caller; `null` at the end. */
  chunk(limits?: WaitLimits): Promise<Chunk | null> {
    return this.#take<Chunk | null>((buffer) => buffer.take(buffer.length), null, limits);
  }

  /** The same in memory that holds nothing else. */
  chunkAlone(limits?: WaitLimits): Promise<Chunk | null> {
    return this.#take<Chunk | null>((buffer) => buffer.takeAlone(), null, limits);
  }

  /** The next bytes as they come, owned, in the form the caller wants them. */
  next<T>(form: (chunk: Chunk | null) => T, limits?: WaitLimits): Promise<T> {
    if (limits !== undefined || !this.isFree) {
      return this.#take((buffer) => form(buffer.take(buffer.length)), form(null), limits);
    }
    return new Promise((resolve, reject) => {
      this.receive({ arrived: (chunk) => resolve(form(chunk)), failed: reject }, true);
    });
  }

  /**
   * Calls `receiver` back with the next bytes: the cheapest way to wait, without a promise. Only while
   * {@linkcode isFree}.
   *
   * @param isOwned Whether the bytes become the receiver's own; otherwise they are only shown, and
   * change with the next read.
   */
  receive(receiver: Receiver, isOwned: boolean): void {
    takeTurn(this);
    this.#waits++;
    this.#isInside = true;
    this.#receiver = receiver;
    this.#isOwned = isOwned;
    this.#fill(0);
  }

  /** Exactly `length` bytes; `null` if the stream ended before the first of them. */
  async exactly(length: number, limits?: WaitLimits): Promise<Chunk | null> {
    this.#enter();
    try {
      if (this.buffered >= length && spend(length)) await this.#nextTurn();
      const wait = waitFor(limits);
      while (this.buffered < length) {
        if (await this.#more(wait, length - this.buffered) === null) {
          return this.#endInside(`${length} bytes`);
        }
      }
      return this.#buffer.take(length);
    } finally {
      this.#isInside = false;
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
    limits: WaitLimits | undefined,
    tooLong: () => unknown,
    isLine: boolean,
  ): Promise<Chunk | null> {
    this.#enter();
    try {
      const wait = waitFor(limits);
      let searched = 0;
      let hasWaited = false;
      while (true) {
        const held = this.#buffer.view();
        const found = indexOf(held, delimiter, searched);
        const length = found < 0 ? Math.max(0, held.length - delimiter.length + 1) : found;
        if (length > maxLength) {
          const isCr = isLine && length === maxLength + 1 && held[length - 1] === CR;
          if (!isCr) throw tooLong();
        }
        if (found >= 0) {
          // What was waited for has had its turn; what was there already counts.
          if (!hasWaited && spend(found)) await this.#nextTurn();
          return this.#buffer.take(found + delimiter.length);
        }
        searched = length;
        hasWaited = true;
        if (await this.#more(wait) === null) {
          if (!isLine || this.buffered === 0) return this.#endInside("the delimiter");
          if (this.buffered > maxLength) throw tooLong();
          return this.#buffer.take(this.buffered);
        }
      }
    } finally {
      this.#isInside = false;
    }
  }

  /** Puts bytes back in front of everything that will be read. */
  unread(bytes: Uint8Array): void {
    this.#buffer.unread(bytes);
  }

  /** Gives up the wait if its deadline has passed. */
  expire(now: number): void {
    if (now >= this.deadline) this.#giveUp(EXPIRED);
  }

  /**
   * Notes that the peer has reset the connection. The system tells of it only once, so a read that
   * comes after the write that was told sees the end of the stream.
   */
  peerReset(error: unknown): void {
    this.#reset ??= error;
  }

  /** Ends the reading from this side: the call that waits is told `reason`, and so are later ones. */
  stop(reason: unknown): void {
    this.#stopped ??= reason;
    this.#giveUp(reason);
  }

  /** Settles when no read of the socket is outstanding. */
  settled(): Promise<void> {
    if (!this.#isOutstanding) return Promise.resolve();
    return new Promise((resolve) => (this.#onSettled ??= []).push(resolve));
  }

  /** After {@linkcode stop}: reads and forgets until the peer has ended its side or failed. */
  async discard(): Promise<void> {
    await this.settled();
    this.#buffer.clear();
    discarding++;
    while (!this.ended && this.#failure === undefined) {
      try {
        const n = await this.#link.socket.read(discarded ??= new Uint8Array(DISCARDED_AT_ONCE));
        if (n === null) {
          this.ended = true;
        } else {
          this.bytesRead += n;
          await pauseAfter(n);
        }
      } catch (error) {
        this.#failure = error;
      }
    }
    discarding--;
  }

  #busy(): unknown {
    return busy(contextOf(this.#link, "read"));
  }

  #enter(): void {
    if (this.#stopped !== undefined) throw this.#stopped;
    if (this.#isInside) throw this.#busy();
    this.#isInside = true;
  }

  /** Waits for bytes if there are none, and takes them as `take` says; `none` at the end. */
  async #take<T>(
    take: (buffer: ReadBuffer) => T,
    none: T,
    limits: WaitLimits | undefined,
  ): Promise<T> {
    this.#enter();
    try {
      if (this.#buffer.length === 0) {
        if (await this.#more(waitFor(limits)) === null) return none;
      } else if (spend(this.#buffer.length)) {
        await this.#nextTurn();
      }
      return take(this.#buffer);
    } finally {
      this.#isInside = false;
    }
  }

  /** Waits until another turn has time for this connection. */
  async #nextTurn(): Promise<void> {
    await nextTurn();
    if (this.#stopped !== undefined) throw this.#stopped;
  }

  #readDirect(target: Uint8Array): Promise<number | null> {
    this.#isInside = true;
    return new Promise((resolve, reject) => {
      this.#waits++;
      this.#resolve = resolve;
      this.#reject = reject;
      this.#isOutstanding = true;
      this.#isDirect = true;
      this.#link.socket.read(target).then(this.#onRead, this.#onFailure);
    });
  }

  async #readDirectAfter(turn: Promise<void>, target: Uint8Array): Promise<number | null> {
    this.#isInside = true;
    try {
      await turn;
      if (this.#stopped !== undefined) throw this.#stopped;
      return await this.#readDirect(target);
    } finally {
      this.#isInside = false;
    }
  }

  /**
   * Waits until more bytes are in the buffer; `null` at the end of the stream. Not an async function:
   * its frame would cost each idle connection half a kilobyte.
   */
  #more(wait: Wait | undefined, wanted = 0): Promise<number | null> {
    if (this.ended) return Promise.resolve(null);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (!this.#isOutstanding) {
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
      this.#waits++;
      this.#resolve = resolve;
      this.#reject = reject;
      if (!this.#isOutstanding) this.#fill(wanted);
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
      const late = until === wait.until
        ? timedOut(context, wait.timeout, "nothing arrived")
        : timedOut(context, frame, "the message begun was not complete");
      throw noteError(late, this.#link.onUnhandled);
    } finally {
      this.deadline = Infinity;
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Tells the call that waits that it is over; a read of the socket goes on. */
  #giveUp(reason: unknown): void {
    this.deadline = Infinity;
    if (this.#receiver !== undefined) return this.#dismiss().failed(reason);
    this.#reject?.(reason);
    this.#forgetCall();
  }

  /** Begins a read of the socket into the buffer. */
  #fill(wanted: number): void {
    this.#isOutstanding = true;
    this.#link.socket.read(this.#buffer.room(wanted)).then(this.#onRead, this.#onFailure);
  }

  readonly #onRead = (n: number | null): void => {
    if (n !== null) this.#arrived(n);
    else this.#endAfter(this.writer?.active ? TURNS_FOR_A_RESET : 0);
  };

  /** Waits for what a write that is under way has met: it may be told of a reset after the read. */
  #endAfter(turns: number): void {
    if (turns > 0 && this.#reset === undefined) setImmediate(() => this.#endAfter(turns - 1));
    else this.#onEnd();
  }

  #onEnd(): void {
    if (this.#reset !== undefined) return this.#onFailure(this.#resetError());
    this.#isOutstanding = false;
    this.ended = true;
    this.#settle();
    this.#handOut(null);
  }

  #arrived(n: number): void {
    this.#isOutstanding = false;
    this.bytesRead += n;
    if (!this.#isDirect) this.#buffer.received(n);
    this.#settle();
    if (mayHandOut(n)) this.#handOut(n);
    else this.#hold(n);
  }

  /** Hands out in a turn that has time for it. */
  #hold(n: number): void {
    const wait = this.#waits;
    inTurn(() => {
      if (wait === this.#waits) this.#handOut(n);
    });
  }

  /** Ends the wait of the call that waits, unless it has given up. */
  #handOut(n: number | null): void {
    if (this.#receiver !== undefined) return this.#deliver();
    const resolve = this.#resolve;
    if (this.#isDirect) {
      this.#isDirect = false;
      this.#isInside = false;
    }
    this.#forgetCall();
    resolve?.(n);
  }

  /** To the receiver, who may come again at once. */
  #deliver(): void {
    const receiver = this.#dismiss();
    const buffer = this.#buffer;
    if (buffer.length === 0) receiver.arrived(null);
    else receiver.arrived(this.#isOwned ? buffer.take(buffer.length) : buffer.takeShown());
  }

  #dismiss(): Receiver {
    const receiver = this.#receiver as Receiver;
    this.#receiver = undefined;
    this.#isInside = false;
    return receiver;
  }

  #forgetCall(): void {
    this.#resolve = undefined;
    this.#reject = undefined;
  }

  #resetError(): unknown {
    const reason = "connection reset by the peer";
    const context = contextOf(this.#link, "read");
    return netError(Deno.errors.ConnectionReset, "ECONNRESET", reason, context, this.#reset);
  }

  readonly #onFailure = (error: unknown): void => {
    this.#isOutstanding = false;
    const failure = translate(error, contextOf(this.#link, "read"));
    this.#failure ??= noteError(failure, this.#link.onUnhandled);
    if (this.#isDirect) this.#isInside = false;
    this.#isDirect = false;
    this.#settle();
    this.#giveUp(this.#failure);
  };

  #settle(): void {
    const settled = this.#onSettled;
    this.#onSettled = undefined;
    for (const resolve of settled ?? []) resolve();
  }

  #endInside(what: string): null {
    if (this.buffered === 0) return null;
    const reason = `the stream ended after ${this.buffered} bytes, before ${what}`;
    const error = translate(
      new Deno.errors.UnexpectedEof(reason),
      contextOf(this.#link, "read"),
    );
    throw noteError(error, this.#link.onUnhandled);
  }
}

/** Marks a wait that ended by its deadline. */
const EXPIRED = Symbol("expired");

/** Where closing connections put what they no longer want; it is never looked at. */
let discarded: Uint8Array | undefined;
const DISCARDED_AT_ONCE = 256 * 1024;
/**
 * So many reads a millisecond all closing connections have together, once they are more than the runtime
 * serves fairly: what they forget must not keep others from being read.
 */
const DISCARDS_PER_MS = 4;
/** No closing connection waits longer than this between two reads, in milliseconds. */
const MAX_PAUSE = 100;
let discarding = 0; // connections

/** Passes when a closing connection that has forgotten `n` bytes may read again. */
async function pauseAfter(n: number): Promise<void> {
  if (discarding > CROWD) {
    const pause = Math.min(discarding / DISCARDS_PER_MS, MAX_PAUSE);
    await new Promise((resolve) => setTimeout(resolve, pause));
  } else if (spend(n)) {
    await nextTurn();
  }
}

/** The limits of a call, counted from when it began. */
interface Wait {
  timeout: number;
  until: number;
  frame: number;
  frameUntil: number | undefined;
  signal: AbortSignal | undefined;
}

/** `undefined` for a call that waits as long as it takes. */
function waitFor(limits: WaitLimits | undefined): Wait | undefined {
  if (limits === undefined) return undefined;
  const { timeout = Infinity, frame = Infinity, signal } = limits;
  if (timeout === Infinity && frame === Infinity && signal === undefined) return undefined;
  const until = limits.until ?? (timeout === Infinity ? Infinity : performance.now() + timeout);
  return { timeout, until, frame, frameUntil: undefined, signal };
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
