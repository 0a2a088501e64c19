/**
 * The decoder of a response: finds the head, and the end of the body, in bytes that are cut anywhere.
 *
 * @module
 */
import { FrameError } from "../../errors.ts";
import type { Decoder, DecoderProgress, Emit } from "../../framing/codec.ts";
import { delimited } from "../../framing/delimited.ts";
import { lines } from "../../framing/lines.ts";
import { bodyFraming, corrupt, type HttpPart, parseFields, parseHead } from "./head.ts";
import type { HttpLimits } from "./limits.ts";
import { fromLatin1, quote } from "./_text.ts";

const EMPTY = new Uint8Array(0);
const LF = 0x0a;
const CR = 0x0d;
const PREFIX = "HTTP/";
/** The ends of a head: an empty line, whichever way the server ends its lines. */
const HEAD_ENDS = ["\r\n\r\n", "\n\r\n", "\n\n"];
/** A size of so many digits is beyond every file; more would be beyond what a number holds exactly. */
const MAX_SIZE_DIGITS = 13;

/** What is expected next. */
type State = "head" | "length" | "close" | "size" | "chunk" | "chunk end" | "trailers" | "done";

/** What was being read, for messages. */
const SUBJECTS: Readonly<Record<State, string>> = {
  "head": "the head of the response",
  "length": "the body",
  "close": "the body",
  "size": "the size of a chunk",
  "chunk": "the body",
  "chunk end": "the end of a chunk",
  "trailers": "the trailer section",
  "done": "the response",
};

/** Decodes one response. */
export class ResponseDecoder implements Decoder<HttpPart>, DecoderProgress {
  readonly #method: "GET" | "HEAD";
  readonly #limits: Required<HttpLimits>;
  #state: State = "head";
  #headLeft: number; // bytes that heads, or the trailer section, may still have
  #left = 0; // bytes of the body, or of the chunk, that are to come
  #size = 0; // bytes of the body so far
  #parts: Required<Decoder<Uint8Array>>; // finds the end of the head or line that has begun
  #trailerLines: string[] = [];

  #bytes: Uint8Array = EMPTY; // what push was given, or what it left over
  #at = 0; // the first of them that was not looked at
  #seen = 0; // bytes that were looked at, since the first
  #element: Uint8Array = EMPTY; // the head or line that was found and is being understood
  #emitting = false;
  #stopped = false;
  #ended = false;
  #failure: FrameError | undefined;
  #thrown: unknown; // by emit
  frameStart = 0;
  position = 0; // where the head, line or piece of the body begins

  constructor(method: "GET" | "HEAD", limits: Required<HttpLimits>) {
    this.#method = method;
    this.#limits = limits;
    this.#headLeft = limits.maxHeadSize;
    this.#parts = this.#headFinder();
  }

  get progress(): DecoderProgress {
    return this;
  }

  get partial(): boolean {
    return this.#seen > this.position || this.#at < this.#bytes.length;
  }

