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
 * @param leave Ends the waits of `next`, and is awaited. Without it there is nothing to give back.
 */
export function iterator<T>(
  next: () => Promise<IteratorResult<T>>,
  leave?: () => unknown,
): AsyncIterableIterator<T> {
  return {
    next,
    async return() {
      await leave?.();
      return DONE;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
