/**
 * Calling hooks of the user.
 *
 * @module
 */

/**
 * Calls a hook. Whatever it throws goes to `failed`, and so does the rejection of an `async` one, which
 * no one awaits.
 */
export function callHook(hook: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = hook();
    if (isThenable(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}
