/**
 * Reading bytes: the calls of a connection, with what they check.
 *
 * @module
 */
import type { OptionNames } from "../common/options.ts";
import { PullIterator } from "../common/pull_iterator.ts";
import { notBytes } from "./_bytes_of.ts";
import type { Chunk } from "./_read_buffer.ts";
import type { Reader } from "./_reader.ts";
import { readableOf } from "./_streams.ts";
import { NEXT_CHUNK, type Want } from "./_wants.ts";
import { checkRead, READ_OPTIONS, type ReadOptions } from "./read_options.ts";
import { isBytes } from "../common/kinds.ts";

/** Reads bytes while the connection is not framed. */
export class PlainReads {
  /** Whether messages are received: bytes read beside them would be missing in one of them. */
  isFramed = false;
  readonly #reader: Reader;
  #readable: ReadableStream<Chunk> | undefined;

  constructor(reader: Reader) {
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

  /**
   * Takes what a call wants.
   *
   * @param caller The method that was called, with the names of its options.
   * @param want Makes what is wanted, or throws.
   */
  take<T, Options extends ReadOptions>(
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

  #checkUnframed(): void {
    if (!this.isFramed) return;
    throw new TypeError(
      "Cannot read bytes while the connection is framed: receive messages, or call release() first",
    );
  }
}
