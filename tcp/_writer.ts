/**
 * The writing half of a connection.
 *
 * The socket takes part of what it is given, and only from one caller at a time. Here every write
 * goes out whole and in the order of the calls; what is written while another write is under way
 * waits in a bounded queue, and small pieces that wait together leave together.
 *
 * @module
 */
import { ClosedError, LimitError } from "../errors.ts";
import { formatAddr } from "../_internal/address.ts";
import { translate } from "../_internal/translate.ts";
import { takeTurn, type Turn } from "../_internal/turns.ts";
import { unattended } from "../_internal/unattended.ts";
import { contextOf, type Link } from "./_link.ts";

/** Pieces that wait are joined up to this size, about what one write of the socket takes at once. */
const JOIN_SIZE = 64 * 1024;

/** A write that waits for its turn. */
interface Waiting {
  data: Uint8Array;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/**
 * The writing half of a connection; any number of callers. A write that fails and that nobody awaits
 * does not end the process.
 */
export class Writer {
  /** Bytes the socket has taken. */
  bytesWritten = 0;

  readonly #link: Link;
  readonly #turn: Turn;
  readonly #maxQueue: number;
  #queue: Waiting[] | undefined;
  #queuedBytes = 0;
  #active = false;
  #writing: Promise<void> | undefined; // what the caller of the write under way waits for
  #ended = false; // our end of stream was asked for
  #ending: unknown; // why no more writes are taken, although those taken still go out
  #stopped: unknown; // why nothing is written any more
  #idle: (() => void)[] | undefined;

  constructor(link: Link, turn: Turn, maxQueue: number) {
    this.#link = link;
    this.#turn = turn;
    this.#maxQueue = maxQueue;
  }

  /** Whether a write is under way. */
  get active(): boolean {
    return this.#active;
  }

  /** Bytes that wait behind the write under way. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Why nothing more can be written; `undefined` while it can. */
  get refusal(): unknown {
    return this.#ending ?? this.#stopped;
  }

  /** Whether writing has failed or was stopped. */
  get failed(): boolean {
    return this.#stopped !== undefined;
  }

  /** Writes all of `data`, behind everything that was written before. */
  write(data: Uint8Array): Promise<void> {
    if (this.#ending !== undefined) return unattended(Promise.reject(this.#ending));
    if (this.#stopped !== undefined) return unattended(Promise.reject(this.#stopped));
    if (this.#active) return unattended(this.#enqueue(data));
    return data.length === 0 ? Promise.resolve() : this.#writing = this.#writeAll(data);
  }

  /** Takes no more writes: who tries is told `reason`. What was taken still goes out. */
  refuse(reason: unknown): void {
    this.#ending ??= reason;
  }

  /** Ends our side once everything is written. */
  end(): Promise<void> {
    return unattended(this.#end());
  }

  async #end(): Promise<void> {
    if (this.#ended) return await this.flushed();
    this.#ended = true;
    this.refuse(this.#endedError());
    await this.flushed();
    if (this.#stopped !== undefined) throw this.#stopped;
    try {
      await this.#link.socket.closeWrite();
    } catch (error) {
      // The peer has gone: there is nobody left to tell.
      if (error instanceof Deno.errors.NotConnected || error instanceof Deno.errors.BrokenPipe) {
        return;
      }
      throw this.#stopped ?? translate(error, contextOf(this.#link, "closeWrite"));
    }
  }

  /** Settles when nothing is left to write, because it was written or cannot be. */
  flushed(): Promise<void> {
    if (!this.#active) return Promise.resolve();
    return new Promise((resolve) => (this.#idle ??= []).push(resolve));
  }

  /** Ends the writing: what waits, and what comes later, is told `reason`. */
  stop(reason: unknown): void {
    this.#stopped ??= reason;
    const queue = this.#queue;
    this.#queue = undefined;
    this.#queuedBytes = 0;
    for (const waiting of queue ?? []) waiting.reject(this.#stopped);
  }

  async #writeAll(data: Uint8Array): Promise<void> {
    const { socket } = this.#link;
    this.#active = true;
    try {
      for (let written = 0; written < data.length;) {
        const turn = takeTurn(this.#turn);
        if (turn !== undefined) await turn;
        if (this.#stopped !== undefined) throw this.#stopped;
        const n = await socket.write(written === 0 ? data : data.subarray(written));
        written += n;
        this.bytesWritten += n;
      }
    } catch (error) {
      this.stop(this.#stopped ?? translate(error, contextOf(this.#link, "write")));
      // Here rather than at each write: most succeed, and this costs.
      if (this.#writing !== undefined) unattended(this.#writing);
      throw this.#stopped;
    } finally {
      this.#next();
    }
  }

  #enqueue(data: Uint8Array): Promise<void> {
    if (this.#queuedBytes > 0 && this.#queuedBytes + data.length > this.#maxQueue) {
      return Promise.reject(
        new LimitError(
          "write_queue",
          `Cannot write to ${
            formatAddr(this.#link.remoteAddr)
          }: ${this.#queuedBytes} bytes wait already and the limit is ${this.#maxQueue}`,
          { ...contextOf(this.#link, "write"), limit: this.#maxQueue },
        ),
      );
    }
    this.#queuedBytes += data.length;
    return new Promise((resolve, reject) => {
      (this.#queue ??= []).push({ data, resolve, reject });
    });
  }

  /** Goes on with what has queued up, or rests. */
  #next(): void {
    if (this.#queue === undefined || this.#queue.length === 0) {
      this.#active = false;
      this.#writing = undefined;
      const idle = this.#idle;
      this.#idle = undefined;
      for (const resolve of idle ?? []) resolve();
      return;
    }
    const batch = this.#takeBatch(this.#queue);
    const data = join(batch);
    this.#queuedBytes -= data.length;
    this.#writeAll(data).then(
      () => batch.forEach((waiting) => waiting.resolve()),
      (error) => batch.forEach((waiting) => waiting.reject(error)),
    );
  }

  /** The first write that waits, and those behind it that fit into one piece with it. */
  #takeBatch(queue: Waiting[]): Waiting[] {
    let size = 0;
    let count = 0;
    for (const { data } of queue) {
      if (count > 0 && size + data.length > JOIN_SIZE) break;
      size += data.length;
      count++;
    }
    if (count === queue.length) {
      this.#queue = undefined;
      return queue;
    }
    return queue.splice(0, count);
  }

  #endedError(): ClosedError {
    const { remoteAddr } = this.#link;
    return new ClosedError(
      "closed",
      `Cannot write to ${formatAddr(remoteAddr)}: this side was ended with closeWrite()`,
      contextOf(this.#link, "write"),
    );
  }
}

function join(batch: Waiting[]): Uint8Array {
  const [first] = batch;
  if (batch.length === 1 && first !== undefined) return first.data;
  const joined = new Uint8Array(batch.reduce((size, { data }) => size + data.length, 0));
  let at = 0;
  for (const { data } of batch) {
    joined.set(data, at);
    at += data.length;
  }
  return joined;
}
