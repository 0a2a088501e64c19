/**
 * The readers of a response, one for each thing that may come next. See the table in the head of
 * `_response_decoder.ts`.
 *
 * @module
 */
import { delimited, FrameError, lines } from "../../framing/mod.ts";
import { bodyEnd, corrupt, type HttpPart, parseFields, parseHead } from "./head.ts";
import type { Finder, Input } from "./_input.ts";
import type { ResolvedLimits } from "./limits.ts";
import { fromLatin1, quote } from "./_text.ts";

const LF = 0x0a;
const CR = 0x0d;
const PREFIX = "HTTP/";
/** The ends of a head: an empty line, whichever way the server ends its lines. */
const HEAD_ENDS = ["\r\n\r\n", "\n\r\n", "\n\n"];
/** A size with more digits is beyond every file, and soon beyond what a number holds exactly. */
const MAX_SIZE_DIGITS = 13;
// deno-lint-ignore no-control-regex
const SIZE_LINE = /^0*([0-9a-f]+)[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?\r\n$/i;

/** What a reader has read. */
export interface Step {
  /** The part that was read, if it is one. */
  readonly part?: HttpPart | undefined;
  /** Reads what follows. */
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

/** How many bytes of a body have arrived, and how many may. */
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

  /** Reads a piece of at most `max` bytes; `null` if nothing has come. */
  read(input: Input, max: number, next: PartReader): Step | null {
    const bytes = input.take(max);
    if (bytes === null) return null;
    this.bytes += bytes.length;
    return { part: { type: "data", bytes }, next };
  }
}

/**
 * Reads heads.
 *
 * @param left The bytes that the head may have, after the interim heads before it.
 */
export function headReader(
  method: "GET" | "HEAD",
  limits: ResolvedLimits,
  left: number = limits.maxHeadSize,
): PartReader {
  const finder = delimited(HEAD_ENDS, { maxLength: Math.max(left, 1), keepEnd: true }).decoder();
  return {
    subject: "the head of the response",
    read(input) {
      checkPrefix(input);
      const bytes = input.find(finder);
      if (bytes === null) return null;
      const head = parseHead(bytes, limits.maxFields);
      if (head.status === 101) throw corrupt("it switches to another protocol");
      if (head.status < 200) {
        const next = headReader(method, limits, left - bytes.length);
        return { part: { type: "interim", head }, next };
      }
      const end = bodyEnd(head, method);
      const next = end === "close"
        ? closeReader(limits)
        : end === "last chunk"
        ? new ChunksReader(limits)
        : lengthReader(limits, end);
      return { part: { type: "head", head }, next };
    },
  };
}

/** Refuses at once what is not HTTP. */
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
function lengthReader(limits: ResolvedLimits, length: number): PartReader {
  const size = new BodySize(limits);
  return {
    subject: "the body",
    read(input) {
      if (size.bytes === length) return finish();
      if (size.bytes === 0) size.check(length);
      return size.read(input, length - size.bytes, this);
    },
    end() {
      throw cut(`${size.bytes} of ${length} bytes came`);
    },
  };
}

/** Reads a body that ends with the connection. */
function closeReader(limits: ResolvedLimits): PartReader {
  const size = new BodySize(limits);
  return {
    subject: "the body",
    read(input) {
      if (input.at === input.bytes.length) return null;
      size.check(1);
      return size.read(input, size.left, this);
    },
    end: () => finish(),
  };
}

/** Reads a body in chunks, each after its size (RFC 9112 section 7.1). */
class ChunksReader implements PartReader {
  subject: "the size of a chunk" | "the body" | "the end of a chunk" = "the size of a chunk";
  readonly #limits: ResolvedLimits;
  readonly #size: BodySize;
  readonly #finder: Finder;
  /** How many bytes the body has up to the end of the chunk. */
  #end = 0;

  constructor(limits: ResolvedLimits) {
    this.#limits = limits;
    this.#size = new BodySize(limits);
    this.#finder = lineFinder(limits.maxChunkLine);
  }

  read(input: Input): Step | null {
    if (this.subject === "the end of a chunk") {
      if (!this.#readLineEnd(input)) return null;
      this.subject = "the size of a chunk";
      input.accept();
    }
    if (this.subject === "the size of a chunk") {
      const size = this.#readPlainSize(input) ?? this.#readSize(input);
      if (size === null) return null;
      if (size === 0) return { next: trailersReader(this.#limits) };
      this.#end = this.#size.bytes + size;
      this.subject = "the body";
      input.accept();
    }
    const step = this.#size.read(input, this.#end - this.#size.bytes, this);
    if (this.#size.bytes === this.#end) this.subject = "the end of a chunk";
    return step;
  }

  /** The usual case, five times as fast: digits and their line end, all of them here. */
  #readPlainSize(input: Input): number | null {
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
    if (size > this.#size.left) return null;
    input.advance(at + 2 - input.at);
    return size;
  }

  #readSize(input: Input): number | null {
    const line = readLine(input, this.#finder);
    if (line === null) return null;
    const digits = SIZE_LINE.exec(line)?.[1];
    if (digits === undefined || digits.length > MAX_SIZE_DIGITS) {
      throw corrupt(`${quote(line)} is none`);
    }
    const size = parseInt(digits, 16);
    this.#size.check(size);
    return size;
  }

  #readLineEnd(input: Input): boolean {
    const { bytes, at } = input;
    if (input.seen === 0 && bytes[at] === CR && bytes[at + 1] === LF) {
      input.advance(2);
      return true;
    }
    const line = readLine(input, this.#finder);
    if (line !== null && line !== "\r\n") throw corrupt(`${quote(line)} stands where it should be`);
    return line !== null;
  }
}

/** Reads the fields after the last chunk. */
function trailersReader({ maxFields, maxHeadSize }: ResolvedLimits): PartReader {
  const finder = lineFinder(maxHeadSize);
  const fields: string[] = [];
  let left = maxHeadSize;
  return {
    subject: "the trailer section",
    read(input) {
      const line = readLine(input, finder);
      if (line === null) return null;
      if (!line.endsWith("\r\n")) throw corrupt(`${quote(line)} is no field`);
      if (line === "\r\n") return finish(new Headers(parseFields(fields, maxFields)));
      left -= line.length;
      if (left < 0 || fields.length >= maxFields) {
        throw new FrameError("too_long", "it is too large", { limit: maxHeadSize });
      }
      fields.push(line.slice(0, -2));
      return { next: this };
    },
  };
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
