/**
 * What reading calls want of the bytes that have arrived.
 *
 * @module
 */
import { checkCount } from "../common/options.ts";
import { END } from "../common/pull_iterator.ts";
import { bytesOf } from "./_bytes_of.ts";
import { linkError, tooLong, TRUNCATED } from "./_errors.ts";
import type { Link } from "./_link.ts";
import type { Chunk, ReadBuffer } from "./_read_buffer.ts";
import type { ReadUntilOptions } from "./read_options.ts";

const CR = 0x0d;
const LF = 0x0a;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What was wanted is not there yet, and nothing was taken. */
export const MORE: unique symbol = Symbol("more");

/** What one call wants. */
export interface Want<T> {
  /** Whether it is one message, which must be complete within `timeouts.frame`. */
  readonly isMessage?: boolean | undefined;
  /**
   * Takes it from the buffer.
   *
   * @param isEnd Whether nothing will follow what the buffer holds.
   * @param n How many bytes a read of the socket has just brought; `null` for none.
   */
  take(buffer: ReadBuffer, isEnd: boolean, n: number | null): T | typeof MORE;
  /** Where the socket puts the bytes; unless specified, room in the buffer. */
  room?(buffer: ReadBuffer): Uint8Array;
}

/** The next bytes as they come, owned by the caller. */
export const CHUNK: Want<Chunk | null> = {
  take: (buffer, isEnd) => buffer.length > 0 ? buffer.take(buffer.length) : isEnd ? null : MORE,
};

/** The same in memory that holds nothing else. */
export const CHUNK_ALONE: Want<Chunk | null> = {
  take: (buffer, isEnd) => buffer.length > 0 ? buffer.takeAlone() : isEnd ? null : MORE,
};

/** The same for a loop. */
export const NEXT_CHUNK: Want<IteratorResult<Chunk>> = {
  take(buffer, isEnd) {
    if (buffer.length > 0) return { done: false, value: buffer.take(buffer.length) };
    return isEnd ? END : MORE;
  },
};

/** The next bytes in the caller's memory; how many. */
export class Into implements Want<number | null> {
  readonly #target: Uint8Array;
  readonly #isDirect: boolean;

  /** @param isDirect Whether the socket may write to the memory: not for a call that may give up. */
  constructor(target: Uint8Array, isDirect: boolean) {
    this.#target = target;
    this.#isDirect = isDirect;
  }

  room(buffer: ReadBuffer): Uint8Array {
    return this.#isDirect ? this.#target : buffer.room(0);
  }

  take(buffer: ReadBuffer, isEnd: boolean, n: number | null): number | null | typeof MORE {
    if (buffer.length > 0) return buffer.copyTo(this.#target);
    return n ?? (isEnd ? null : MORE); // bytes that came and are not in the buffer are in the memory
  }
}

/** So many bytes. */
export class Exactly implements Want<Chunk | null> {
  readonly isMessage = true;
  readonly #link: Link;
  readonly #length: number;

  constructor(link: Link, length: number) {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(`Cannot read exactly ${length} bytes: expected a whole number from 0`);
    }
    this.#link = link;
    this.#length = length;
  }

  take(buffer: ReadBuffer, isEnd: boolean): Chunk | null | typeof MORE {
    if (buffer.length >= this.#length) return buffer.take(this.#length);
    if (!isEnd) return MORE;
    if (buffer.length === 0) return null;
    throw endedBefore(this.#link, buffer, `${this.#length} bytes`);
  }

  room(buffer: ReadBuffer): Uint8Array {
    return buffer.room(this.#length - buffer.length);
  }
}

/** A message that ends with a delimiter: how long it is. */
class Delimited {
  readonly #link: Link;
  readonly #delimiter: Uint8Array;
  readonly #maxLength: number;
  readonly #isLine: boolean;
  #searched = 0; // bytes without the beginning of a delimiter

  /**
   * @param isLine Whether a CR before the delimiter belongs to it, and what stands before the end of
   * the stream is a message, too.
   */
  constructor(
    link: Link,
    delimiter: Uint8Array,
    { maxLength = 65_536 }: ReadUntilOptions = {},
    isLine = false,
  ) {
    this.#link = link;
    this.#delimiter = delimiter;
    this.#maxLength = checkCount("maxLength", maxLength);
    this.#isLine = isLine;
  }

  /** Its length with the delimiter; `null` if the stream has ended before it. */
  measure(buffer: ReadBuffer, isEnd: boolean): number | null | typeof MORE {
    const { length } = this.#delimiter;
    const found = buffer.indexOf(this.#delimiter, this.#searched);
    const end = found < 0 ? Math.max(0, buffer.length - length + 1) : found;
    this.#searched = end;
    const isCrDelimiter = this.#isLine && (found >= 0 || !isEnd) && buffer.at(end - 1) === CR;
    if (end > this.#maxLength + (isCrDelimiter ? 1 : 0)) throw tooLong(this.#link, this.#maxLength);
    if (found >= 0) return found + length;
    if (!isEnd) return MORE;
    if (buffer.length === 0) return null;
    if (this.#isLine) return buffer.length;
    throw endedBefore(this.#link, buffer, "the delimiter");
  }
}

/** Everything up to and with a delimiter. */
export class Until implements Want<Chunk | null> {
  readonly isMessage = true;
  readonly #delimited: Delimited;

  constructor(link: Link, delimiter: Uint8Array | string, options: ReadUntilOptions | undefined) {
    const bytes = bytesOf("read until delimiter", delimiter);
    if (bytes.length === 0) throw new TypeError("Cannot read until an empty delimiter");
    this.#delimited = new Delimited(link, bytes, options);
  }

  take(buffer: ReadBuffer, isEnd: boolean): Chunk | null | typeof MORE {
    const length = this.#delimited.measure(buffer, isEnd);
    return typeof length === "number" ? buffer.take(length) : length;
  }
}

const NEWLINE = new Uint8Array([LF]);

/** One line of text, without its end. */
export class Line implements Want<string | null> {
  readonly isMessage = true;
  readonly #delimited: Delimited;

  constructor(link: Link, options: ReadUntilOptions | undefined) {
    this.#delimited = new Delimited(link, NEWLINE, options, true);
  }

  take(buffer: ReadBuffer, isEnd: boolean): string | null | typeof MORE {
    const length = this.#delimited.measure(buffer, isEnd);
    if (typeof length !== "number") return length;
    const bytes = buffer.takeShown(length);
    if (bytes[length - 1] !== LF) return decoder.decode(bytes);
    return decoder.decode(bytes.subarray(0, bytes[length - 2] === CR ? -2 : -1));
  }
}

function endedBefore(link: Link, { length }: ReadBuffer, what: string): Error {
  const reason = `the stream ended after ${length} bytes, before ${what}`;
  return linkError(link, "read", TRUNCATED, reason);
}
