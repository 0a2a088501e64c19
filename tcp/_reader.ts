/**
 * The reading half of a connection: one call waits for what the socket brings.
 *
 * A read of the socket cannot be taken back, so it belongs to the reader and not to the call. A call
 * that ends early leaves the read running; its bytes land in the buffer for the next call.
 *
 * | state     | the call                   | the socket's read  | what ends the state                        |
 * | --------- | -------------------------- | ------------------ | ------------------------------------------ |
 * | idle      | none                       | none               | a call that finds too little in the buffer |
 * | queued    | waits                      | none               | the connection's turn among all            |
 * | filling   | waits                      | into the buffer    | bytes: it has enough, or it fills again    |
 * | direct    | waits                      | into its memory    | bytes                                      |
 * | held      | has what it needs          | none               | a turn of the event loop that has time     |
 * | abandoned | none, it has given up      | as it was          | bytes; or a call: "filling"                |
 *
 * Two fields are the state: `#call`, and whether the source reads. The end of the stream, a failure of
 * the socket, {@linkcode Reader.stop} and a call's own limits end each state in which a call waits.
 *
 * "Held" is what keeps one connection from stopping the others: data that is in memory is handed out
 * only while this turn of the event loop has time left (see `common/turn_budget.ts`).
 *
 * @module
 */
import { afterLook } from "../common/after_look.ts";
import { type Sweepable, unwatch, watch } from "../common/sweep.ts";
import {
  cameBack,
  inTurn,
  mayHandOut,
  type Recipient,
  spend,
  whenTurn,
} from "../common/turn_budget.ts";
import { busy } from "../_internal/translate.ts";
import { takeTurn, type Turn } from "../_internal/turns.ts";
import { Call, type CallLimits, limitsOf, type WaitLimits } from "./_calls.ts";
import { contextOf, type Link } from "./_link.ts";
import { ReadBuffer } from "./_read_buffer.ts";
import { Source } from "./_source.ts";
import { Into, MORE, type Want } from "./_wants.ts";
import type { Writer } from "./_writer.ts";

/** The reading half of a connection; one caller at a time. */
export class Reader implements Sweepable {
  /** The socket's side. */
  readonly source: Source;
  /** What takes the messages of what was read one by one, if anything does. */
  recipient: Recipient | undefined;
  readonly #link: Link;
  readonly #turn: Turn;
  readonly #buffer = new ReadBuffer();
  #call: Call | undefined; // that waits, or is held
  #stopped: unknown; // why this side reads no more

