/**
 * Messages over a connection.
 *
 * @module
 */
import { FrameError, isNetError, LimitError } from "../errors.ts";
import { netError, timedOut } from "../common/net_error.ts";
import { busy } from "../_internal/translate.ts";
import { noteError } from "../_internal/unhandled.ts";
import { DONE, iterator } from "../common/iterator.ts";
import { mayHandOutAlone, myTurn, nextTurn, spend } from "../common/turn_budget.ts";
import { unattended } from "../common/unattended.ts";
import { BatchDecoder } from "../framing/batch_decoder.ts";
import type { Codec } from "../framing/codec.ts";
import { contextOf, type Link } from "./_link.ts";
import type { Outbox } from "./_outbox.ts";
import type { Reader, Receiver, WaitLimits } from "./_reader.ts";
import { Requests } from "./_requests.ts";
import type { ReadOptions } from "./read_options.ts";

/** What a `Framed` is made from. */
interface FramedInit<In, Out> {
  readonly codec: Codec<In, Out>;
  readonly link: Link;
  readonly reader: Reader;
  readonly outbox: Outbox;
  /** How long a message may take from its first byte to its last, in milliseconds. */
  readonly frame: number;
  /** The caller's limits on a wait, with the connection's where the caller set none. */
  readonly limits: (options: ReadOptions | undefined) => WaitLimits | undefined;
  readonly onRelease: () => void;
}

/** A call that waits for messages, and the form in which it takes them. */
interface Waiter<In, T> {
  take: (batch: BatchDecoder<In>) => T;
  end: T;
  resolve: (value: T | PromiseLike<T>) => void;
  reject: (reason: unknown) => void;
}

/**
 * A batch of more messages than this is handed out alone: until its consumer has worked at all of them,
 * no one knows whether the turn of the event loop has time for another batch.
 */
const MANY = 64;
/** About how many bytes are decoded in one step when no message is found in them. */
const DECODED_AT_ONCE = 64 * 1024;

let create: <In, Out>(init: FramedInit<In, Out>) => Framed<In, Out>;

/**
 * Messages over a connection: what `TcpConnection.framed(codec)` answers with.
 *
 * - Messages that are sent in one turn of the event loop leave in one write.
 * - The end of the stream between two messages is `null` (or the end of the loop); inside a message
 *   it is a `FrameError` with the code `truncated`.
 * - Messages are owned by whoever receives them. Byte messages may share memory with others that
 *   arrived in the same read; one that is kept keeps at most four times the size of that read alive.
 *   Keep `message.slice()` where that matters.
 * - A message that has begun must end within the connection's `timeouts.frame`.
 * - One receiver at a time: a second one is refused with `Deno.errors.Busy`. Requests are the
 *   exception: they wait for their answers in turn.
 *
 * @typeParam In What is received.
 * @typeParam Out What is sent.
 *
 * @example Lines of text in both directions
 * ```ts
 * import { connectTcp, serveTcp } from "@tincan/net/tcp";
 * import { lines, text } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
 *   const messages = conn.framed(text(lines()));
 *   for await (const message of messages) await messages.send(message.toUpperCase());
 * });
 *
 * await using conn = await connectTcp({ port: (server.addr as Deno.NetAddr).port });
 * const messages = conn.framed(text(lines()));
 * assertEquals(await messages.request("hello"), "HELLO");
 * ```
 */
export class Framed<In, Out = In> implements AsyncIterable<In> {
  readonly #init: FramedInit<In, Out>;
  #codec: Codec<In, Out>;
  #batch: BatchDecoder<In>;
  #receiving = false;
  #released = false;
  #frameUntil: number | undefined; // when the message that has begun must be complete
  #frameBegun = 0; // and which one that is: where it begins in the stream
  #owed = 0; // answers on their way to requests that were given up
  #requests: Requests<In> | undefined;
  readonly #isUnlimited: boolean; // how long a call without options waits
  #waiter: Waiter<In, unknown> | undefined; // in the simple case

  static {
    create = (init) => new Framed(init);
  }

  private constructor(init: FramedInit<In, Out>) {
    this.#init = init;
    this.#codec = init.codec;
    this.#batch = new BatchDecoder(init.codec);
    this.#isUnlimited = init.limits(undefined) === undefined;
  }

