/**
 * The writing half of a connection: plain writes and messages, in the order of the calls.
 *
 * The socket takes part of what it is given, and only from one caller at a time. Here every write
 * leaves whole and in the order of the calls. What is written while another write is under way
 * waits in a bounded queue: large pieces in the caller's memory, small ones copied into one piece,
 * which leaves in one write and has one promise. So what waits costs memory by its bytes, however
 * small the pieces are.
 *
 * @module
 */
import { translate } from "../_internal/translate.ts";
import { takeTurn, type Turn } from "../_internal/turns.ts";
import { noteError } from "../_internal/unhandled.ts";
import { unattended } from "../common/unattended.ts";
import { OutputBuffer } from "../framing/output_buffer.ts";
import { contextOf, type Link } from "./_link.ts";
import { queueFull, writeEnded } from "./_errors.ts";

/** Small pieces that wait are joined up to this size, about what one write of the socket takes. */
const JOINED_SIZE = 64 * 1024;
/** Up to this size, copying a piece costs less than a write of its own. */
const MAX_SMALL = 16 * 1024;

/** Is told what came of a write. */
export interface WriteDone {
  /** Everything was written. */
  resolve(): void;
  /** Not everything was written. */
  reject(reason: unknown): void;
  /** What a caller may await. */
  readonly promise?: Promise<void> | undefined;
}

/** A piece that waits to be written. */
interface Piece {
  /** The caller's memory, or where small pieces are joined. */
  readonly data: Uint8Array | OutputBuffer;
  readonly done: WriteDone;
}

/** Messages that were sent and not yet given to the writer. */
interface Collected {
  readonly collectedBytes: number;
  /** Gives them to the writer now. */
  handOver(): void;
}

/**
 * The writing half of a connection; any number of callers. A write that fails and that no one awaits
 * does not end the process.
 */
export class Writer {
  /** Bytes the socket has taken. */
  bytesSent = 0;
  /** The reset by the peer that a write has met: the system tells of it only once. */
  reset: unknown;
  /** Where messages are collected, if there are any: what is written later must not overtake them. */
  outbox: Collected | undefined;

  readonly #link: Link;
  readonly #turn: Turn;
  #queue: Piece[] | undefined;
  #queuedBytes = 0;
  #rest: Uint8Array | undefined; // of the write under way
  #done: WriteDone | undefined; // is told what came of it
  #activeBytes = 0; // of the write under way, from its beginning
  #ended: Promise<void> | undefined; // our end of stream, once it was asked for
  #ending: unknown; // why no more writes are taken, although those taken still leave
  #stopped: unknown; // why nothing is written any more
  #onIdle: (() => void)[] | undefined;

  /** @param turn The connection's place in the rounds of all. */
  constructor(link: Link, turn: Turn) {
    this.#link = link;
    this.#turn = turn;
  }

  /** Whether a write is under way. */
  get active(): boolean {
    return this.#rest !== undefined;
  }

  /** Bytes that wait after the write under way, without messages that are being collected. */
  get plainBytes(): number {
    return this.#queuedBytes;
  }

  /** Bytes that wait after the write under way, messages included. */
  get queuedBytes(): number {
    return this.#queuedBytes + (this.outbox?.collectedBytes ?? 0);
  }

  /** Why nothing more can be written; `undefined` while it can. */
  get refusal(): unknown {
    return this.#ending ?? this.#stopped;
  }

  /** Whether writing has failed or was stopped. */
  get failed(): boolean {
    return this.#stopped !== undefined;
  }

  /** Writes all of `data` after everything that was written before, if the queue has room for it. */
  write(data: Uint8Array): Promise<void> {
    this.outbox?.handOver();
    const { refusal } = this;
    if (refusal !== undefined) return unattended(Promise.reject(refusal));
    if (this.active) return this.#writeLater(data);
    if (data.length === 0) return Promise.resolve();
    const done = Promise.withResolvers<void>();
    this.#begin(data, done);
    return done.promise;
  }

  /**
   * Writes what a queue with a limit of its own has accepted already.
   *
   * @param data Not empty; in memory that stays as it is until `done` is told.
   */
  writeAccepted(data: Uint8Array, done: WriteDone): void {
    const { refusal } = this;
    if (refusal !== undefined) done.reject(refusal);
    else if (this.active) this.#enqueue(data, data.length, done);
    else this.#begin(data, done);
  }

