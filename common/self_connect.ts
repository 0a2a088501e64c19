/**
 * Connections that meet only themselves.
 *
 * @module
 */

/**
 * Whether a connection's two ends are one. A connect to a free port of this machine can meet itself: the
 * system may have given it that very port as its source. Nothing listens there.
 */
export function isSelfConnect(local: Deno.NetAddr, remote: Deno.NetAddr): boolean {
  return local.port === remote.port && local.hostname === remote.hostname;
}
