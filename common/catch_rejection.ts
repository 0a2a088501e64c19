/**
 * Hooks that turn out to be async functions.
 *
 * @module
 */

/**
 * Handles the rejection of what a hook returned, if that is a promise. A hook is called and not
 * awaited; a rejection that no one handles would end the process.
 *
 * @param result What the hook returned.
 * @param onRejected Is told the reason; it must not throw.
 */
export function catchRejection(result: unknown, onRejected: (reason: unknown) => void): void {
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== "function") return;
  Promise.resolve(result).catch(onRejected);
}
