/**
 * The names of the options that TCP servers and clients have, for the functions that take them beside
 * their own. The compiler holds them to the types where they are used.
 *
 * @module
 */

const TIMEOUTS = {
  handshake: true,
  idle: true,
  read: true,
  write: true,
  frame: true,
  lifetime: true,
} as const;

/** The options of servers. */
export const SERVER_NAMES = {
  path: true,
  port: true,
  hostname: true,
  backlog: true,
  tls: true,
  reusePort: true,
  noDelay: true,
  keepAlive: true,
  allow: true,
  deny: true,
  signal: true,
  onListen: true,
  onError: true,
  onConnect: true,
  onClose: true,
  limits: { maxConnections: true, maxConnectionsPerIp: true, onLimit: true, maxWriteQueue: true },
  timeouts: TIMEOUTS,
} as const;

/** The options of clients. */
export const CLIENT_NAMES = {
  path: true,
  port: true,
  hostname: true,
  tls: true,
  noDelay: true,
  keepAlive: true,
  timeout: true,
  signal: true,
  retry: true,
  limits: { maxWriteQueue: true },
  timeouts: TIMEOUTS,
} as const;