  /**
   * @param turn The connection's place in the rounds of all.
   * @param writer The other half of the same socket.
   */
  constructor(link: Link, turn: Turn, writer: Writer) {
    this.#link = link;
    this.#turn = turn;
    this.source = new Source(link, writer, (n) => this.#settled(n));
  }

  /** Bytes that have arrived and were not taken yet. */
  get buffered(): number {
    return this.#buffer.length;
  }

  /** Whether a call waits. */
  get isWaiting(): boolean {
    return this.#call !== undefined;
  }

  /** Whether the next call would wait: nothing is there, and something may still come. */
  get isQuiet(): boolean {
    const { ended, failure } = this.source;
    return this.#buffer.length === 0 && this.#call === undefined && this.#stopped === undefined &&
      !ended && failure === undefined;
  }

  /** Reads into the caller's memory. */
  read(target: Uint8Array, limits?: WaitLimits): Promise<number | null> {
    if (target.length === 0 && this.#refusal === undefined) return Promise.resolve(0);
    const isUnlimited = limits === undefined && this.#link.timeouts.read === Infinity;
    return this.take(new Into(target, isUnlimited), limits);
  }

  /** Takes what a call wants: without waiting, if it is there and this turn has time left. */
  take<T>(want: Want<T>, given?: WaitLimits): Promise<T> {
    const refusal = this.#refusal;
    if (refusal !== undefined) return Promise.reject(refusal);
    const buffer = this.#buffer;
    const { source } = this;
    const before = buffer.length;
    let taken: T | typeof MORE = MORE;
    if (before > 0 || source.ended || want.isMessage) {
      try {
        taken = want.take(buffer, source.ended, null);
      } catch (error) {
        return Promise.reject(error);
      }
    }
    if (taken !== MORE) {
      return spend(before - buffer.length) ? this.#hold(taken) : Promise.resolve(taken);
    }
    if (source.failure !== undefined) return Promise.reject(source.failure);
    if (given?.signal?.aborted) return Promise.reject(given.signal.reason);
    return this.wait(want, limitsOf(given, this.#link, want.isMessage));
  }

  /** Waits for the next bytes, until there is what a call wants. Only while {@linkcode isQuiet}. */
  wait<T>(want: Want<T | Promise<T>>, limits?: CallLimits): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#wait(new Call(want, resolve as (value: unknown) => void, reject, limits));
    });
  }

  #wait(call: Call): void {
    const { source } = this;
    this.#call = call;
    if (call.limits !== undefined) this.#limit(call, call.limits);
    if (source.isReading) return this.#back(); // a call has left it
    const turn = takeTurn(this.#turn);
    if (turn === undefined) source.read(call.room(this.#buffer));
    else turn.then(() => this.#call === call && source.read(call.room(this.#buffer)));
    this.#back();
  }

  #back(): void {
    if (this.recipient !== undefined) cameBack(this.recipient);
  }

  /** Gives back bytes: they are the next to be read. */
  unread(bytes: Uint8Array): void {
    this.#buffer.unread(bytes);
  }

  /** Ends the reading from this side: the call that waits is told `reason`, and so are later ones. */
  stop(reason: unknown): void {
    this.#stopped ??= reason;
    this.#giveUp(reason);
    unwatch(this);
  }

  /** After {@linkcode stop}: discards what arrives, until the peer has ended or the socket failed. */
  async discard(): Promise<void> {
    await this.source.settled();
    this.#buffer.clear();
    await this.source.discard();
  }

  #limit(call: Call, limits: CallLimits): void {
    limits.begin((reason) => {
      if (this.#call === call) this.#giveUp(reason);
    });
    if (this.buffered > 0) limits.messageBegun();
    if (limits.until < Infinity) watch(this, limits.until);
  }

  /** Ends the call that waits too long, after it was handed what had arrived in time. */
  sweep(now: number): number {
    const limits = this.#call?.limits;
    if (limits === undefined) return Infinity;
    if (now < limits.until) return limits.until;
    if (!limits.isOver) {
      limits.isOver = true;
      afterLook(() => {
        if (this.#call?.limits === limits) this.#giveUp(limits.expired(this.#link));
      });
    }
    return Infinity;
  }

  /** Why no call is taken now. */
  get #refusal(): unknown {
    if (this.#stopped !== undefined) return this.#stopped;
    return this.#call === undefined ? undefined : busy(contextOf(this.#link, "read"));
  }

  /** A read of the socket has settled. */
  #settled(n: number | null): void {
    if (n !== null) this.#buffer.received(n);
    const call = this.#call;
    if (call === undefined) return;
    const { failure } = this.source;
    if (failure !== undefined) this.#giveUp(failure);
    else if (n === null || mayHandOut(n, this.recipient)) this.#offer(call, n);
    else inTurn(() => this.#offer(call, n), this.recipient);
  }

  /** Hands out what was taken in a turn that has time for it. */
  #hold<T>(taken: T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const call = new Call({ take: () => taken }, resolve as (value: unknown) => void, reject);
      this.#call = call;
      whenTurn(() => this.#offer(call, null), this.recipient);
    });
  }

  /** Lets the call take what has arrived, unless it has given up; if it needs more, it waits again. */
  #offer(call: Call, n: number | null): void {
    if (this.#call !== call) return;
    this.#call = undefined; // it may come again at once
    if (call.arrived(this.#buffer, n, this.source.ended)) call.limits?.end();
    else this.#wait(call);
  }

  /** Tells the call that waits that it is over; a read of the socket stays outstanding. */
  #giveUp(reason: unknown): void {
    const call = this.#call;
    if (call === undefined) return;
    this.#call = undefined;
    call.limits?.end();
    call.failed(reason);
  }
}
