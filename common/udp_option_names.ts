/**
 * The names of the options that datagram sockets have, as in `tcp_option_names.ts`.
 *
 * @module
 */
import { namesOf } from "./options.ts";

/** The options of every UDP socket. */
export const SOCKET_NAMES = {
  ...namesOf("maxDatagramSize", "maxQueue", "maxQueueBytes", "maxRequests", "maxRequestSockets"),
  ...namesOf("maxSendQueue", "maxSendQueueBytes", "signal", "backend", "broadcast"),
} as const;

/** The options of sockets that are bound, to a port or to a path. */
export const BIND_NAMES = {
  ...SOCKET_NAMES,
  ...namesOf("port", "hostname", "reuseAddress", "path"),
} as const;
