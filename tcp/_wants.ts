/**
 * What reading calls want of the bytes that have arrived.
 *
 * @module
 */
import type { Link } from "./_link.ts";
import type { Chunk, ReadBuffer } from "./_read_buffer.ts";
import { endedBefore, tooLong } from "./_read_errors.ts";
import { END } from "../common/pull_iterator.ts";

const CR = 0x0d;
const LF = 0x0a;
const NEWLINE = new Uint8Array([LF]);
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What one call wants. */
export interface Want<T> {
  /** Whether it is one message, which must be complete within `timeouts.frame`. */
  readonly isMessage: boolean;
  /**
   * Takes it from the buffer.
   *
   * @param isEnd Whether nothing will follow what the buffer holds.
   * @returns What was wanted; `undefined` if it is not there yet: then nothing was taken.
   */
  take(buffer: ReadBuffer, isEnd: boolean): T | undefined;
  /** How many bytes are missing at least, if that is known. */
  missing?(buffer: ReadBuffer): number;
}

/** The next bytes as they come, owned by the caller. */
export const CHUNK: Want<Chunk | null> = {
  isMessage: false,
  take: (buffer, isEnd) =>
    buffer.length > 0 ? buffer.take(buffer.length) : isEnd ? null : undefined,
};

/** The same in memory that holds nothing else. */
export const CHUNK_ALONE: Want<Chunk | null> = {
  isMessage: false,
  take: (buffer, isEnd) => buffer.length > 0 ? buffer.takeAlone() : isEnd ? null : undefined,
};

/** The same for a loop. */
export const NEXT_CHUNK: Want<IteratorResult<Chunk>> = {
  isMessage: false,
  take(buffer, isEnd) {
    if (buffer.length > 0) return { done: false, value: buffer.take(buffer.length) };
    return isEnd ? END : undefined;
  },
};

/** The next bytes in the caller's memory; how many. */
export class Into implements Want<number | null> {
  readonly isMessage = false;
  readonly #target: Uint8Array;

  constructor(target: Uint8Array) {
    this.#target = target;
  }

  take(buffer: ReadBuffer, isEnd: boolean): number | null | undefined {
    return buffer.length > 0 ? buffer.copyTo(this.#target) : isEnd ? null : undefined;
  }
}

/** So many bytes. */
export class Exactly implements Want<Chunk | null> {
  readonly isMessage = true;
  readonly #link: Link;
  readonly #length: number;

  constructor(link: Link, length: number) {
    this.#link = link;
    this.#length = length;
  }

  take(buffer: ReadBuffer, isEnd: boolean): Chunk | null | undefined {
    if (buffer.length >= this.#length) return buffer.take(this.#length);
    if (!isEnd) return undefined;
    if (buffer.length === 0) return null;
    throw endedBefore(this.#link, buffer.length, `${this.#length} bytes`);
  }

  missing(buffer: ReadBuffer): number {
    return this.#length - buffer.length;
  }
}

/** Everything up to and with a delimiter. */
export class Until implements Want<Chunk | null> {
  readonly isMessage = true;
  readonly #link: Link;
  readonly #delimiter: Uint8Array;
  readonly #maxLength: number;
  #searched = 0; // bytes without the beginning of a delimiter

  constructor(link: Link, delimiter: Uint8Array, maxLength: number) {
    this.#link = link;
    this.#delimiter = delimiter;
    this.#maxLength = maxLength;
  }

  take(buffer: ReadBuffer, isEnd: boolean): Chunk | null | undefined {
    const { length } = this.#delimiter;
    const found = buffer.indexOf(this.#delimiter, this.#searched);
    this.#searched = found < 0 ? Math.max(0, buffer.length - length + 1) : found;
    if (this.#searched > this.#maxLength) throw tooLong(this.#link, this.#maxLength);
    if (found >= 0) return buffer.take(found + length);
    if (!isEnd) return undefined;
    if (buffer.length === 0) return null;
    throw endedBefore(this.#link, buffer.length, "the delimiter");
  }
}

/** One line of text, without its end. What stands before the end of the stream is a line, too. */
export class Line implements Want<string | null> {
  readonly isMessage = true;
  readonly #link: Link;
  readonly #maxLength: number;
  #searched = 0; // bytes without a newline

  constructor(link: Link, maxLength: number) {
    this.#link = link;
    this.#maxLength = maxLength;
  }

  take(buffer: ReadBuffer, isEnd: boolean): string | null | undefined {
    const found = buffer.indexOf(NEWLINE, this.#searched);
    const length = found < 0 ? buffer.length : found;
    this.#searched = length;
    const isLast = found < 0 && isEnd;
    // A CR may be the first byte of the line's end.
    const end = !isLast && length > 0 && buffer.at(length - 1) === CR ? length - 1 : length;
    if (end > this.#maxLength) throw tooLong(this.#link, this.#maxLength);
    if (found >= 0) return decoder.decode(buffer.takeShown(found + 1).subarray(0, end));
    if (!isEnd) return undefined;
    return length === 0 ? null : decoder.decode(buffer.takeShown(length));
  }
}