  /**
   * Receives the next message.
   *
   * Cancellation: a call that timed out or was aborted has taken nothing; the message is there for the
   * next call.
   *
   * @param options How long to wait.
   * @returns The message; `null` if the peer has ended its side after the last one.
   * @throws {FrameError} If the bytes are not the frames the codec expects. After `checksum` or an
   * error in the contents the next call goes on behind that frame.
   * @throws {Deno.errors.TimedOut} If it did not come in time, or had begun and was not complete within
   * `timeouts.frame`.
   * @throws {Deno.errors.Busy} If another call waits.
   * @throws {Deno.errors.ConnectionReset} If the peer broke the connection off.
   * @throws {ClosedError} If this side has closed the connection.
   */
  receive(options?: ReadOptions): Promise<In | null> {
    return this.#receive<In | null>(takeOne, null, options);
  }

  /**
   * Sends one message, behind those sent before.
   *
   * It leaves at the end of this turn of the event loop, together with the others of the turn, or
   * earlier when this side waits for the next message. A message that cannot be encoded leaves nothing
   * half-written.
   *
   * @param message What to send.
   * @returns A promise that settles at once while little waits to be written (64 KiB), and otherwise
   * when the peer has made room: awaiting it is what makes a fast sender wait for a slow peer. A failed
   * write shows in the next call; {@linkcode flush} waits for it. A failure that no one awaits does not
   * end the process, unless the message is of the wrong type: that is a mistake in the program.
   * @throws {FrameError} If the message cannot be a frame of this codec.
   * @throws {LimitError} With the code `write_queue`, if nobody awaits and too much waits already.
   * @throws {Deno.errors.BrokenPipe} If the peer has gone (or `Deno.errors.ConnectionReset`).
   * @throws {ClosedError} If this side was closed, or ended with `closeWrite`.
   */
  send(message: Out): Promise<void> {
    try {
      this.#add(message);
    } catch (error) {
      return this.#refused(error);
    }
    return this.#init.outbox.room();
  }

  /**
   * Sends several messages, in order. The same as one {@linkcode send} after the other, but cheaper; if
   * one of them cannot be encoded, those before it are sent and those behind it are not.
   *
   * @param messages What to send.
   * @returns A promise that settles as that of the last `send` would.
   * @throws {FrameError} If a message cannot be a frame of this codec.
   * @throws {LimitError} With the code `write_queue`, if too much waits already.
   * @throws {Deno.errors.BrokenPipe} If the peer has gone (or `Deno.errors.ConnectionReset`).
   * @throws {ClosedError} If this side was closed, or ended with `closeWrite`.
   */
  sendAll(messages: Iterable<Out>): Promise<void> {
    try {
      for (const message of messages) this.#add(message);
    } catch (error) {
      return this.#refused(error);
    }
    return this.#init.outbox.room();
  }

  /**
   * Writes what was sent so far.
   *
   * @returns A promise that settles when the system has taken everything. Its failure need not be
   * awaited.
   * @throws {Deno.errors.BrokenPipe} If the peer has gone (or `Deno.errors.ConnectionReset`).
   */
  flush(): Promise<void> {
    return this.#init.outbox.flushed();
  }

  /**
   * Sends a message and receives the answer, for protocols in which each message is answered by one,
   * in order. Several requests may be under way: each gets its own answer.
   *
   * Cancellation: the message was sent; when its answer comes after all, it is dropped, so that the
   * next request gets its own.
   *
   * @param message What to send.
   * @param options How long to wait for the answer.
   * @returns The answer.
   * @throws {Deno.errors.UnexpectedEof} If the peer ended its side without answering.
   * @throws {Deno.errors.TimedOut} If the answer did not come in time.
   * @throws {FrameError} If the message cannot be encoded, or the answer not be decoded.
   */
  async request(message: Out, options?: ReadOptions): Promise<In> {
    const isAsking = this.#requests?.waiting || this.#requests?.leaving !== undefined;
    if (!isAsking && (this.#receiving || this.#init.reader.isReading)) throw this.#busy();
    options?.signal?.throwIfAborted();
    const { timeout = Infinity } = this.#init.limits(options) ?? {};
    this.#add(message);
    this.#requests ??= new Requests((signal) => this.#nextAnswer(signal));
    return await this.#requests.answer({
      timeout,
      signal: options?.signal,
      late: () => this.#note(timedOut(contextOf(this.#init.link, "request"), timeout)),
    });
  }

