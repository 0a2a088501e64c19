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

/** An addition that waits for room. */
interface WaitingAddition {
  readonly addition: Addition;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Collects text and writes it in order, never two writes at once. */
export class BatchWriter {
  readonly #sink: (bytes: Uint8Array) => Promise<void>;
  #filling = new OutputBuffer();
  #spare = new OutputBuffer();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;
  #written = 0; // bytes of the write under way
  #appended = 0; // bytes that were handed to writes
  #marks: { at: number; reached: () => void }[] = [];
  #waiting: WaitingAddition[] = [];
  #shares = new Map<number, number>(); // bytes of each source in the batch that is collected
  #failed = false;
  #failure: unknown;

  constructor(sink: (bytes: Uint8Array) => Promise<void>) {
    this.#sink = sink;
  }

  /** Where to append text. */
  get buffer(): OutputBuffer {
    return this.#filling;
  }

  /**
   * Appends as soon as there is room: at once, or after what was added before.
   *
   * @returns A promise while it waits for room.
   */
  add(addition: Addition): void | Promise<void> {
    if (this.#failed) return unattended(Promise.reject(this.#failure));
    if (!this.#hasRoom(addition)) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#waiting.push({ addition, resolve, reject });
      return unattended(promise); // a failure is reported by flush(), too
    }
    this.#append(addition);
    this.#added();
  }

  /** Calls `reached` when all that was appended so far is written, or cannot be; at once if it is. */
  afterwards(reached: () => void): void {
    const isIdle = this.#writing === undefined && this.#filling.length === 0;
    if (isIdle || this.#failed) return reached();
    this.#marks.push({ at: this.#appended + this.#filling.length, reached });
  }

  /** Writes everything there is. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined || this.#filling.length > 0) {
      if (this.#failed) break;
      this.#begin();
      await this.#writing;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#failed) throw this.#failure;
  }

  #hasRoom({ source, size }: Addition): boolean {
    const backlog = this.#filling.length + this.#written + this.#marks.length * MARK_SIZE;
    if (this.#waiting.length === 0 && backlog < MAX_BACKLOG - RESERVE) return true;
    const isSmall = size + (this.#shares.get(source) ?? 0) <= SMALL_SHARE;
    // What comes from one source stays in order.
    return isSmall && backlog < MAX_BACKLOG &&
      !this.#waiting.some(({ addition }) => addition.source === source);
  }

  #append({ source, append }: Addition): void {
    const before = this.#filling.length;
    append();
    const added = this.#filling.length - before;
    this.#shares.set(source, (this.#shares.get(source) ?? 0) + added);
  }

  /** Has what was appended written. */
  #added(): void {
    if (this.#writing !== undefined || this.#failed) return; // the write under way comes back here
    if (this.#filling.length >= FLUSH_SIZE) this.#begin();
    else this.#timer ??= setTimeout(() => this.#begin(), FLUSH_AFTER);
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writing !== undefined || this.#filling.length === 0) return;
    const batch = this.#filling;
    this.#filling = this.#spare;
    this.#spare = batch;
    this.#written = batch.length;
    this.#shares.clear();
    this.#appended += batch.length;
    this.#writing = this.#write(batch);
  }

  async #write(batch: OutputBuffer): Promise<void> {
    const end = this.#appended;
    try {
      await this.#sink(batch.bytes.subarray(0, batch.length));
    } catch (error) {
      this.#failed = true;
      this.#failure = error;
    }
    if (batch.bytes.length > MAX_KEPT) this.#spare = new OutputBuffer();
    else batch.clear();
    this.#writing = undefined;
    this.#written = 0;
    const count = this.#failed ? Infinity : this.#marks.findIndex(({ at }) => at > end);
    for (const { reached } of this.#marks.splice(0, count < 0 ? Infinity : count)) reached();
    this.#admit();
    if (this.#filling.length > 0) this.#added();
  }

  /** Appends what waits, in order, while there is room. */
  #admit(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      if (!this.#failed && !this.#hasRoom(one.addition)) {
        this.#waiting.push(one);
        continue;
      }
      try {
        if (this.#failed) throw this.#failure;
        this.#append(one.addition);
        one.resolve();
      } catch (error) {
        one.reject(error);
      }
    }
  }
}
