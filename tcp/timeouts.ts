/**
 * The timeouts of connections: names, defaults and reasons.
 *
 * @module
 */
import { checkTimeout } from "../common/options.ts";

/**
 * How long a connection may take over what, in milliseconds. 0 is "at once": the connection or the call
 * ends when it begins to wait. `Infinity` is "without limit".
 *
 * One timer serves all timeouts of all connections: a timeout never expires early, and at most an eighth
 * of its length and 5 ms late, as long as the process is not busy.
 */
export interface TcpTimeouts {
  /**
   * From the start of the TLS handshake to its end. A silent client would otherwise count for
   * `maxConnections` forever. (The runtime holds the descriptor of an unfinished handshake until the
   * peer ends the connection, unless the library may reset it, which needs Linux and `--allow-ffi`.)
   *
   * @default {10_000}
   */
  handshake?: number | undefined;
  /**
   * Without a byte in either direction; then the connection is ended with `TimedOut`. A peer whose
   * machine lost power never ends its connections.
   *
   * @default {300_000} for servers; `Infinity` for clients, which chose their peer
   */
  idle?: number | undefined;
  /**
   * For each single read, as if it were given as the call's own `timeout`: the read rejects with
   * `TimedOut`, nothing is lost, and the connection stays open.
   *
   * @default {Infinity} because `idle` already bounds a peer that has gone
   */
  read?: number | undefined;
  /**
   * With data to write of which the peer takes nothing; then the connection is ended with
   * `TimedOut`. A peer that does not read would otherwise hold its data in memory forever.
   *
   * @default {60_000}
   */
  write?: number | undefined;
  /**
   * From the first byte of a message to its last, in `readExactly`, `readUntil` and `readLine`: the
   * call rejects with `TimedOut`. It limits peers that send a byte now and then to stay connected.
   * Raise it where messages are long and the network is slow.
   *
   * @default {60_000}
   */
  frame?: number | undefined;
  /**
   * From accept or connect to the end, however busy; then the connection is ended with `TimedOut`.
   *
   * @default {Infinity} because only the application knows how long its sessions are
   */
  lifetime?: number | undefined;
}

/** The timeouts of a connection, with their defaults. */
export type Timeouts = Readonly<Record<keyof TcpTimeouts, number>>;

/** The timeouts of a server's connections. */
export const SERVER_TIMEOUTS: Timeouts = {
  handshake: 10_000,
  idle: 300_000,
  read: Infinity,
  write: 60_000,
  frame: 60_000,
  lifetime: Infinity,
};

/** The timeouts of a connection that we opened. */
export const CLIENT_TIMEOUTS: Timeouts = { ...SERVER_TIMEOUTS, idle: Infinity };

/** Fills in the defaults and checks every value. */
export function resolveTimeouts(given: TcpTimeouts | undefined, defaults: Timeouts): Timeouts {
  const resolved = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof TcpTimeouts)[]) {
    const value = given?.[name];
    if (value !== undefined) resolved[name] = checkTimeout(`timeouts.${name}`, value);
  }
  return resolved;
}