  /**
   * The messages in arrays, as many as each read completed: the fastest way to receive, because only
   * whole batches are waited for. Leaving the loop loses nothing.
   *
   * @returns An iterator over arrays of at least one message.
   */
  batches(): AsyncIterableIterator<In[]> {
    return iterator(() => this.#receive<IteratorResult<In[]>>(takeBatch, DONE, undefined));
  }

  /** The messages, until the peer ends its side. Leaving the loop loses nothing. */
  [Symbol.asyncIterator](): AsyncIterableIterator<In> {
    return iterator(() => this.#receive<IteratorResult<In>>(takeNext, DONE, undefined));
  }

  /**
   * Goes on with another codec in both directions, as after a protocol upgrade. Bytes that have arrived
   * behind the last message received are decoded by the new codec; messages sent so far stay encoded as
   * they are.
   *
   * @param codec The new codec.
   * @returns This object, with the new types.
   * @throws {Deno.errors.Busy} If somebody waits for a message.
   */
  switchTo<NewIn, NewOut = NewIn>(codec: Codec<NewIn, NewOut>): Framed<NewIn, NewOut> {
    const remaining = this.#takeRemaining();
    const switched = this as unknown as Framed<NewIn, NewOut>;
    switched.#codec = codec;
    switched.#batch = new BatchDecoder(codec);
    switched.#frameUntil = undefined;
    if (remaining.length > 0) switched.#batch.feed(remaining);
    return switched;
  }

  /**
   * Goes back to plain bytes: what has arrived behind the last message received is given back to the
   * connection, to be read with `read` and its kin. This object can no longer be used.
   *
   * @throws {Deno.errors.Busy} If somebody waits for a message.
   */
  release(): void {
    const remaining = this.#takeRemaining();
    this.#init.outbox.handOver();
    this.#init.reader.unread(remaining);
    this.#released = true;
    this.#init.onRelease();
  }

  #add(message: Out): void {
    if (this.#released) throw releasedError();
    this.#init.outbox.add(this.#codec, message);
  }

  /** A message that was not sent. What a peer can cause may be left alone: also a frame error, because
   * what is sent is often what was received. */
  #refused(error: unknown): Promise<never> {
    const refused = Promise.reject(error);
    const mayBeLeft = error === this.#init.outbox.refusal || error instanceof LimitError ||
      error instanceof FrameError;
    return mayBeLeft ? unattended(refused) : refused;
  }

  /** Whether a call waits for a message already. */
  get #isBusy(): boolean {
    if (this.#receiving || this.#requests?.waiting || this.#init.reader.isReading) return true;
    if (this.#requests !== undefined) this.#owed += this.#requests.takeOwed();
    return false;
  }

  /** Waits for messages and takes them in the form that `take` gives them; `end` when there are no
   * more. A message that is there is taken without waiting, while this turn has time left. */
  #receive<T>(
    take: (batch: BatchDecoder<In>) => T,
    end: T,
    options: ReadOptions | undefined,
  ): Promise<T> {
    const batch = this.#batch;
    const isThere = batch.size > 0 && options === undefined && !spend();
    if (isThere && !this.#receiving && this.#requests === undefined) {
      return Promise.resolve(take(batch)); // most calls, where messages come in crowds
    }
    const { reader, outbox } = this.#init;
    const leaving = this.#requests?.leaving;
    if (leaving !== undefined) return leaving.then(() => this.#receive(take, end, options));
    if (this.#isBusy) return Promise.reject(this.#busy());
    if (isThere && this.#owed === 0) return Promise.resolve(take(batch));
    const isSimple = options === undefined && this.#isUnlimited && !batch.partial &&
      !this.#released && reader.isFree && batch.isIdle;
    if (!isSimple) return this.#receiveWithin(take, end, options);
    outbox.flushNow(); // nothing more is sent before an answer comes
    return new Promise<T>((resolve, reject) => {
      this.#waiter = { take, end, resolve, reject } as Waiter<In, unknown>;
      reader.receive(this.#receiver, this.#codec.detached !== true);
    });
  }

  /** The reader's answer to the simple case; a message that is not complete takes the other way. */
  readonly #receiver: Receiver = {
    arrived: (bytes) => {
      const { take, end, resolve, reject } = this.#waiter as Waiter<In, unknown>;
      const batch = this.#batch;
      try {
        if (bytes === null) batch.end();
        else batch.feed(bytes);
        const isThere = this.#pull() && !this.#isCrowd(take);
        resolve(isThere ? take(batch) : this.#receiveWithin(take, end, undefined));
      } catch (error) {
        reject(this.#note(error));
      }
    },
    failed: (reason) => this.#waiter?.reject(reason),
  };

  /** Waits for a message within the limits of the call and of the connection, and takes it. */
  async #receiveWithin<T>(
    take: (batch: BatchDecoder<In>) => T,
    end: T,
    options: ReadOptions | undefined,
  ): Promise<T> {
    if (this.#released) throw releasedError();
    const given = this.#init.limits(options);
    const { timeout = Infinity } = given ?? {};
    // However many chunks it takes, the call has one time.
    const limits = timeout === Infinity ? given : { ...given, until: performance.now() + timeout };
    this.#receiving = true;
    try {
      const { size, unfinished } = this.#batch;
      if (size > 0 ? spend() : unfinished && spend(DECODED_AT_ONCE)) await nextTurn();
      while (!this.#pull()) {
        if (this.#batch.done) return end;
        if (this.#batch.unfinished) await this.#rest();
        else await this.#feed(limits);
      }
      if (this.#isCrowd(take) && !mayHandOutAlone()) await myTurn();
      this.#frameUntil = undefined;
      return take(this.#batch); // here: after an await, another call could take it
    } catch (error) {
      const late = this.#frameUntil !== undefined && performance.now() >= this.#frameUntil;
      if (!late || !(error instanceof Deno.errors.TimedOut)) throw this.#note(error);
      const context = contextOf(this.#init.link, "frame");
      throw this.#note(timedOut(context, this.#init.frame, "the message begun was not complete"));
    } finally {
      this.#receiving = false;
    }
  }

  /** Reads the next bytes and gives them to the decoder. */
  async #feed(limits: WaitLimits | undefined): Promise<void> {
    const { reader, outbox } = this.#init;
    outbox.flushNow();
    const chunk = await reader.chunk(this.#batch.partial ? this.#limitsInside(limits) : limits);
    if (chunk === null) this.#batch.end();
    else this.#batch.feed(chunk);
  }

  /** After a piece of decoding that found no message: others first, if this turn is over. */
  async #rest(): Promise<void> {
    if (spend(DECODED_AT_ONCE)) await nextTurn();
  }

  /** Whether what would be taken is a batch to be handed out alone. */
  #isCrowd(take: unknown): boolean {
    return take === takeBatch && this.#batch.size > MANY;
  }

  /** Decodes, and drops the answers to requests that were given up. */
  #pull(): boolean {
    while (this.#batch.pull()) {
      if (this.#owed === 0) return true;
      this.#owed--;
      this.#batch.take();
    }
    return false;
  }

  /** How long to wait with a message begun: no longer than it may take in all. */
  #limitsInside(limits: WaitLimits | undefined): WaitLimits | undefined {
    const { frame } = this.#init;
    if (frame === Infinity) return limits;
    const now = performance.now();
    const { begun } = this.#batch;
    if (this.#frameUntil === undefined || begun !== this.#frameBegun) {
      this.#frameUntil = now + frame;
      this.#frameBegun = begun;
    }
    const left = Math.max(0, this.#frameUntil - now);
    return {
      ...limits,
      timeout: Math.min(limits?.timeout ?? Infinity, left),
      until: Math.min(limits?.until ?? Infinity, this.#frameUntil),
    };
  }

  /** The next message for the requests, whose own slots account for those that were given up. */
  async #nextAnswer(signal: AbortSignal): Promise<In> {
    const wait = { signal, timeout: Infinity };
    const answer = await this.#receiveWithin(takeAnswer, undefined, wait);
    if (answer !== undefined) return answer.message;
    const reason = "the peer ended its side without an answer";
    const context = contextOf(this.#init.link, "request");
    throw this.#note(netError(Deno.errors.UnexpectedEof, "EEOF", reason, context));
  }

  #takeRemaining(): Uint8Array {
    if (this.#isBusy) throw this.#busy();
    if (this.#released) throw releasedError();
    return this.#batch.takeRemaining();
  }

  /** An error that a peer has caused is this connection's; others are mistakes in the program. */
  #note(error: unknown): unknown {
    const isPeers = error instanceof FrameError || isNetError(error);
    return isPeers ? noteError(error, this.#init.link.onUnhandled) : error;
  }

  #busy(): unknown {
    return busy(contextOf(this.#init.link, "read"));
  }
}

function takeOne<In>(batch: BatchDecoder<In>): In {
  return batch.take();
}

/** In an object, because a message may be anything, also `undefined`. */
function takeAnswer<In>(batch: BatchDecoder<In>): { message: In } | undefined {
  return { message: batch.take() };
}

function takeNext<In>(batch: BatchDecoder<In>): IteratorResult<In> {
  return { done: false, value: batch.take() };
}

function takeBatch<In>(batch: BatchDecoder<In>): IteratorResult<In[]> {
  const messages = batch.takeAll();
  spend(0, messages.length); // what follows sees that the clock must be read
  return { done: false, value: messages };
}

function releasedError(): TypeError {
  return new TypeError("Cannot use the messages of a connection after release()");
}

/** Makes the messages of a connection; for connections only. */
export function createFramed<In, Out>(init: FramedInit<In, Out>): Framed<In, Out> {
  return create(init);
}
