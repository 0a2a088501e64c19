/**
 * The options of reading calls.
 *
 * @module
 */

/** How long a read may wait. */
export interface ReadOptions {
  /**
   * Milliseconds the call may take; then it rejects with `Deno.errors.TimedOut` and nothing is lost:
   * bytes that arrive later are there for the next read. 0 takes only what has already arrived.
   *
   * @default {Infinity} or the connection's `timeouts.read`
   */
  timeout?: number;
  /**
   * Ends the wait: the call rejects with the signal's reason, and nothing is lost. A signal that has
   * aborted already ends the call even where the bytes have arrived.
   */
  signal?: AbortSignal;
}

/** How long a delimited message may be, and how long reading it may take. */
export interface ReadUntilOptions extends ReadOptions {
  /**
   * The longest message in bytes, its delimiter not counted.
   *
   * @default {65_536}
   */
  maxLength?: number;
}
