/**
 * The names of the options that TCP servers and clients have, for the functions that take them beside
 * their own. The compiler holds them to the types where they are used.
 *
 * @module
 */

/** The timeouts of connections. */
export const TIMEOUT_NAMES = {
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
  tls: { cert: true, key: true, alpnProtocols: true },
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
  timeouts: TIMEOUT_NAMES,
} as const;

/** The options of clients. */
export const CLIENT_NAMES = {
  path: true,
  port: true,
  hostname: true,
  transport: true,
  tls: [{
    serverName: true,
    caCerts: true,
    alpnProtocols: true,
    cert: true,
    key: true,
    unsafelyDisableHostnameVerification: true,
    unsafelyIgnoreCertificateErrors: true,
  }],
  noDelay: true,
  keepAlive: true,
  timeout: true,
  signal: true,
  retry: [{ attempts: true, minDelay: true, maxDelay: true, jitter: true }],
  limits: { maxWriteQueue: true },
  timeouts: TIMEOUT_NAMES,
} as const;
