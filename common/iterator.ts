/**
 * Async iterators over what is waited for with calls, in the place of generators: a generator that waits
 * cannot be left before its wait has ended.
 *
 * @module
 */

/** What an iterator answers with at its end. */
export const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * An iterator that can be left at any time.
 *
 * @param next Waits for the next value.
 * @param leave Ends the waits of `next`; without it they go on, and what they bring is dropped.
 */
export function iterator<T>(
  next: () => Promise<IteratorResult<T>>,
  leave?: () => void,
): AsyncIterableIterator<T> {
  return {
    next,
    return() {
      leave?.();
      return Promise.resolve(DONE);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
