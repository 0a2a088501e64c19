/** The decoder of all byte codecs: buffering, stopping, failing and ending. @module */
import type { Decoder, DecoderProgress, Emit } from "./codec.ts";
import { checkBytes } from "./_bytes.ts";
import { ByteQueue } from "./_byte_queue.ts";
import { Cursor, type EmitRange } from "./_cursor.ts";

/** What a byte codec adds to the {@linkcode ScanDecoder}: where its frames begin and end. */
export interface Scanner {
  /**
   * Emits every frame that is whole in the window. Returns when more bytes are needed or
   * `cursor.emit` says so. What it remembers about the frame begun, it remembers relative to
   * `cursor.start`.
   */
  scan(cursor: Cursor): void;
  /**
   * How many bytes of `chunk` from index `from` on may complete the frame that has begun: at least
   * one; more than there are means all.
   */
  reach(chunk: Uint8Array, from: number): number;
  /** Deals with what is left of the window when the input ends. */
  finish(cursor: Cursor): void;
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
    checkBytes("chunk", chunk);
    this.#enter("push");
    this.#cursor.direct(emit, undefined);
    this.#push(chunk);
  }

  end(emit: Emit<Uint8Array>): void {
    this.#enter("end");
    this.#cursor.direct(emit, undefined);
    this.#end();
  }

  /** The same as `push`, for those who need no view of each frame. */
  pushRanges(chunk: Uint8Array, emit: EmitRange): void {
    checkBytes("chunk", chunk);
    this.#enter("push");
    this.#cursor.direct(undefined, emit);
    this.#push(chunk);
  }

  /** The same as `end`, for those who need no view of each frame. */
  endRanges(emit: EmitRange): void {
    this.#enter("end");
    this.#cursor.direct(undefined, emit);
    this.#end();
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

  #enter(operation: "push" | "end"): void {
    if (this.#busy) throw new TypeError(`Cannot ${operation} from inside emit`);
    if (this.#cursor.failure !== undefined) throw this.#cursor.failure;
    if (this.#ending && operation === "push") {
      throw new TypeError("Cannot push: the input has ended");
    }
  }

  #leave(): void {
    const cursor = this.#cursor;
    const { stopped } = cursor;
    cursor.direct(undefined, undefined);
    cursor.partial = cursor.dropping || this.#queue.length > 0;
    this.#stalled ||= stopped;
    this.#busy = false;
  }

  #push(chunk: Uint8Array): void {
    this.#busy = true;
    this.#at = 0;
    try {
      if (this.#queue.length > 0) this.#completeFrame(chunk);
      if (this.#at < chunk.length && this.#queue.length === 0 && !this.#cursor.stopped) {
        this.#scanChunk(chunk);
      }
      this.#stalled = false;
    } catch (error) {
      this.#stalled = true;
      throw error;
    } finally {
      if (this.#at < chunk.length) this.#enqueue(chunk, chunk.length);
      this.#leave();
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#busy = true;
    this.#ending = true;
    try {
      if (this.#stalled) this.#scanQueue(false);
      if (this.#cursor.stopped) return;
      this.#stalled = false;
      this.#scanQueue(true);
      this.#ended = true;
    } finally {
      this.#leave();
    }
  }

  /** Emits the frames that wait in the queue, and completes the one that begins there. */
  #completeFrame(chunk: Uint8Array): void {
    if (this.#stalled) this.#scanQueue(false);
    while (this.#at < chunk.length && this.#queue.length > 0 && !this.#cursor.stopped) {
      const to = this.#at + this.#scanner.reach(chunk, this.#at);
      this.#enqueue(chunk, Math.min(to, chunk.length));
      this.#scanQueue(false);
    }
  }

  #enqueue(chunk: Uint8Array, to: number): void {
    this.#queue.append(chunk, this.#at, to);
    this.#taken += to - this.#at;
    this.#at = to;
  }

  #scanChunk(chunk: Uint8Array): void {
    const cursor = this.#cursor;
    const from = this.#at;
    cursor.load(chunk, from, this.#taken - from);
    try {
      this.#scanner.scan(cursor);
    } finally {
      this.#at = cursor.start;
      this.#taken += cursor.start - from;
      cursor.unload();
    }
  }

  #scanQueue(finish: boolean): void {
    const cursor = this.#cursor;
    const held = this.#queue.view();
    cursor.load(held, 0, this.#taken - held.length);
    try {
      if (finish) this.#scanner.finish(cursor);
      else this.#scanner.scan(cursor);
    } finally {
      this.#queue.consume(cursor.start);
      cursor.unload();
    }
  }
}
