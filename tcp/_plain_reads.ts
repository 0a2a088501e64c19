/**
 * Reading bytes: the calls of a connection, with what they check.
 *
 * @module
 */
import { checkCount, type OptionNames } from "../common/options.ts";
import { PullIterator } from "../common/pull_iterator.ts";
import { bytesOf, notBytes } from "./_bytes_of.ts";
import type { Link } from "./_link.ts";
import type { Chunk } from "./_read_buffer.ts";
import type { Reader } from "./_reader.ts";
import { readableOf } from "./_streams.ts";
import { Exactly, Line, NEXT_CHUNK, Until, type Want } from "./_wants.ts";
import {
  checkRead,
  READ_OPTIONS,
  READ_UNTIL_OPTIONS,
  type ReadOptions,
  type ReadUntilOptions,
} from "./read_options.ts";
import { isBytes } from "../common/kinds.ts";

/** The longest line or delimited message unless specified, in bytes. */
const MAX_LENGTH = 65_536;

/** Reads bytes while the connection is not framed. */
export class PlainReads {
  /** Whether messages are received: bytes read beside them would be missing in one of them. */
  isFramed = false;
  readonly #link: Link;
  readonly #reader: Reader;
  #readable: ReadableStream<Chunk> | undefined;

  constructor(link: Link, reader: Reader) {
    this.#link = link;
    this.#reader = reader;
  }

  /** What arrives, as a web stream. */
  get readable(): ReadableStream<Chunk> {
    return this.#readable ??= readableOf(this.#reader, () => {
      if (this.isFramed) this.#readable = undefined; // it fails, and stays so: the next one works
      this.#checkUnframed();
    });
  }

  read(buffer: Uint8Array, options: ReadOptions | undefined): Promise<number | null> {
    try {
      if (!isBytes(buffer)) throw notBytes("read into buffer", buffer);
      this.#checkUnframed();
      if (options !== undefined) checkRead("read", options, READ_OPTIONS);
      return this.#reader.read(buffer, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  exactly(length: number, options: ReadOptions | undefined): Promise<Chunk | null> {
    return this.#take("readExactly", options, READ_OPTIONS, () => {
      if (Number.isSafeInteger(length) && length >= 0) return new Exactly(this.#link, length);
      throw new RangeError(
        `Cannot read exactly ${length} bytes: expected a whole number from 0`,
      );
    });
  }

  until(
    delimiter: Uint8Array | string,
    options: ReadUntilOptions | undefined,
  ): Promise<Chunk | null> {
    return this.#take("readUntil", options, READ_UNTIL_OPTIONS, () => {
      const bytes = bytesOf("read until delimiter", delimiter);
      if (bytes.length === 0) throw new TypeError("Cannot read until an empty delimiter");
      return new Until(this.#link, bytes, maxLengthOf(options));
    });
  }

  line(options: ReadUntilOptions | undefined): Promise<string | null> {
    return this.#take(
      "readLine",
      options,
      READ_UNTIL_OPTIONS,
      () => new Line(this.#link, maxLengthOf(options)),
    );
  }

  chunks(): AsyncIterableIterator<Chunk> {
    return new PullIterator(() => {
      try {
        this.#checkUnframed();
        return this.#reader.take(NEXT_CHUNK);
      } catch (error) {
        return Promise.reject(error);
      }
    });
  }

  #take<T, Options extends ReadOptions>(
    caller: string,
    options: Options | undefined,
    names: OptionNames<Options>,
    want: () => Want<T>,
  ): Promise<T> {
    try {
      this.#checkUnframed();
      if (options !== undefined) checkRead(caller, options, names);
      return this.#reader.take(want(), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #checkUnframed(): void {
    if (!this.isFramed) return;
    throw new TypeError(
      "Cannot read bytes while the connection is framed: receive messages, or call release() first",
    );
  }
}

function maxLengthOf(options: ReadUntilOptions | undefined): number {
  return checkCount("maxLength", options?.maxLength ?? MAX_LENGTH);
}
