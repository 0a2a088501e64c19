/**
 * Text that is written in batches: many events, one write.
 *
 * @module
 */
import { unattended } from "../../common/unattended.ts";
import { OutputBuffer } from "../../framing/mod.ts";

/** Milliseconds that text waits for more text. */
const FLUSH_AFTER = 5;
/** Bytes that are worth a write at once. */
const FLUSH_SIZE = 256 * 1024;
/** Bytes that may wait to be written, those of the write under way included; to add more is to wait. */
const MAX_BACKLOG = 4 * 1024 * 1024;
/** A part of it is kept for sources that have added little, so that a flood of one does not stop all. */
const RESERVE = MAX_BACKLOG / 4;
/** What is little: so many bytes of one source in one batch. */
const SMALL_SHARE = 1024;
/** What a function to be called after a write counts, beside the bytes: so their number is bounded, too. */
const MARK_SIZE = 1024;
/** Memory up to this size is kept for the next batch. */
const MAX_KEPT = 2 * MAX_BACKLOG;

/** What is to be appended. */
export interface Addition {
  /** Where it comes from: room is shared between sources. */
  readonly source: number;
  /** About how many bytes it has. */
  readonly size: number;
  /** Appends it to the buffer. */
  append(): void;
}

/** What one write takes. */
class Batch {
  readonly output = new OutputBuffer();
  /** Called when it is written, or cannot be. */
  readonly marks: (() => void)[] = [];

  get size(): number {
    return this.output.length + this.marks.length * MARK_SIZE;
  }
}

/** Collects text and writes it in order, never two writes at once. */
export class BatchWriter {
  readonly #sink: (bytes: Uint8Array) => Promise<void>;
  #filling = new Batch();
  #spare = new Batch(); // empty, or the one that is being written
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;
  #waiting: (Addition & PromiseWithResolvers<void>)[] = [];
  #shares = new Map<number, number>(); // bytes of each source in the batch that is collected
  #failure: { readonly error: unknown } | undefined;

  constructor(sink: (bytes: Uint8Array) => Promise<void>) {
    this.#sink = sink;
  }

  /** Where to append text. */
  get buffer(): OutputBuffer {
    return this.#filling.output;
  }

  /**
   * Appends as soon as there is room: at once, or after what was added before.
   *
   * @returns A promise while it waits for room.
   */
  add(addition: Addition): void | Promise<void> {
    if (this.#failure !== undefined) return unattended(Promise.reject(this.#failure.error));
    if (!this.#hasRoom(addition)) {
      const waiting = { ...addition, ...Promise.withResolvers<void>() };
      this.#waiting.push(waiting);
      return unattended(waiting.promise); // a failure is reported by flush(), too
    }
    this.#append(addition);
    this.#added();
  }

  /** Calls `reached` when all that was appended so far is written, or cannot be; at once if it is. */
  afterwards(reached: () => void): void {
    const last = this.buffer.length > 0 ? this.#filling : this.#spare;
    if (last.output.length === 0 || this.#failure !== undefined) return reached();
    last.marks.push(reached);
  }

  /** Writes everything there is. */
  async flush(): Promise<void> {
    while (this.#failure === undefined && (this.#writing !== undefined || this.buffer.length > 0)) {
      this.#begin();
      await this.#writing;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #hasRoom({ source, size }: Addition): boolean {
    const backlog = this.#filling.size + this.#spare.size;
    if (this.#waiting.length === 0 && backlog < MAX_BACKLOG - RESERVE) return true;
    const isSmall = size + (this.#shares.get(source) ?? 0) <= SMALL_SHARE;
    // What comes from one source stays in order.
    return isSmall && backlog < MAX_BACKLOG &&
      !this.#waiting.some((other) => other.source === source);
  }

  #append({ source, append }: Addition): void {
    const before = this.buffer.length;
    append();
    const added = this.buffer.length - before;
    this.#shares.set(source, (this.#shares.get(source) ?? 0) + added);
  }

  /** Has what was appended written. */
  #added(): void {
    if (this.#writing !== undefined || this.#failure !== undefined) return; // #write() continues
    if (this.buffer.length >= FLUSH_SIZE) this.#begin();
    else this.#timer ??= setTimeout(() => this.#begin(), FLUSH_AFTER);
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writing !== undefined || this.buffer.length === 0) return;
    [this.#filling, this.#spare] = [this.#spare, this.#filling];
    this.#shares.clear();
    this.#writing = this.#write(this.#spare);
  }

  async #write({ output, marks }: Batch): Promise<void> {
    try {
      await this.#sink(output.bytes.subarray(0, output.length));
    } catch (error) {
      this.#failure = { error };
      marks.push(...this.#filling.marks.splice(0));
    }
    this.#writing = undefined;
    if (output.bytes.length > MAX_KEPT) this.#spare = new Batch();
    output.clear();
    for (const reached of marks.splice(0)) reached();
    this.#admit();
    if (this.buffer.length > 0) this.#added();
  }

  /** Appends what waits, in order, while there is room. */
  #admit(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      try {
        if (this.#failure !== undefined) throw this.#failure.error;
        if (!this.#hasRoom(one)) {
          this.#waiting.push(one);
          continue;
        }
        this.#append(one);
        one.resolve();
      } catch (error) {
        one.reject(error);
      }
    }
  }
}
