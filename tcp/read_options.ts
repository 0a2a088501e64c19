/**
 * The options of reading calls.
 *
 * @module
 */
import { checkOptions, checkTimeout, type OptionNames } from "../common/options.ts";

/** How long a read may wait. */
export interface ReadOptions {
  /**
   * Milliseconds the call may take; then it rejects with `Deno.errors.TimedOut` and nothing is lost:
   * bytes that arrive later are there for the next read. 0 takes what has already arrived, and rejects
   * at once if that is nothing.
   *
   * @default {Infinity} or the connection's `timeouts.read`
   */
  timeout?: number | undefined;
  /**
   * Ends the wait: the call rejects with the signal's reason, and nothing is lost. A signal that has
   * aborted already ends the call even where the bytes have arrived.
   */
  signal?: AbortSignal | undefined;
}

/** How long a delimited message may be, and how long reading it may take. */
export interface ReadUntilOptions extends ReadOptions {
  /**
   * The longest message in bytes, its delimiter not counted.
   *
   * @default {65_536}
   */
  maxLength?: number | undefined;
}

/** The names of {@linkcode ReadOptions}. */
export const READ_OPTIONS: OptionNames<ReadOptions> = { timeout: true, signal: true };

/** The names of {@linkcode ReadUntilOptions}. */
export const READ_UNTIL_OPTIONS: OptionNames<ReadUntilOptions> = {
  ...READ_OPTIONS,
  maxLength: true,
};

/**
 * Checks the options of a call.
 *
 * @throws What its signal has aborted with, also where the bytes are there: a loop that is told to end
 * must not continue until they are not.
 */
export function checkRead<T extends ReadOptions>(
  caller: string,
  options: T,
  names: OptionNames<T>,
): void {
  checkOptions(caller, options, names);
  if (options.timeout !== undefined) checkTimeout("timeout", options.timeout);
  options.signal?.throwIfAborted();
}
