/**
 * An iterator that can be left at any time, because there is nothing to give back.
 *
 * @module
 */

/** The end of an iteration. */
export const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Iterates over what a function gives. Leaving it changes nothing: a later one continues there. */
export class PullIterator<T> implements AsyncIterableIterator<T> {
  /** Gives the next value. */
  readonly next: () => Promise<IteratorResult<T>>;

  constructor(next: () => Promise<IteratorResult<T>>) {
    this.next = next;
  }

  return(): Promise<IteratorResult<T>> {
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
