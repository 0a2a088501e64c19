/** What a scanner works on: a window of the stream and the place reached in it. @module */
import type { FrameError } from "../errors.ts";
import type { DecoderProgress, Emit } from "./codec.ts";
import type { DropPolicy } from "./_drop_policy.ts";
import { frameError, frameReport, type MakeFrameError } from "./_frame_error.ts";

const EMPTY = new Uint8Array(0);

/** Receives each frame as a part of `bytes`; otherwise the same as `Emit`. */
export type EmitRange = (bytes: Uint8Array, start: number, end: number) => void | boolean;

/** What {@linkcode Cursor.refuse} needs to know about a broken frame. */
export interface RefusedFrame {
  /** The index after it, which may lie beyond the window. */
  next: number;
  /** Whether what comes at `next` belongs to it still. */
  isOpen: boolean;
  /** Makes the error, if it is needed. */
  error: (make: MakeFrameError) => FrameError;
}

/** A window of the stream. All indexes are indexes of `bytes`. */
export class Cursor implements DecoderProgress {
  /** The window: all of it is input. */
  bytes: Uint8Array = EMPTY;
  /** Where the frame being read begins. */
  start = 0;
  /** Set when `emit` returned `false`, or enough frames were dropped for one call. */
  stopped = false;
  /** Set while what arrives belongs to a frame that is being dropped. */
  dropping = false;
  /** Set between calls: whether bytes wait that are not framed yet. */
  partial = false;
  /** The error that ended the framing. */
  failure: FrameError | undefined = undefined;
  /** The scanner stops after this many dropped frames in one call. */
  maxDrops = Infinity;
  /** How many frames were dropped in this call. */
  #drops = 0;
  /** Where the frame emitted last began. */
  #emitted = 0;
  /** The memory of `bytes`. Reading it from the array costs as much as all the rest of emitting. */
  #buffer: ArrayBufferLike = EMPTY.buffer;
  #offset = 0;
  /** Exactly one of these two is set while frames are emitted. */
  #emit: Emit<Uint8Array> | undefined = undefined;
  #emitRange: EmitRange | undefined = undefined;
  /** Where in the stream the frame dropped last began. */
  #dropped = 0;
  /** How many of the next bytes are to be dropped. */
  #skip = 0;
  /** Where in the stream the window begins. */
  #base = 0;

  get frameStart(): number {
    return this.#base + this.#emitted;
  }

  get position(): number {
    return this.#base + this.start;
  }

  get begun(): number {
    return this.dropping ? this.#dropped : this.position;
  }

  /** Moves on to another window that begins at `base` in the stream, at index `start` in it. */
  load(bytes: Uint8Array, start: number, base: number): void {
    this.#emitted += this.#base - base;
    this.#base = base;
    this.bytes = bytes;
    this.#buffer = bytes.buffer;
    this.#offset = bytes.byteOffset;
    this.start = start;
    if (this.#skip > 0) this.#drop(this.#skip);
  }

  /** Releases the window, so that its memory can be freed. */
  unload(): void {
    this.bytes = EMPTY;
    this.#buffer = EMPTY.buffer;
  }

  /** Sets the receiver of the frames: in views, or as parts of their window. */
  direct(emit: Emit<Uint8Array> | undefined, emitRange: EmitRange | undefined): void {
    this.#emit = emit;
    this.#emitRange = emitRange;
    this.stopped = false;
    this.#drops = 0;
  }

  /**
   * Emits the frame at `start`, which holds the bytes from `from` to `to`, and moves on to `next`.
   *
   * @returns Whether to continue.
   */
  emit(from: number, to: number, next: number): boolean {
    this.#emitted = this.start;
    this.start = next;
    // A plain view is the fastest to make, and the same for subclasses such as Node's Buffer.
    const emit = this.#emit;
    if (emit !== undefined) {
      return this.#goOn(emit(new Uint8Array(this.#buffer, this.#offset + from, to - from)));
    }
    const emitRange = this.#emitRange!;
    return this.#goOn(emitRange(this.bytes, from, to));
  }

  /** Emits `frame` for the frame at `start`, as `emit` does. */
  emitOther(frame: Uint8Array, next: number): boolean {
    this.#emitted = this.start;
    this.start = next;
    const emit = this.#emit;
    if (emit !== undefined) return this.#goOn(emit(frame));
    const emitRange = this.#emitRange!;
    return this.#goOn(emitRange(frame, 0, frame.length));
  }

  /**
   * Ends the framing because of the frame at `start`, or drops it: then `stopped` may be set.
   *
   * @throws {FrameError} When such frames are not dropped.
   */
  refuse(policy: DropPolicy, { next, isOpen, error }: RefusedFrame): void {
    if (!policy.drops) this.fail(error(frameError));
    const report = policy.isSilent ? undefined : error(frameReport);
    this.#dropped = this.position;
    this.#drop(next - this.start);
    if (isOpen) this.dropping = true;
    if (++this.#drops >= this.maxDrops) this.stopped = true;
    if (report !== undefined) policy.report(report);
  }

  #goOn(answer: void | boolean): boolean {
    if (answer !== false) return true;
    this.stopped = true;
    return false;
  }

  /** Drops `count` bytes from `start` on, including bytes that have not arrived yet. */
  #drop(count: number): void {
    const now = Math.min(count, this.bytes.length - this.start);
    this.start += now;
    this.#skip = count - now;
    this.dropping = this.#skip > 0;
  }

  /** Ends the framing: from here on the decoder throws `error`. */
  fail(error: FrameError): never {
    this.failure = error;
    throw error;
  }

  /** Ends the framing because the frame at the cursor breaks the rules of the codec. */
  failCorrupt(message: string, length?: number): never {
    this.fail(frameError("corrupt", message, { length, offset: this.begun }));
  }

  /** Forgets the frame that has begun. */
  reset(): void {
    this.#skip = 0;
    this.dropping = false;
    this.partial = false;
    this.stopped = false;
  }
}
