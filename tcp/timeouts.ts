/**
 * The time-outs of connections: names, defaults and reasons.
 *
 * @module
 */
import { checkTimeout } from "../common/options.ts";

/**
 * How long a connection may take over what. All values are milliseconds; 0 and `Infinity` mean "no
 * limit".
 *
 * One timer looks after all of them together: a timeout never expires early, and at most an eighth of
 * its length and 5 ms late, however many connections there are, as long as the process has time.
 */
export interface TcpTimeouts {
  /**
   * From the start of the TLS handshake to its end. A silent client would otherwise keep its
   * place forever. (The runtime holds the descriptor of an unfinished handshake until the peer goes,
   * unless the library may reset the connection, which needs Linux and `--allow-ffi`.)
   *
   * @default {10_000}
   */
  handshake?: number;
  /**
   * Without a byte in either direction; then the connection is ended with `TimedOut`. A peer whose
   * machine lost power never says goodbye.
   *
   * @default {300_000} for servers; no limit for clients, who chose their peer
   */
  idle?: number;
  /**
   * For each single read, as if it were given as the call's own `timeout`: the read rejects with
   * `TimedOut`, nothing is lost, and the connection goes on.
   *
   * @default {Infinity} because `idle` already bounds a peer that has gone
   */
  read?: number;
  /**
   * With data to write of which the peer takes nothing; then the connection is ended with
   * `TimedOut`. A peer that does not read would otherwise hold its data in memory for ever.
   *
   * @default {60_000}
   */
  write?: number;
  /**
   * From the first byte of a message to its last, in `readExactly`, `readUntil` and `readLine`: the
   * call rejects with `TimedOut`. Against peers that send a byte now and then to keep their place.
   * Raise it where a message is long and the line is slow.
   *
   * @default {60_000}
   */
  frame?: number;
  /**
   * From accept or connect to the end, however busy; then the connection is ended with `TimedOut`.
   *
   * @default {Infinity} because only the application knows how long its sessions are
   */
  lifetime?: number;
}

/** The time-outs of a server's connections. */
export const SERVER_TIMEOUTS: Required<TcpTimeouts> = {
  handshake: 10_000,
  idle: 300_000,
  read: Infinity,
  write: 60_000,
  frame: 60_000,
  lifetime: Infinity,
};

/** The time-outs of a connection that we opened. */
export const CLIENT_TIMEOUTS: Required<TcpTimeouts> = { ...SERVER_TIMEOUTS, idle: Infinity };

/** Fills in the defaults and checks every value. */
export function resolveTimeouts(
  given: TcpTimeouts | undefined,
  defaults: Required<TcpTimeouts>,
): Required<TcpTimeouts> {
  const resolved = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof TcpTimeouts)[]) {
    const value = given?.[name];
    if (value !== undefined) resolved[name] = checkTimeout(`timeouts.${name}`, value);
  }
  return resolved;
}
