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

/** A piece that waits to be written. */
interface Piece extends PromiseWithResolvers<void> {
  /** The caller's memory, or where small pieces are joined. */
  readonly data: Uint8Array | OutputBuffer;
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
  #isActive = false;
  #activeBytes = 0; // of the write under way
  #writing: Promise<void> | undefined; // settles when the write under way has ended
  #ended: Promise<void> | undefined; // settles when our end of stream was sent
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
    return this.#isActive;
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
    if (this.#isActive && this.refusal === undefined && data.length > 0) {
      const { maxWriteQueue } = this.#link;
      const isAlone = this.#queuedBytes === 0 && this.#activeBytes <= maxWriteQueue;
      if (!isAlone && this.#queuedBytes + data.length > maxWriteQueue) {
        return unattended(Promise.reject(queueFull(this.#link, "write", this.#queuedBytes)));
      }
    }
    return this.writeAccepted(data);
  }

  /** Writes what a queue with a limit of its own has accepted already. */
  writeAccepted(data: Uint8Array): Promise<void> {
    const { refusal } = this;
    if (refusal !== undefined) return unattended(Promise.reject(refusal));
    if (!this.#isActive) {
      return data.length === 0 ? Promise.resolve() : this.#writing = this.#writeAll(data);
    }
    const last = this.#queue?.at(-1);
    if (data.length === 0) return last?.promise ?? this.#writing ?? Promise.resolve();
    this.#queuedBytes += data.length;
    if (data.length > MAX_SMALL) return this.#enqueue(data);
    if (last?.data instanceof OutputBuffer && last.data.length + data.length <= JOINED_SIZE) {
      last.data.append(data);
      return last.promise;
    }
    const joined = new OutputBuffer();
    joined.append(data);
    return this.#enqueue(joined);
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
    if (!this.#isActive) return Promise.resolve();
    return new Promise((resolve) => (this.#onIdle ??= []).push(resolve));
  }

  /** Ends the writing: what waits, and what comes later, is told `reason`. */
  stop(reason: unknown): void {
    this.#stopped ??= reason;
    const queue = this.#queue;
    this.#queue = undefined;
    this.#queuedBytes = 0;
    for (const piece of queue ?? []) piece.reject(this.#stopped);
  }

  async #writeAll(data: Uint8Array): Promise<void> {
    const { socket } = this.#link;
    this.#isActive = true;
    this.#activeBytes = data.length;
    try {
      for (let written = 0; written < data.length;) {
        const turn = takeTurn(this.#turn);
        if (turn !== undefined) await turn;
        if (this.#stopped !== undefined) throw this.#stopped;
        const n = await socket.write(written === 0 ? data : data.subarray(written));
        written += n;
        this.bytesSent += n;
      }
    } catch (error) {
      const failure = this.#stopped ?? translate(error, contextOf(this.#link, "write"));
      this.stop(noteError(failure, this.#link.onUnhandled));
      if (failure instanceof Deno.errors.ConnectionReset) this.reset ??= failure;
      // Here rather than at each write: most succeed, and this costs.
      if (this.#writing !== undefined) unattended(this.#writing);
      throw this.#stopped;
    } finally {
      this.#next();
    }
  }

  #enqueue(data: Uint8Array | OutputBuffer): Promise<void> {
    const piece = { data, ...Promise.withResolvers<void>() };
    (this.#queue ??= []).push(piece);
    return unattended(piece.promise);
  }

  /** Writes what waits next, or rests. */
  #next(): void {
    const piece = this.#queue?.shift();
    if (piece === undefined) {
      this.#isActive = false;
      this.#activeBytes = 0;
      this.#writing = undefined;
      this.#queue = undefined;
      const idle = this.#onIdle;
      this.#onIdle = undefined;
      for (const resolve of idle ?? []) resolve();
      return;
    }
    const data = piece.data instanceof OutputBuffer ? piece.data.take() : piece.data;
    this.#queuedBytes -= data.length;
    this.#writing = piece.promise;
    this.#writeAll(data).then(piece.resolve, piece.reject);
  }
}
