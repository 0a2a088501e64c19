/**
 * Promises that may be left alone.
 *
 * @module
 */

/**
 * Marks a rejection as one that need not be handled. Without that, a server would end because one of its
 * handlers did not await a write to a peer that has gone. A caller that awaits the promise is told as always.
 *
 * @returns The same promise.
 */
export function unattended<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}
