/**
 * The names of the options that TCP servers and clients have, for the functions that take them beside
 * their own. The compiler holds them to the types where they are used.
 *
 * @module
 */
import { namesOf } from "./options.ts";

/** The timeouts of connections. */
export const TIMEOUT_NAMES = namesOf("handshake", "idle", "read", "write", "frame", "lifetime");

const SHARED = namesOf("path", "port", "hostname", "noDelay", "keepAlive", "signal");
const TLS = namesOf("cert", "key", "alpnProtocols");

/** The options of servers. */
export const SERVER_NAMES = {
  ...SHARED,
  ...namesOf("backlog", "reusePort", "allow", "deny"),
  ...namesOf("onListen", "onError", "onConnect", "onClose"),
  tls: TLS,
  limits: namesOf("maxConnections", "maxConnectionsPerIp", "onLimit", "maxWriteQueue"),
  timeouts: TIMEOUT_NAMES,
} as const;

/** The options of clients. */
export const CLIENT_NAMES = {
  ...SHARED,
  ...namesOf("transport", "timeout"),
  tls: [{
    ...TLS,
    ...namesOf("serverName", "caCerts"),
    ...namesOf("unsafelyDisableHostnameVerification", "unsafelyIgnoreCertificateErrors"),
  }],
  retry: [namesOf("attempts", "minDelay", "maxDelay", "jitter")],
  limits: namesOf("maxWriteQueue"),
  timeouts: TIMEOUT_NAMES,
} as const;