  push(chunk: Uint8Array, emit: Emit<HttpPart>): void {
    this.#enter();
    if (this.#ended) throw new TypeError("Cannot push after the end of the input");
    this.#bytes = join(this.#bytes, chunk);
    try {
      this.#run(emit);
    } catch (error) {
      throw this.#explain(error);
    } finally {
      this.#bytes = this.#at < this.#bytes.length ? this.#bytes.slice(this.#at) : EMPTY;
      this.#at = 0;
    }
  }

  end(emit: Emit<HttpPart>): void {
    this.#enter();
    this.#ended = true;
    try {
      this.#run(emit); // what a stop has left over
      if (this.#stopped || this.#state === "done") return;
      if (this.#state !== "close") throw this.#cut();
      this.#finish(new Headers(), emit);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  takeRemaining(): Uint8Array {
    const begun = join(this.#element, this.#parts.takeRemaining());
    const remaining = join(begun, this.#bytes).slice();
    this.position = this.#seen += this.#bytes.length;
    this.#element = this.#bytes = EMPTY;
    return remaining;
  }

  #enter(): void {
    if (this.#emitting) throw new TypeError("Cannot use a decoder from inside emit");
    if (this.#failure !== undefined) throw this.#failure;
    this.#stopped = false;
  }

  /** Goes on until there is no more to be had from the bytes, or `emit` has had enough. */
  #run(emit: Emit<HttpPart>): void {
    while (!this.#stopped && this.#step(emit));
  }

  /** Reads one element; `false` if it is not all there yet. */
  #step(emit: Emit<HttpPart>): boolean {
    switch (this.#state) {
      case "head":
        return this.#readHead(emit);
      case "length":
        if (this.#left > 0) return this.#readData(emit);
        return this.#finish(new Headers(), emit);
      case "close":
        if (this.#at === this.#bytes.length) return false;
        this.#checkSize(1);
        this.#left = this.#limits.maxBodySize - this.#size;
        return this.#readData(emit);
      case "size":
        return this.#readPlainSize() || this.#readSize();
      case "chunk":
        if (this.#left > 0) return this.#readData(emit);
        this.#state = "chunk end";
        return true;
      case "chunk end": {
        if (this.#skipLineEnd()) return true;
        const line = this.#readLine();
        if (line === null) return false;
        if (line !== "\r\n") throw corrupt(`${quote(line)} stands where it should be`);
        this.#accept();
        this.#state = "size";
        return true;
      }
      case "trailers":
        return this.#readTrailers(emit);
      case "done":
        if (this.#at < this.#bytes.length) throw corrupt("bytes follow behind its end");
        return false;
    }
  }

  #readHead(emit: Emit<HttpPart>): boolean {
    this.#checkPrefix();
    const rest = this.#bytes.subarray(this.#at);
    let bytes: Uint8Array | undefined;
    this.#advance(rest.length);
    this.#parts.push(rest, (found) => {
      bytes = found;
      return false;
    });
    if (bytes === undefined) return false;
    this.#advance(-this.#parts.takeRemaining().length);
    this.#element = bytes;
    const head = parseHead(bytes, this.#limits.maxFields);
    if (head.status >= 100 && head.status < 200) {
      if (head.status === 101) throw corrupt("it switches to another protocol");
      this.#headLeft -= bytes.length;
      this.#parts = this.#headFinder();
      this.#emit({ type: "interim", head }, emit);
      return true;
    }
    const framing = bodyFraming(head, this.#method);
    if (framing.by === "length") this.#left = framing.length;
    this.#state = framing.by === "chunks" ? "size" : framing.by;
    this.#parts = lineFinder(this.#limits.maxChunkLine);
    this.#emit({ type: "head", head }, emit);
    return true;
  }

  /** What is no HTTP at all need not be read to its end. */
  #checkPrefix(): void {
    const seen = this.#seen - this.position;
    for (let index = seen; index < PREFIX.length; index++) {
      const byte = this.#bytes[this.#at + index - seen];
      if (byte === undefined) return;
      if (byte !== PREFIX.charCodeAt(index)) {
        const begun = PREFIX.slice(0, seen) + fromLatin1(this.#bytes.subarray(this.#at));
        throw corrupt(`it begins with ${quote(begun.slice(0, 16))} instead of ${quote(PREFIX)}`);
      }
    }
  }

  #readData(emit: Emit<HttpPart>): boolean {
    if (this.#state === "length" && this.#size === 0) this.#checkSize(this.#left);
    const length = Math.min(this.#left, this.#bytes.length - this.#at);
    if (length === 0) return false;
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#left -= length;
    this.#size += length;
    this.#advance(length);
    this.#emit({ type: "data", bytes }, emit);
    return true;
  }

  /** The usual case, five times as fast: digits and their line end, all of them here. */
  #readPlainSize(): boolean {
    if (this.#seen !== this.position) return false; // the line has begun before
    const bytes = this.#bytes;
    let at = this.#at;
    let size = 0;
    for (const last = at + MAX_SIZE_DIGITS; at < last; at++) {
      const digit = hexDigit(bytes[at]);
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    const isPlain = at > this.#at && bytes[at] === CR && bytes[at + 1] === LF;
    if (!isPlain || at - this.#at + 2 > this.#limits.maxChunkLine) return false;
    if (size === 0 || this.#size + size > this.#limits.maxBodySize) return false;
    this.#advance(at + 2 - this.#at);
    this.#accept();
    this.#left = size;
    this.#state = "chunk";
    return true;
  }

  #skipLineEnd(): boolean {
    const isPlain = this.#seen === this.position && this.#bytes[this.#at] === CR &&
      this.#bytes[this.#at + 1] === LF;
    if (!isPlain) return false;
    this.#advance(2);
    this.#accept();
    this.#state = "size";
    return true;
  }

  #readSize(): boolean {
    const line = this.#readLine();
    if (line === null) return false;
    // deno-lint-ignore no-control-regex
    const digits = /^0*([0-9a-f]+)[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?\r\n$/i.exec(line)?.[1];
    if (digits === undefined || digits.length > MAX_SIZE_DIGITS) {
      throw corrupt(`${quote(line)} is none`);
    }
    this.#left = parseInt(digits, 16);
    this.#checkSize(this.#left);
    this.#accept();
    this.#state = "chunk";
    if (this.#left > 0) return true;
    this.#state = "trailers";
    this.#headLeft = this.#limits.maxHeadSize;
    this.#parts = lineFinder(this.#headLeft);
    return true;
  }

  #readTrailers(emit: Emit<HttpPart>): boolean {
    const line = this.#readLine();
    if (line === null) return false;
    if (!line.endsWith("\r\n")) throw corrupt(`${quote(line)} is no field`);
    if (line === "\r\n") {
      const fields = parseFields(this.#trailerLines, this.#limits.maxFields);
      return this.#finish(new Headers(fields), emit);
    }
    this.#headLeft -= line.length;
    if (this.#headLeft < 0 || this.#trailerLines.length >= this.#limits.maxFields) {
      throw new FrameError("too_long", "it is too large", { limit: this.#limits.maxHeadSize });
    }
    this.#accept();
    this.#trailerLines.push(line.slice(0, -2));
    return true;
  }

  /** The next line with its end; `null` if it is not all there yet. */
  #readLine(): string | null {
    const end = this.#bytes.indexOf(LF, this.#at) + 1;
    const bytes = this.#bytes.subarray(this.#at, end === 0 ? undefined : end);
    let line: string | null = null;
    this.#advance(bytes.length);
    this.#parts.push(bytes, (found) => {
      this.#element = found;
      line = fromLatin1(found);
    });
    return line;
  }

  /** Is done with the element that was found. */
  #accept(): void {
    this.#element = EMPTY;
    this.position = this.#seen;
  }

  #finish(trailers: Headers, emit: Emit<HttpPart>): boolean {
    this.#state = "done";
    this.#emit({ type: "end", trailers }, emit);
    return true;
  }

  #emit(part: HttpPart, emit: Emit<HttpPart>): void {
    this.frameStart = this.position;
    this.#accept();
    this.#emitting = true;
    try {
      if (emit(part) === false) this.#stopped = true;
    } catch (error) {
      this.#thrown = error;
      throw error;
    } finally {
      this.#emitting = false;
    }
  }

  #advance(length: number): void {
    this.#at += length;
    this.#seen += length;
  }

  #checkSize(more: number): void {
    const limit = this.#limits.maxBodySize;
    const length = this.#size + more;
    if (length <= limit) return;
    const message = `it has at least ${length} bytes, the limit is ${limit}`;
    throw new FrameError("too_long", message, { length, limit });
  }

  #headFinder(): Required<Decoder<Uint8Array>> {
    const maxLength = limitOf(this.#headLeft);
    return delimited(HEAD_ENDS, { maxLength, keepEnd: true }).decoder();
  }

  #cut(): FrameError {
    const came = this.#state === "length"
      ? `${this.#size} of ${this.#size + this.#left} bytes came`
      : `${this.#seen} bytes came in all`;
    return new FrameError("truncated", `the connection ended early, ${came}`);
  }

  /** Says what was being read, and remembers that nothing more can be. */
  #explain(error: unknown): unknown {
    if (!(error instanceof FrameError) || error === this.#thrown) return error;
    const { code, length, limit, cause } = error;
    // The framing below has words of its own.
    const reason = error.message.startsWith("Cannot ")
      ? `it is longer than the limit of ${limit} bytes`
      : error.message;
    const message = `Cannot read ${SUBJECTS[this.#state]}: ${reason}`;
    this.#element = this.#element.slice(); // it is borrowed
    this.#failure = new FrameError(code, message, { length, limit, offset: this.position, cause });
    return this.#failure;
  }
}

/** The value of a hexadecimal digit, -1 for any other byte. */
function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function lineFinder(maxLength: number): Required<Decoder<Uint8Array>> {
  return lines({ maxLength: limitOf(maxLength), keepEnd: true }).decoder();
}

/** A limit as codecs take it. */
function limitOf(length: number): number {
  return Math.min(Math.max(length, 1), Number.MAX_SAFE_INTEGER);
}

/** Both, one behind the other; nothing is copied where one is empty. */
function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
