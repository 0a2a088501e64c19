/**
 * Messages on their way in: from the reader, through the codec, to the call that wants one.
 *
 * | state   | what is there                             | how a call gets its message                      |
 * | ------- | ----------------------------------------- | ------------------------------------------------ |
 * | there   | messages that were decoded                | at once, while this turn has time left           |
 * | quiet   | nothing, in the decoder or in the reader  | as what the reader's call takes: the cheapest   |
 * | between | a part of a message, or bytes not decoded | by an async function, which decodes step by step |
 * | leaving | a request's receiver that no one needs    | after that has left                              |
 *
 * A call with limits, and one that finds answers to be dropped, takes the way of "between".
 *
 * @module
 */
import { FrameError, isNetError } from "../errors.ts";
import { timedOut } from "../common/net_error.ts";
import { END } from "../common/pull_iterator.ts";
import { mayHandOutAlone, myTurn, nextTurn, spend } from "../common/turn_budget.ts";
import { busy } from "../_internal/translate.ts";
import { noteError } from "../_internal/unhandled.ts";
import { BatchDecoder } from "../framing/batch_decoder.ts";
import type { Codec } from "../framing/codec.ts";
import type { WaitLimits } from "./_calls.ts";
import { linkError, messageLate, TRUNCATED } from "./_errors.ts";
import { contextOf, type Link } from "./_link.ts";
import type { Outbox } from "./_outbox.ts";
import type { ReadBuffer } from "./_read_buffer.ts";
import type { Reader } from "./_reader.ts";
import { Requests } from "./_requests.ts";
import { CHUNK } from "./_wants.ts";
import type { ReadOptions } from "./read_options.ts";

/** What the messages of a connection come and go through, whatever the codec. */
export interface FramedInit {
  readonly link: Link;
  readonly reader: Reader;
  readonly outbox: Outbox;
  readonly onRelease: () => void;
}

/** Takes messages in the form that a call wants them. */
export type Take<In, T> = (batch: BatchDecoder<In>) => T;

/**
 * A batch of more messages than this is handed out alone: until its consumer has worked at all of them,
 * no one knows whether the turn of the event loop has time for another batch.
 */
const MANY = 64;
/** About how many bytes are decoded in one step when no message is found in them. */
const DECODED_AT_ONCE = 64 * 1024;

/** The messages that one codec finds; one receiver at a time. */
export class Incoming<In> {
  readonly #init: FramedInit;
  readonly #batch: BatchDecoder<In>;
  readonly #isDetached: boolean; // messages share no memory with their chunks
  readonly #isUnlimited: boolean; // how long a call without limits waits
  #frameBegun = 0; // where the message begins in the stream whose time runs
  #frameUntil = Infinity; // when it must be complete
  #isReceiving = false; // the async function runs
  #dropped = 0; // answers to come that are for requests that were given up
  #requests: Requests<In> | undefined;
  #ended: string | undefined; // why these messages can no longer be used

  constructor(codec: Codec<In, unknown>, init: FramedInit) {
    this.#init = init;
    this.#batch = new BatchDecoder(codec);
    this.#isDetached = codec.detached === true;
    this.#isUnlimited = init.link.timeouts.read === Infinity;
  }

