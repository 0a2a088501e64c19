/**
 * The decoder of a response. It hands what arrives to the reader of what comes next:
 *
 * | reader | takes | gives | and then reads |
 * |---|---|---|---|
 * | `headReader` | status line and fields | `interim` (1xx) | another head |
 * | | | `head` | a body; which one, its fields say |
 * | `lengthReader` | as many bytes as were announced | `data` … | |
 * | | nothing, when all came | `end` | nothing more |
 * | `closeReader` | all bytes | `data` … | |
 * | | the end of the input | `end` | nothing more |
 * | `ChunksReader` | the size of a chunk, its bytes, its line end | `data` … | |
 * | | the size 0 | | trailers |
 * | `trailersReader` | fields, an empty line | `end` | nothing more |
 * | `DONE` | nothing: bytes are an error | | |
 *
 * @module
 */
import { type Decoder, type DecoderProgress, type Emit, FrameError } from "../../framing/mod.ts";
import type { HttpPart } from "./head.ts";
import { Input } from "./_input.ts";
import type { ResolvedLimits } from "./limits.ts";
import { cut, headReader, type PartReader, type Step } from "./_readers.ts";

/** Decodes one response. */
export class ResponseDecoder implements Decoder<HttpPart> {
  readonly #input = new Input();
  #reader: PartReader;
  /** What the decoder takes: nothing while it emits, no bytes after the end. */
  #state: "open" | "emitting" | "ended" = "open";
  #failure: FrameError | undefined;

  constructor(method: "GET" | "HEAD", limits: ResolvedLimits) {
    this.#reader = headReader(method, limits);
  }

  get progress(): DecoderProgress {
    return this.#input;
  }

  push(chunk: Uint8Array, emit: Emit<HttpPart>): void {
    this.#enter();
    if (this.#state === "ended") throw new TypeError("Cannot push after the end of the input");
    this.#input.add(chunk);
    try {
      this.#run(emit);
    } finally {
      this.#input.own();
    }
  }

  end(emit: Emit<HttpPart>): void {
    this.#enter();
    this.#state = "ended";
    if (!this.#run(emit)) return; // what was left after a stop
    const last = this.#read((reader) => {
      if (reader.end !== undefined) return reader.end();
      throw cut(`${this.#input.position + this.#input.seen} bytes came in all`);
    });
    if (last !== null) this.#deliver(last, emit);
  }

  takeRemaining(): Uint8Array {
    return this.#input.takeRemaining();
  }

  #enter(): void {
    if (this.#state === "emitting") throw new TypeError("Cannot use a decoder from inside emit");
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Reads all that there is; `false` if `emit` stopped it. */
  #run(emit: Emit<HttpPart>): boolean {
    while (true) {
      const step = this.#read(readNext);
      if (step === null) return true;
      if (this.#deliver(step, emit) === false) return false;
    }
  }

  #deliver({ next, part }: Step, emit: Emit<HttpPart>): void | boolean {
    this.#reader = next;
    this.#input.accept();
    if (part === undefined) return;
    const state = this.#state;
    this.#state = "emitting";
    try {
      return emit(part);
    } finally {
      this.#state = state;
    }
  }

  /** Reads. An error names what was being read, and is kept: nothing more can be read after it. */
  #read(read: (reader: PartReader, input: Input) => Step | null): Step | null {
    try {
      return read(this.#reader, this.#input);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      const { code, length, limit, cause } = error;
      // The codec that searches for the end of a head or a line has another message.
      const reason = error.message.startsWith("Cannot ")
        ? `it is longer than the limit of ${limit} bytes`
        : error.message;
      const message = `Cannot read ${this.#reader.subject}: ${reason}`;
      const offset = this.#input.position;
      throw this.#failure = new FrameError(code, message, { length, limit, offset, cause });
    }
  }
}

function readNext(reader: PartReader, input: Input): Step | null {
  return reader.read(input);
}
