/**
 * An iterator that can be left at any time. A generator that waits cannot: leaving it waits, too.
 *
 * @module
 */

/** The end of an iteration. */
export const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Iterates over what a function gives. Leaving it loses nothing: a later one continues there. */
export class PullIterator<T> implements AsyncIterableIterator<T> {
  /** Gives the next value. */
  readonly next: () => Promise<IteratorResult<T>>;
  readonly #leave: (() => unknown) | undefined;

  /**
   * Makes the iterator.
   *
   * @param next Gives the next value.
   * @param leave Ends the calls of `next` that wait, and is awaited; `undefined` if they may stay.
   */
  constructor(next: () => Promise<IteratorResult<T>>, leave?: () => unknown) {
    this.next = next;
    this.#leave = leave;
  }

  async return(): Promise<IteratorResult<T>> {
    await this.#leave?.();
    return END;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