  #writeLater(data: Uint8Array): Promise<void> {
    const { length } = data;
    const last = this.#queue?.at(-1);
    if (length === 0) return (last?.done ?? this.#done)?.promise ?? this.flushed();
    const { maxWriteQueue } = this.#link;
    const isAlone = this.#queuedBytes === 0 && this.#activeBytes <= maxWriteQueue;
    if (!isAlone && this.#queuedBytes + length > maxWriteQueue) {
      return unattended(Promise.reject(queueFull(this.#link, "write", this.#queuedBytes)));
    }
    const isSmall = length <= MAX_SMALL;
    if (isSmall && last?.data instanceof OutputBuffer && last.data.length + length <= JOINED_SIZE) {
      last.data.append(data);
      this.#queuedBytes += length;
      return last.done.promise as Promise<void>;
    }
    const joined = isSmall ? new OutputBuffer() : undefined;
    joined?.append(data);
    const done = Promise.withResolvers<void>();
    this.#enqueue(joined ?? data, length, done);
    return unattended(done.promise);
  }

  /** Takes no more writes: they are told `reason`. What was taken still leaves. */
  refuse(reason: unknown): void {
    this.outbox?.handOver();
    this.#ending ??= reason;
  }

  /** Ends our side once everything is written. */
  end(): Promise<void> {
    return this.#ended ??= unattended(this.#end());
  }

  async #end(): Promise<void> {
    this.refuse(writeEnded(this.#link));
    await this.flushed();
    if (this.#stopped !== undefined) throw this.#stopped;
    try {
      await this.#link.socket.closeWrite();
    } catch (error) {
      // The peer has gone: there is no one left to tell.
      if (error instanceof Deno.errors.NotConnected || error instanceof Deno.errors.BrokenPipe) {
        return;
      }
      throw this.#stopped ?? translate(error, contextOf(this.#link, "closeWrite"));
    }
  }

  /** Settles when nothing is left to write, because it was written or cannot be. */
  flushed(): Promise<void> {
    if (!this.active) return Promise.resolve();
    return new Promise((resolve) => (this.#onIdle ??= []).push(resolve));
  }

  /** Ends the writing: what waits, and what comes later, is told `reason`. */
  stop(reason: unknown): void {
    this.#stopped ??= reason;
    const queue = this.#queue;
    this.#queue = undefined;
    this.#queuedBytes = 0;
    for (const { done } of queue ?? []) done.reject(this.#stopped);
  }

  #enqueue(data: Uint8Array | OutputBuffer, length: number, done: WriteDone): void {
    (this.#queue ??= []).push({ data, done });
    this.#queuedBytes += length;
  }

  #begin(data: Uint8Array, done: WriteDone): void {
    this.#rest = data;
    this.#done = done;
    this.#activeBytes = data.length;
    this.#continue();
  }

  /** Hands the socket what is left of the write under way. Callbacks: a promise would cost more. */
  #continue(): void {
    const turn = takeTurn(this.#turn);
    if (turn === undefined) this.#hand();
    else turn.then(() => this.#hand());
  }

  #hand(): void {
    if (this.#stopped !== undefined) return this.#failed(this.#stopped);
    this.#link.socket.write(this.#rest as Uint8Array).then(this.#onTaken, this.#onFailure);
  }

  readonly #onTaken = (n: number): void => {
    this.bytesSent += n;
    const rest = this.#rest as Uint8Array;
    if (n < rest.length) {
      this.#rest = rest.subarray(n);
      return this.#continue();
    }
    const done = this.#done;
    this.#next();
    done?.resolve();
  };

  readonly #onFailure = (error: unknown): void => {
    this.#failed(this.#stopped ?? translate(error, contextOf(this.#link, "write")));
  };

  #failed(failure: unknown): void {
    this.stop(noteError(failure, this.#link.onUnhandled));
    if (failure instanceof Deno.errors.ConnectionReset) this.reset ??= failure;
    const done = this.#done;
    // Here rather than at each write: most succeed, and this costs.
    if (done?.promise !== undefined) unattended(done.promise);
    this.#next();
    done?.reject(this.#stopped);
  }

  /** Writes what waits next, or rests. */
  #next(): void {
    const piece = this.#queue?.shift();
    if (piece !== undefined) {
      const data = piece.data instanceof OutputBuffer ? piece.data.take() : piece.data;
      this.#queuedBytes -= data.length;
      return this.#begin(data, piece.done);
    }
    this.#rest = undefined;
    this.#done = undefined;
    this.#activeBytes = 0;
    this.#queue = undefined;
    const idle = this.#onIdle;
    if (idle === undefined) return;
    this.#onIdle = undefined;
    for (const resolve of idle) resolve();
  }
}
