/**
 * Encoded messages on their way out: collected during a turn, written at its end.
 *
 * @module
 */
import { LimitError } from "../errors.ts";
import { formatAddr } from "../_internal/address.ts";
import type { Codec } from "../framing/codec.ts";
import { encodeInto } from "../framing/encode.ts";
import { OutputBuffer } from "../framing/output_buffer.ts";
import { type Flushable, flushLater } from "./_flush.ts";
import { contextOf, type Link } from "./_link.ts";
import type { Writer } from "./_writer.ts";

/** Bytes that may wait before a sender is made to wait: about what one write of the socket takes. */
const HIGH_WATER_MARK = 64 * 1024;
/** Memory that is kept for the next messages when all are written. */
const MAX_KEPT = 16 * 1024;

const DONE: Promise<void> = Promise.resolve();

/** Collects messages and writes them, many at a time. */
export class Outbox implements Flushable {
  readonly #link: Link;
  readonly #writer: Writer;
  readonly #maxQueue: number;
  /** Where messages are collected, and where those collected before are being written from. */
  #collecting = new OutputBuffer();
  #leaving = new OutputBuffer();
  #announced = false; // a flush at the end of this turn
  #writing = false;
  #failure: unknown;
  #waiters: PromiseWithResolvers<void> | undefined;

  constructor(link: Link, writer: Writer, maxQueue: number) {
    this.#link = link;
    this.#writer = writer;
    this.#maxQueue = maxQueue;
  }

  /** Whether nothing waits to be written. */
  get isEmpty(): boolean {
    return this.#collecting.length === 0 && !this.#writing;
  }

  /**
   * Collects one message, or throws and leaves everything as it was.
   *
   * @returns A promise that settles when there is room for more.
   */
  add<Out>(codec: Codec<unknown, Out>, message: Out): Promise<void> {
    const refusal = this.#failure ?? this.#writer.refusal;
    if (refusal !== undefined) throw refusal;
    if (this.#collecting.length > this.#maxQueue) throw this.#full();
    encodeInto(codec, message, this.#collecting);
    if (!this.#announced) {
      this.#announced = true;
      flushLater(this);
    }
    if (this.#collecting.length < HIGH_WATER_MARK) return DONE;
    this.flushNow();
    return this.#collecting.length < HIGH_WATER_MARK && !this.#writing ? DONE : this.flushed();
  }

  endTurn(): void {
    this.#announced = false;
    this.flushNow();
  }

  /** Writes what was collected, unless a write is under way: then it follows by itself. */
  flushNow(): void {
    if (this.#writing || this.#collecting.length === 0) return;
    const leaving = this.#collecting;
    this.#collecting = this.#leaving;
    this.#leaving = leaving;
    this.#writing = true;
    this.#writer.write(leaving.bytes.subarray(0, leaving.length)).then(
      () => this.#written(),
      (error) => this.#failed(error),
    );
  }

  /** Settles when everything collected so far was taken by the system; rejects if it was not. */
  flushed(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.flushNow();
    if (this.isEmpty) return DONE;
    return (this.#waiters ??= Promise.withResolvers()).promise;
  }

  #written(): void {
    this.#writing = false;
    if (this.#leaving.length > MAX_KEPT) this.#leaving.take();
    this.#leaving.clear();
    this.flushNow();
    if (this.#writing) return;
    this.#waiters?.resolve();
    this.#waiters = undefined;
  }

  #failed(error: unknown): void {
    this.#writing = false;
    this.#failure = error;
    this.#collecting.take();
    this.#leaving.take();
    this.#waiters?.reject(error);
    this.#waiters = undefined;
  }

  #full(): LimitError {
    const waiting = this.#collecting.length;
    return new LimitError(
      "write_queue",
      `Cannot send to ${
        formatAddr(this.#link.remoteAddr)
      }: ${waiting} bytes wait already and the limit is ${this.#maxQueue}`,
      { ...contextOf(this.#link, "write"), limit: this.#maxQueue },
    );
  }
}
