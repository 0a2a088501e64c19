/**
 * The options of datagram sockets: names, defaults and reasons.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";

/**
 * The largest datagram that is received whole, in bytes, unless said otherwise: 65,507 is what fits
 * into a UDP datagram over IPv4 (65,535 less 8 for UDP's header and 20 for IP's, RFC 768 and 791).
 */
export const DEFAULT_MAX_DATAGRAM_SIZE = 65_507;

/** Datagrams that may wait to be received, unless said otherwise: sixteen times what the kernel keeps. */
export const DEFAULT_MAX_QUEUE = 4_096;

/** Bytes of datagrams that may wait to be received, unless said otherwise: 64 of the largest. */
export const DEFAULT_MAX_QUEUE_BYTES = 4 * 1024 * 1024;

/** Datagrams that may wait to be sent, unless specified: as many as may wait to be received. */
export const DEFAULT_MAX_SEND_QUEUE = 4_096;

/** Bytes of datagrams that may wait to be sent, unless specified: 64 of the largest. */
export const DEFAULT_MAX_SEND_QUEUE_BYTES = 4 * 1024 * 1024;

/** Requests that may wait for their answers, unless said otherwise: matching looks at each of them. */
export const DEFAULT_MAX_REQUESTS = 4_096;

/** Requests without `match` at one time, unless specified: each takes a descriptor of the process. */
export const DEFAULT_MAX_REQUEST_SOCKETS = 64;

/** Milliseconds to wait for an answer before the request is sent again, unless said otherwise. */
export const DEFAULT_REQUEST_TIMEOUT = 1_000;

/** How often a request is sent again, unless said otherwise. */
export const DEFAULT_REQUEST_RETRIES = 3;

/** The longest wait between two tries, unless said otherwise, in milliseconds. */
export const DEFAULT_MAX_REQUEST_TIMEOUT = 10_000;

/** The options that every datagram socket has. */
export interface UdpBaseOptions {
  /**
   * The largest datagram that is received whole, in bytes. Of a longer one this much arrives, marked
   * as `truncated`. A small value saves memory: each socket keeps one buffer of this size. Up to
   * 65,527 makes sense over IPv6, and up to 262,144 on a unix socket.
   *
   * It is no limit for sending: that is 65,507 bytes over IPv4 and 65,527 over IPv6, and what the
   * system allows on a unix socket.
   *
   * @default {65_507}
   */
  maxDatagramSize?: number;
  /**
   * Datagrams that may wait to be received. What arrives beyond that is dropped and counted in
   * `stats().dropped`.
   *
   * @default {4_096}
   */
  maxQueue?: number;
  /**
   * Bytes of datagrams that may wait to be received; beyond that too they are dropped and counted.
   *
   * @default {4_194_304}
   */
  maxQueueBytes?: number;
  /**
   * Requests that may wait for their answers; one more is refused with a `LimitError`.
   *
   * @default {4_096}
   */
  maxRequests?: number;
  /**
   * Requests without `match` that wait for their answers at one time, each on a socket of its own. More
   * of them wait for a socket, and their time begins when they are sent.
   *
   * @default {64}
   */
  maxRequestSockets?: number;
  /**
   * Datagrams that may wait to be sent. One more is refused with a `LimitError`; `await` each send, or
   * send fewer at a time.
   *
   * @default {4_096}
   */
  maxSendQueue?: number;
  /**
   * Bytes of datagrams that may wait to be sent; more are refused, too.
   *
   * @default {4_194_304}
   */
  maxSendQueueBytes?: number;
  /**
   * Closes the socket when it aborts; calls that wait reject with the signal's reason.
   */
  signal?: AbortSignal;
}

/** The options of every UDP socket. */
export interface UdpSocketOptions extends UdpBaseOptions {
  /**
   * What to build on: `Deno.listenDatagram`, which needs the runtime flag `--unstable-net`,
   * or `node:dgram`, which needs none and is slower. `"auto"` takes the first where it exists.
   *
   * @default {"auto"}
   */
  backend?: "auto" | "deno" | "node";
  /**
   * Allow sending to 255.255.255.255 and other broadcast addresses. Without it such a send rejects
   * with `Deno.errors.PermissionDenied`; the runtime's own sockets refuse only 255.255.255.255.
   *
   * @default {false}
   */
  broadcast?: boolean;
}

/** Where to bind a UDP socket, and how. */
export interface UdpBindOptions extends UdpSocketOptions {
  /**
   * The port to bind; 0 lets the system choose a free one.
   *
   * @default {0}
   */
  port?: number;
  /**
   * The address or name to bind. `"0.0.0.0"` is every IPv4 address of the machine, `"::"` every
   * address.
   *
   * @default {"127.0.0.1"} nothing is exposed unless asked for
   */
  hostname?: string;
  /**
   * Let several sockets bind the same port (SO_REUSEADDR), as members of a multicast group on one
   * machine do.
   *
   * @default {false}
   */
  reuseAddress?: boolean;
}

/** Where to bind a unix datagram socket. It needs the runtime flag `--unstable-net`. */
export interface UnixDatagramOptions extends UdpBaseOptions {
  /** The path of the socket. It is removed when the socket is closed. */
  path: string;
  /** Only `"auto"` and `"deno"`: `node:dgram` has no unix sockets. */
  backend?: "auto" | "deno" | "node";
}

/** How long a receive may wait. */
export interface UdpReceiveOptions {
  /**
   * Milliseconds the call may take; then it rejects with `Deno.errors.TimedOut` and nothing is lost:
   * a datagram that arrives later is there for the next call. 0 takes only what has already arrived.
   *
   * @default {Infinity}
   */
  timeout?: number;
  /** Ends the wait: the call rejects with the signal's reason, and nothing is lost. */
  signal?: AbortSignal;
}

/** How long and how often to ask, and what the answer looks like. */
export interface UdpRequestOptions {
  /**
   * Milliseconds to wait for the answer to the first try. Each further wait is twice as long, up to
   * `maxTimeout`, and all but the last are up to a quarter shorter by chance, so that clients that
   * were stopped together do not come back together. With the defaults a request is given up after
   * 13 to 15 s.
   *
   * @default {1_000}
   */
  timeout?: number;
  /**
   * The longest wait between two tries, in milliseconds.
   *
   * @default {10_000} or `timeout`, if that is longer
   */
  maxTimeout?: number;
  /**
   * How often to send again: with 3, a request is sent up to four times. 0 asks once.
   *
   * @default {3}
   */
  retries?: number;
  /**
   * Whether a datagram is the answer, told by its bytes: mostly by an id that the request carries.
   * It is asked only about datagrams from the address that was asked (see `anySource`). A `match`
   * that throws rejects the request with what it threw.
   *
   * @default {undefined} the request leaves from a socket of its own, and what comes to it is the answer
   */
  match?: (data: Uint8Array, from: SocketAddress) => boolean;
  /**
   * Send from the endpoint's own port although nothing tells answers apart: the next datagram from the
   * address that was asked is the answer to the oldest request. A late or doubled answer to an earlier
   * request can then be taken for it. With `match` it is the endpoint's own port in any case.
   *
   * @default {false}
   */
  samePort?: boolean;
  /**
   * Take the answer from any address, as TFTP and discovery protocols need. Anybody who can guess what
   * `match` looks for can then answer.
   *
   * @default {false} or `true`, if the request goes to a multicast or broadcast address
   */
  anySource?: boolean;
  /** Gives up: the request rejects with the signal's reason. */
  signal?: AbortSignal;
}
