/** The decoder of all byte codecs: buffering, stopping, failing and ending. @module */
import type { Decoder, DecoderProgress, Emit } from "./codec.ts";
import { ByteQueue } from "./_byte_queue.ts";
import { Cursor } from "./_cursor.ts";

/** What a byte codec adds to the {@linkcode ScanDecoder}: where its frames begin and end. */
export interface Scanner {
  /**
   * Emits every frame that is whole in the window, moving `cursor.start` behind each before emitting
   * it. Returns when more bytes are needed, or when it set `cursor.stopped` because `emit` returned
   * `false`. What it remembers about the frame begun, it remembers relative to `cursor.start`.
   */
  scan(cursor: Cursor, emit: Emit<Uint8Array>): void;
  /**
   * How many bytes of `chunk` from index `from` on may complete the frame that has begun: at least
   * one; more than there are means all.
   */
  reach(chunk: Uint8Array, from: number): number;
  /** Deals with what is left of the window when the input ends. */
  finish(cursor: Cursor, emit: Emit<Uint8Array>): void;
  /** Forgets the frame that has begun. */
  reset(): void;
}

/**
 * Feeds a scanner. A frame that lies whole in a chunk is scanned there; only a frame that spans
 * chunks is put together in the queue, from no more of the later chunk than it needs.
 */
export class ScanDecoder implements Decoder<Uint8Array> {
  readonly #scanner: Scanner;
  readonly #queue: ByteQueue;
  readonly #cursor = new Cursor();
  /** How many bytes of the stream were scanned or queued. */
  #taken = 0;
  /** How many bytes of the present chunk were scanned or queued. */
  #at = 0;
  /** Whether the queue may hold whole frames, because an emit stopped or threw. */
  #stalled = false;
  #busy = false;
  #ending = false;
  #ended = false;

  /**
   * @param scanner Knows the frames.
   * @param limit How many bytes the longest frame takes, with all that surrounds it.
   */
  constructor(scanner: Scanner, limit: number) {
    this.#scanner = scanner;
    this.#queue = new ByteQueue(limit);
  }

  get progress(): DecoderProgress {
    return this.#cursor;
  }

  push(chunk: Uint8Array, emit: Emit<Uint8Array>): void {
    this.#enter("push");
    if (this.#ending) throw new TypeError("Cannot push: the input has ended");
    const queue = this.#queue;
    const cursor = this.#cursor;
    this.#busy = true;
    this.#at = 0;
    cursor.stopped = false;
    try {
      if (queue.length > 0) this.#completeFrame(chunk, emit);
      if (this.#at < chunk.length && queue.length === 0 && !cursor.stopped) {
        this.#scanChunk(chunk, emit);
      }
      this.#stalled = cursor.stopped;
    } catch (error) {
      this.#stalled = true;
      throw error;
    } finally {
      if (this.#at < chunk.length) this.#enqueue(chunk, chunk.length);
      this.#leave();
    }
  }

  end(emit: Emit<Uint8Array>): void {
    this.#enter("end");
    if (this.#ended) return;
    const cursor = this.#cursor;
    this.#busy = true;
    this.#ending = true;
    cursor.stopped = false;
    try {
      if (this.#stalled) this.#scanQueue(emit, false);
      if (cursor.stopped) return;
      this.#stalled = false;
      this.#scanQueue(emit, true);
      this.#ended = true;
    } finally {
      this.#leave();
    }
  }

  takeRemaining(): Uint8Array {
    if (this.#busy) throw new TypeError("Cannot take the remaining bytes from inside emit");
    const bytes = this.#queue.take();
    this.#scanner.reset();
    this.#cursor.reset();
    this.#cursor.load(bytes, bytes.length, this.#taken - bytes.length);
    this.#cursor.unload();
    this.#stalled = false;
    return bytes;
  }

  #enter(operation: string): void {
    if (this.#busy) throw new TypeError(`Cannot ${operation} from inside emit`);
    if (this.#cursor.failure !== undefined) throw this.#cursor.failure;
  }

  #leave(): void {
    const cursor = this.#cursor;
    cursor.partial = cursor.dropping || this.#queue.length > 0;
    this.#busy = false;
  }

  /** Emits the frames that wait in the queue, and completes the one that begins there. */
  #completeFrame(chunk: Uint8Array, emit: Emit<Uint8Array>): void {
    if (this.#stalled) this.#scanQueue(emit, false);
    while (this.#at < chunk.length && this.#queue.length > 0 && !this.#cursor.stopped) {
      const to = this.#at + this.#scanner.reach(chunk, this.#at);
      this.#enqueue(chunk, Math.min(to, chunk.length));
      this.#scanQueue(emit, false);
    }
  }

  #enqueue(chunk: Uint8Array, to: number): void {
    this.#queue.append(chunk, this.#at, to);
    this.#taken += to - this.#at;
    this.#at = to;
  }

  #scanChunk(chunk: Uint8Array, emit: Emit<Uint8Array>): void {
    const cursor = this.#cursor;
    const from = this.#at;
    cursor.load(chunk, from, this.#taken - from);
    try {
      this.#scanner.scan(cursor, emit);
    } finally {
      this.#at = cursor.start;
      this.#taken += cursor.start - from;
      cursor.unload();
    }
  }

  #scanQueue(emit: Emit<Uint8Array>, finish: boolean): void {
    const cursor = this.#cursor;
    const held = this.#queue.view();
    cursor.load(held, 0, this.#taken - held.length);
    try {
      if (finish) this.#scanner.finish(cursor, emit);
      else this.#scanner.scan(cursor, emit);
    } finally {
      this.#queue.consume(cursor.start);
      cursor.unload();
    }
  }
}
