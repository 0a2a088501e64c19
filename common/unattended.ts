/**
 * Promises that may be left alone.
 *
 * @module
 */

/**
 * Marks a rejection as one that need not be handled. Without that, a server would end because one of its
 * handlers did not await a write to a peer that has gone. A caller that awaits the promise
 * still receives the error.
 *
 * @returns The same promise.
 */
export function unattended<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}
