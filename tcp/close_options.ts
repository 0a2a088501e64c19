/**
 * How a connection is closed, and how it ended.
 *
 * @module
 */
import { checkOptions, checkTimeout } from "../common/options.ts";

/** How to close. */
export interface CloseOptions {
  /**
   * Milliseconds to wait for the peer to end its side too, while what it still sends is thrown away.
   * Without that wait the system resets a connection on which bytes arrive after its end, and the
   * peer may never see our last words.
   *
   * What was written leaves first, as long as the peer takes some of it within `timeouts.write`; if
   * that is unlimited, within `linger`, or 60 s if none is given. After that, and with `linger: 0` at
   * once, what waits to be written is dropped: the connection counts as `aborted`, and ends with a
   * reset where `abort()` can send one. With nothing to write, 0 closes at once.
   *
   * @default {2_000}
   */
  linger?: number | undefined;
}

/** How a connection ended. */
export interface CloseInfo {
  /**
   * `closed`: by `close()`, or because the handler returned. `aborted`: by `abort()`, or by force when
   * a server stopped. `failed`: by one of the connection's timeouts.
   */
  readonly how: "closed" | "aborted" | "failed";
  /** The reason of an abort, or the error. */
  readonly reason?: unknown;
}

/** The time to wait for the peer's end, checked; `undefined` if the caller leaves it open. */
export function lingerOf(options: CloseOptions | undefined): number | undefined {
  checkOptions<CloseOptions>("close", options, { linger: true });
  const linger = options?.linger;
  return linger === undefined ? undefined : checkTimeout("linger", linger);
}
