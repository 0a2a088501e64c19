/** The decoder of all byte codecs: buffering, stopping, failing and ending. @module */
import type { DecoderProgress, Emit } from "./codec.ts";
import { checkBytes } from "./_checks.ts";
import { ByteQueue } from "./_byte_queue.ts";
import { BOUNDED, type BoundedDecoder } from "./_bounded_decoder.ts";
import { Cursor, type EmitRange } from "./_cursor.ts";

const EMPTY = new Uint8Array(0);

/** What a byte codec adds to the {@linkcode ScanDecoder}: where its frames begin and end. */
export interface Scanner {
  /**
   * Emits every frame that is whole in the window. Returns when more bytes are needed or
   * `cursor.emit` returns `false`. What it stores about the frame begun is relative to `cursor.start`.
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
export class ScanDecoder implements BoundedDecoder<Uint8Array> {
  readonly [BOUNDED] = true;
  readonly #scanner: Scanner;
  readonly #queue: ByteQueue;
  readonly #cursor = new Cursor();
  /** Whether chunks do not change before they are decoded. */
  #isLent = false;
  /** The current chunk; between calls, the one of which a part is left. */
  #chunk: Uint8Array = EMPTY;
  /** How many bytes of the stream were scanned or queued. */
  #taken = 0;
  /** How many bytes of the current chunk were scanned or queued. */
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

  get stalled(): boolean {
    return this.#stalled && (this.#at < this.#chunk.length || this.#queue.length > 0);
  }

  bound(maxDrops: number): void {
    this.#isLent = true;
    this.#cursor.maxDrops = maxDrops;
  }

  push(chunk: Uint8Array, emit: Emit<Uint8Array>): void {
    this.#push(chunk, emit, undefined);
  }

  /** The same as `push`, for callers that need no view of each frame. */
  pushRanges(chunk: Uint8Array, emit: EmitRange): void {
    this.#push(chunk, undefined, emit);
  }

  end(emit: Emit<Uint8Array>): void {
    this.#enter("end");
    if (this.#ended) return;
    this.#cursor.direct(emit, undefined);
    this.#busy = true;
    this.#ending = true;
    this.#enqueueRest();
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

  takeRemaining(): Uint8Array {
    if (this.#busy) throw new TypeError("Cannot take the remaining bytes from inside emit");
    this.#enqueueRest();
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
    this.#stalled ||= stopped;
    if (!(this.#stalled && this.#isLent)) this.#enqueueRest();
    cursor.partial = cursor.dropping || this.#queue.length > 0 || this.#at < this.#chunk.length;
    this.#busy = false;
  }

  #push(chunk: Uint8Array, emit: Emit<Uint8Array> | undefined, range: EmitRange | undefined): void {
    checkBytes("chunk", chunk);
    this.#enter("push");
    this.#cursor.direct(emit, range);
    this.#busy = true;
    if (chunk.length > 0) {
      this.#enqueueRest();
      this.#chunk = chunk;
      this.#at = 0;
    }
    try {
      if (this.#queue.length > 0) this.#completeFrame();
      if (this.#at < this.#chunk.length && this.#queue.length === 0 && !this.#cursor.stopped) {
        this.#scanChunk();
      }
      this.#stalled = false;
    } catch (error) {
      this.#stalled = true;
      throw error;
    } finally {
      this.#leave();
    }
  }

  /** Emits the frames that wait in the queue, and completes the one that begins there. */
  #completeFrame(): void {
    const chunk = this.#chunk;
    if (this.#stalled) this.#scanQueue(false);
    while (this.#at < chunk.length && this.#queue.length > 0 && !this.#cursor.stopped) {
      const to = this.#at + this.#scanner.reach(chunk, this.#at);
      this.#enqueue(Math.min(to, chunk.length));
      this.#scanQueue(false);
    }
  }

  /** Puts what is left of the chunk into the queue, and releases the chunk. */
  #enqueueRest(): void {
    if (this.#at < this.#chunk.length) this.#enqueue(this.#chunk.length);
    this.#chunk = EMPTY;
    this.#at = 0;
  }

  #enqueue(to: number): void {
    this.#queue.append(this.#chunk, this.#at, to);
    this.#taken += to - this.#at;
    this.#at = to;
  }

  #scanChunk(): void {
    const chunk = this.#chunk;
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
