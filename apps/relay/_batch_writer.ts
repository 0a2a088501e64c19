/**
 * Text that is written in batches: many events, one write.
 *
 * @module
 */
import { OutputBuffer } from "../../framing/output_buffer.ts";

/** Milliseconds that text waits for more text. */
const FLUSH_AFTER = 5;
/** Bytes that are worth a write at once. */
const FLUSH_SIZE = 256 * 1024;
/** Bytes that may wait while a write is under way; who has more to add waits. */
const MAX_BACKLOG = 4 * 1024 * 1024;

/** Writes all of the bytes. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

/** Collects text and writes it in order, never two writes at once. */
export class BatchWriter {
  readonly #sink: Sink;
  #filling = new OutputBuffer();
  #spare = new OutputBuffer();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;
  #appended = 0; // bytes that were handed to writes
  #marks: { at: number; reached: () => void }[] = [];
  #failed = false;
  #failure: unknown;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Where to append text; call {@linkcode added} afterwards. */
  get buffer(): OutputBuffer {
    return this.#filling;
  }

  /** Settles when there is room again; `undefined` while there is. */
  get full(): Promise<void> | undefined {
    if (this.#failed) return Promise.reject(this.#failure);
    return this.#filling.length < MAX_BACKLOG ? undefined : this.#writing;
  }

  /** Calls `reached` when all that was appended so far is written, or cannot be; at once if it is. */
  afterwards(reached: () => void): void {
    const isIdle = this.#writing === undefined && this.#filling.length === 0;
    if (isIdle || this.#failed) return reached();
    this.#marks.push({ at: this.#appended + this.#filling.length, reached });
  }

  /** Sees to it that what was appended is written. */
  added(): void {
    if (this.#writing !== undefined || this.#failed) return; // the write under way comes back here
    if (this.#filling.length >= FLUSH_SIZE) this.#begin();
    else this.#timer ??= setTimeout(() => this.#begin(), FLUSH_AFTER);
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

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writing !== undefined || this.#filling.length === 0) return;
    const batch = this.#filling;
    this.#filling = this.#spare;
    this.#spare = batch;
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
    batch.clear();
    this.#writing = undefined;
    const count = this.#failed ? Infinity : this.#marks.findIndex(({ at }) => at > end);
    for (const { reached } of this.#marks.splice(0, count < 0 ? Infinity : count)) reached();
    if (this.#filling.length >= FLUSH_SIZE) this.#begin();
    else if (this.#filling.length > 0) this.added();
  }
}