  /** Throws if these messages have ended. */
  checkUse(): void {
    if (this.#ended !== undefined) throw new TypeError(this.#ended);
  }

  /**
   * Waits for messages and takes them; `end` when there are no more. A message that is there is taken
   * without waiting, while this turn has time left.
   */
  receive<T>(take: Take<In, T>, end: T, limits?: WaitLimits): Promise<T> {
    const batch = this.#batch;
    const isThere = batch.size > 0 && limits === undefined && !spend();
    if (isThere && !this.#isReceiving && this.#requests === undefined) {
      return Promise.resolve(take(batch)); // most calls, where many messages come at once
    }
    if (this.#ended !== undefined) return Promise.reject(new TypeError(this.#ended));
    if (this.#requests !== undefined) {
      const { leaving } = this.#requests;
      if (leaving !== undefined) return leaving.then(() => this.receive(take, end, limits));
    }
    if (this.#isBusy) return Promise.reject(this.#busy());
    if (isThere && this.#dropped === 0) return Promise.resolve(take(batch));
    const { reader, outbox } = this.#init;
    const isQuiet = limits === undefined && this.#isUnlimited && !batch.partial &&
      batch.isIdle && reader.isQuiet;
    if (!isQuiet) return this.#receiveWithin(take, end, limits);
    outbox.flushBeforeWait(); // nothing more is sent before an answer comes
    reader.recipient = take === takeBatch ? undefined : batch;
    return reader.wait<T>({ take: (buffer) => this.#arrived(buffer, take, end) });
  }

  /** Throws if a message is waited for, except by another request. */
  checkRequest(): void {
    const isAsking = this.#requests?.waiting || this.#requests?.leaving !== undefined;
    if (!isAsking && (this.#isReceiving || this.#init.reader.isWaiting)) throw this.#busy();
  }

  /** Waits for the answer to what was sent just now. */
  answer({ timeout, signal }: ReadOptions = {}): Promise<In> {
    const { link } = this.#init;
    const ms = timeout ?? link.timeouts.read;
    this.#requests ??= new Requests((signal) => this.#nextAnswer(signal));
    const late = () => this.#note(timedOut(contextOf(link, "request"), ms));
    return this.#requests.answer(ms, late, signal);
  }

  /**
   * Ends the use of these messages.
   *
   * @param reason What later calls are told.
   * @returns The bytes after the last message that was taken.
   */
  end(reason: string): Uint8Array {
    this.checkUse();
    if (this.#isBusy) throw this.#busy();
    const remaining = this.#batch.takeRemaining();
    this.#init.reader.recipient = undefined;
    this.#ended = reason;
    return remaining;
  }

  /** Begins where the messages of another codec end. */
  resume<Old>(old: Incoming<Old>): void {
    const remaining = old.end(
      "Cannot use these messages after switchTo(): use what it returned",
    );
    if (remaining.length > 0) this.#batch.feed(remaining);
    this.#dropped = old.#dropped;
  }

  /** Whether a call waits for a message. */
  get #isBusy(): boolean {
    if (this.#isReceiving || this.#requests?.waiting || this.#init.reader.isWaiting) return true;
    if (this.#requests !== undefined) this.#dropped += this.#requests.takeDropped();
    return false;
  }

  /** Bytes have arrived. A message that is not complete then is waited for by the async function. */
  #arrived<T>(buffer: ReadBuffer, take: Take<In, T>, end: T): T | Promise<T> {
    const batch = this.#batch;
    const { length } = buffer;
    try {
      if (length === 0) batch.end();
      else batch.feed(this.#isDetached ? buffer.takeShown(length) : buffer.take(length));
      const isThere = this.#pull() && !this.#isLarge(take);
      return isThere ? take(batch) : this.#receiveWithin(take, end, undefined);
    } catch (error) {
      throw this.#note(error);
    }
  }

  /** Waits for a message within the limits of the call and of the connection, and takes it. */
  async #receiveWithin<T>(
    take: Take<In, T>,
    end: T,
    given: WaitLimits | undefined,
  ): Promise<T> {
    const { link, reader } = this.#init;
    reader.recipient = take === takeBatch ? undefined : this.#batch;
    const { timeout = link.timeouts.read, signal } = given ?? {};
    // However many chunks it takes, the call has one time.
    const until = timeout === Infinity ? Infinity : performance.now() + timeout;
    this.#isReceiving = true;
    try {
      const { size, unfinished } = this.#batch;
      if (size > 0 ? spend() : unfinished && spend(DECODED_AT_ONCE)) await nextTurn(this.#batch);
      while (!this.#pull()) {
        if (this.#batch.done) return end;
        if (!this.#batch.unfinished) await this.#feed({ timeout, until, signal });
        else if (spend(DECODED_AT_ONCE)) await nextTurn(this.#batch);
      }
      if (this.#isLarge(take) && !mayHandOutAlone(this.#batch)) await myTurn(this.#batch);
      this.#frameUntil = Infinity;
      return take(this.#batch); // here: after an await, another call could take it
    } catch (error) {
      const isLate = error instanceof Deno.errors.TimedOut &&
        performance.now() >= this.#frameUntil;
      throw isLate ? messageLate(link, "frame") : this.#note(error);
    } finally {
      this.#isReceiving = false;
    }
  }

  /** Reads the next bytes and gives them to the decoder. */
  async #feed({ timeout, until, signal }: WaitLimits & { until: number }): Promise<void> {
    const { link, reader, outbox } = this.#init;
    outbox.flushBeforeWait();
    if (this.#batch.partial) {
      const { begun } = this.#batch;
      const isTimed = this.#frameUntil < Infinity && begun === this.#frameBegun;
      if (!isTimed) this.#frameUntil = performance.now() + link.timeouts.frame;
      this.#frameBegun = begun;
      until = Math.min(until, this.#frameUntil);
    }
    const chunk = await reader.take(CHUNK, { timeout, until, signal });
    if (chunk === null) this.#batch.end();
    else this.#batch.feed(chunk);
  }

  /** Whether what would be taken is a batch that is handed out alone. */
  #isLarge(take: unknown): boolean {
    return take === takeBatch && this.#batch.size > MANY;
  }

  /** Decodes, and drops the answers to requests that were given up. */
  #pull(): boolean {
    while (this.#batch.pull()) {
      if (this.#dropped === 0) return true;
      this.#dropped--;
      this.#batch.take();
    }
    return false;
  }

  /** The next message for the requests, whose own slots account for those that were given up. */
  async #nextAnswer(signal: AbortSignal): Promise<In> {
    const wait = { signal, timeout: Infinity };
    const answer = await this.#receiveWithin<IteratorResult<In>>(takeNext, END, wait);
    if (!answer.done) return answer.value;
    const reason = "the peer ended its side without an answer";
    throw linkError(this.#init.link, "request", TRUNCATED, reason);
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

/** Takes one message. */
export function takeOne<In>(batch: BatchDecoder<In>): In {
  return batch.take();
}

/** Takes one message for a loop. */
export function takeNext<In>(batch: BatchDecoder<In>): IteratorResult<In> {
  return { done: false, value: batch.take() };
}

/** Takes all messages that are there, for a loop. */
export function takeBatch<In>(batch: BatchDecoder<In>): IteratorResult<In[]> {
  const messages = batch.takeAll();
  spend(0, messages.length); // what follows sees that the clock must be read
  return { done: false, value: messages };
}
