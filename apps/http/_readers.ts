/**
 * The readers of a response, one for each thing that may come next. See the table in the head of
 * `_response_decoder.ts`.
 *
 * @module
 */
import { delimited, FrameError, lines } from "../../framing/mod.ts";
import { bodyFraming, corrupt, type HttpPart, parseFields, parseHead } from "./head.ts";
import type { Finder, Input } from "./_input.ts";
import type { ResolvedLimits } from "./limits.ts";
import { fromLatin1, quote } from "./_text.ts";

const LF = 0x0a;
const CR = 0x0d;
const PREFIX = "HTTP/";
/** The ends of a head: an empty line, whichever way the server ends its lines. */
const HEAD_ENDS = ["\r\n\r\n", "\n\r\n", "\n\n"];
/** A size of so many digits is beyond every file; more would be beyond what a number holds exactly. */
const MAX_SIZE_DIGITS = 13;
// deno-lint-ignore no-control-regex
const SIZE_LINE = /^0*([0-9a-f]+)[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?\r\n$/i;

/** What a reader has read. */
export interface Step {
  /** What is given out, if anything is. */
  readonly part?: HttpPart | undefined;
  /** Reads on. */
  readonly next: PartReader;
}

/** Reads what comes next. */
export interface PartReader {
  /** What is being read, for messages. */
  readonly subject: string;
  /** Reads one element; `null` if it is not all there yet. */
  read(input: Input): Step | null;
  /**
   * Reads the end of the input; without this, it comes too early.
   *
   * @throws {FrameError} `truncated`, if it comes too early and more is known about it.
   */
  end?(): Step | null;
}

/** The limits of a response, and how many bytes of its body came. */
class BodySize {
  bytes = 0;
  readonly #limit: number;

  constructor({ maxBodySize }: ResolvedLimits) {
    this.#limit = maxBodySize;
  }

  /** How many bytes may still come. */
  get left(): number {
    return this.#limit - this.bytes;
  }

  /** Checks that `more` bytes may still come. */
  check(more: number): void {
    if (more <= this.left) return;
    const length = this.bytes + more;
    const limit = this.#limit;
    const message = `it has at least ${length} bytes, the limit is ${limit}`;
    throw new FrameError("too_long", message, { length, limit });
  }
}

/** Reads heads. */
export class HeadReader implements PartReader {
  readonly subject = "the head of the response";
  readonly #method: "GET" | "HEAD";
  readonly #limits: ResolvedLimits;
  readonly #left: number; // bytes that it may still have, after the heads before it
  readonly #finder: Finder;

  constructor(method: "GET" | "HEAD", limits: ResolvedLimits, left = limits.maxHeadSize) {
    this.#method = method;
    this.#limits = limits;
    this.#left = left;
    this.#finder = delimited(HEAD_ENDS, { maxLength: Math.max(left, 1), keepEnd: true }).decoder();
  }

  read(input: Input): Step | null {
    checkPrefix(input);
    const bytes = input.find(this.#finder);
    if (bytes === null) return null;
    const head = parseHead(bytes, this.#limits.maxFields);
    if (head.status === 101) throw corrupt("it switches to another protocol");
    if (head.status < 200) {
      const next = new HeadReader(this.#method, this.#limits, this.#left - bytes.length);
      return { part: { type: "interim", head }, next };
    }
    const framing = bodyFraming(head, this.#method);
    const next = framing.by === "length"
      ? new LengthReader(this.#limits, framing.length)
      : framing.by === "chunks"
      ? new ChunksReader(this.#limits)
      : new CloseReader(this.#limits);
    return { part: { type: "head", head }, next };
  }
}

/** What is no HTTP at all need not be read to its end. */
function checkPrefix({ seen, bytes, at }: Input): void {
  for (let index = seen; index < PREFIX.length; index++) {
    const byte = bytes[at + index - seen];
    if (byte === undefined) return;
    if (byte !== PREFIX.charCodeAt(index)) {
      const begun = PREFIX.slice(0, seen) + fromLatin1(bytes.subarray(at));
      throw corrupt(`it begins with ${quote(begun.slice(0, 16))} instead of ${quote(PREFIX)}`);
    }
  }
}

/** Reads a body whose length is known. */
class LengthReader implements PartReader {
  readonly subject = "the body";
  readonly #size: BodySize;
  #left: number;

  constructor(limits: ResolvedLimits, length: number) {
    this.#size = new BodySize(limits);
    this.#left = length;
  }

  read(input: Input): Step | null {
    if (this.#left === 0) return finish();
    if (this.#size.bytes === 0) this.#size.check(this.#left);
    const bytes = input.take(this.#left);
    if (bytes === null) return null;
    this.#left -= bytes.length;
    this.#size.bytes += bytes.length;
    return { part: { type: "data", bytes }, next: this };
  }

  end(): never {
    const came = this.#size.bytes;
    throw cut(`${came} of ${came + this.#left} bytes came`);
  }
}

/** Reads a body that ends with the connection. */
class CloseReader implements PartReader {
  readonly subject = "the body";
  readonly #size: BodySize;

  constructor(limits: ResolvedLimits) {
    this.#size = new BodySize(limits);
  }

  read(input: Input): Step | null {
    if (input.at === input.bytes.length) return null;
    this.#size.check(1);
    const bytes = input.take(this.#size.left);
    if (bytes === null) return null;
    this.#size.bytes += bytes.length;
    return { part: { type: "data", bytes }, next: this };
  }

  end(): Step {
    return finish();
  }
}

/** Reads a body in chunks, each after its size (RFC 9112 section 7.1). */
class ChunksReader implements PartReader {
  readonly #limits: ResolvedLimits;
  readonly #size: BodySize;
  readonly #finder: Finder;
  #expects: "size" | "data" | "line end" = "size";
  #left = 0; // bytes of the chunk that are to come

  constructor(limits: ResolvedLimits) {
    this.#limits = limits;
    this.#size = new BodySize(limits);
    this.#finder = lineFinder(limits.maxChunkLine);
  }

  get subject(): string {
    return this.#expects === "size"
      ? "the size of a chunk"
      : this.#expects === "data"
      ? "the body"
      : "the end of a chunk";
  }

  read(input: Input): Step | null {
    switch (this.#expects) {
      case "size":
        return this.#readPlainSize(input) ?? this.#readSize(input);
      case "data":
        return this.#readData(input);
      case "line end":
        return this.#readLineEnd(input);
    }
  }

  /** The usual case, five times as fast: digits and their line end, all of them here. */
  #readPlainSize(input: Input): Step | null {
    if (input.seen > 0) return null; // the line has begun before
    const { bytes } = input;
    let at = input.at;
    let size = 0;
    for (const last = at + MAX_SIZE_DIGITS; at < last; at++) {
      const digit = hexDigit(bytes[at]);
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    const isPlain = at > input.at && bytes[at] === CR && bytes[at + 1] === LF;
    if (!isPlain || at - input.at + 2 > this.#limits.maxChunkLine) return null;
    if (size === 0 || size > this.#size.left) return null;
    input.advance(at + 2 - input.at);
    return this.#begin(size);
  }

  #readSize(input: Input): Step | null {
    const line = readLine(input, this.#finder);
    if (line === null) return null;
    const digits = SIZE_LINE.exec(line)?.[1];
    if (digits === undefined || digits.length > MAX_SIZE_DIGITS) {
      throw corrupt(`${quote(line)} is none`);
    }
    const size = parseInt(digits, 16);
    this.#size.check(size);
    return size > 0 ? this.#begin(size) : { next: new TrailersReader(this.#limits) };
  }

  #begin(size: number): Step {
    this.#left = size;
    this.#expects = "data";
    return { next: this };
  }

  #readData(input: Input): Step | null {
    const bytes = input.take(this.#left);
    if (bytes === null) return null;
    this.#left -= bytes.length;
    this.#size.bytes += bytes.length;
    if (this.#left === 0) this.#expects = "line end";
    return { part: { type: "data", bytes }, next: this };
  }

  #readLineEnd(input: Input): Step | null {
    const { bytes, at } = input;
    if (input.seen === 0 && bytes[at] === CR && bytes[at + 1] === LF) {
      input.advance(2);
    } else {
      const line = readLine(input, this.#finder);
      if (line === null) return null;
      if (line !== "\r\n") throw corrupt(`${quote(line)} stands where it should be`);
    }
    this.#expects = "size";
    return { next: this };
  }
}

/** Reads the fields after the last chunk. */
class TrailersReader implements PartReader {
  readonly subject = "the trailer section";
  readonly #limits: ResolvedLimits;
  readonly #finder: Finder;
  readonly #lines: string[] = [];
  #left: number; // bytes that the section may still have

  constructor(limits: ResolvedLimits) {
    this.#limits = limits;
    this.#left = limits.maxHeadSize;
    this.#finder = lineFinder(limits.maxHeadSize);
  }

  read(input: Input): Step | null {
    const line = readLine(input, this.#finder);
    if (line === null) return null;
    if (!line.endsWith("\r\n")) throw corrupt(`${quote(line)} is no field`);
    const { maxFields, maxHeadSize } = this.#limits;
    if (line === "\r\n") return finish(new Headers(parseFields(this.#lines, maxFields)));
    this.#left -= line.length;
    if (this.#left < 0 || this.#lines.length >= maxFields) {
      throw new FrameError("too_long", "it is too large", { limit: maxHeadSize });
    }
    this.#lines.push(line.slice(0, -2));
    return { next: this };
  }
}

/** Nothing may follow. */
const DONE: PartReader = {
  subject: "the response",
  read(input) {
    if (input.at < input.bytes.length) throw corrupt("bytes follow after its end");
    return null;
  },
  end: () => null,
};

function finish(trailers = new Headers()): Step {
  return { part: { type: "end", trailers }, next: DONE };
}

function readLine(input: Input, finder: Finder): string | null {
  const line = input.find(finder);
  return line === null ? null : fromLatin1(line);
}

function lineFinder(maxLength: number): Finder {
  return lines({ maxLength: Math.max(maxLength, 1), keepEnd: true }).decoder();
}

/** The error of an input that ends too early. */
export function cut(came: string): FrameError {
  return new FrameError("truncated", `the connection ended early, ${came}`);
}

/** The value of a hexadecimal digit, -1 for any other byte. */
function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
