/**
 * The options of datagram sockets, and their defaults.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";

/** What holds for options that are not given. Their reasons stand with the options. */
export const DEFAULTS = {
  maxDatagramSize: 65_507,
  maxQueue: 4_096,
  maxQueueBytes: 4_194_304,
  maxRequests: 4_096,
  maxRequestSockets: 64,
  maxSendQueue: 4_096,
  maxSendQueueBytes: 4_194_304,
  timeout: 1_000,
  maxTimeout: 10_000,
  retries: 3,
} as const;

/** The limits of a socket, checked. */
export type SocketLimits = {
  readonly [Name in keyof typeof DEFAULTS & keyof UdpBaseOptions]: number;
};

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
   * @default {65_507} what fits into a UDP datagram over IPv4: 65,535 less 8 for the header of UDP and 20
   * for that of IP (RFC 768 and 791)
   */
  maxDatagramSize?: number | undefined;
  /**
   * Datagrams that may wait to be received. What arrives beyond that is dropped and counted in
   * `stats().dropped`.
   *
   * @default {4_096} sixteen times what the kernel keeps
   */
  maxQueue?: number | undefined;
  /**
   * Bytes of datagrams that may wait to be received; beyond that too they are dropped and counted.
   *
   * @default {4_194_304} 64 of the largest
   */
  maxQueueBytes?: number | undefined;
  /**
   * Requests that may wait for their answers; one more is refused with a `LimitError`.
   *
   * @default {4_096} because matching looks at each of them
   */
  maxRequests?: number | undefined;
  /**
   * Requests without `match` that wait for their answers at one time, each on a socket of its own. More
   * of them wait for a socket, and their time begins when they are sent.
   *
   * @default {64} because each takes a descriptor of the process
   */
  maxRequestSockets?: number | undefined;
  /**
   * Datagrams that may wait to be sent. One more is refused with a `LimitError`; `await` each send, or
   * send fewer at a time.
   *
   * @default {4_096} as many as may wait to be received
   */
  maxSendQueue?: number | undefined;
  /**
   * Bytes of datagrams that may wait to be sent; more are refused, too.
   *
   * @default {4_194_304} 64 of the largest
   */
  maxSendQueueBytes?: number | undefined;
  /**
   * Closes the socket when it aborts; calls that wait reject with the signal's reason.
   */
  signal?: AbortSignal | undefined;
}

/** The options of every UDP socket. */
export interface UdpSocketOptions extends UdpBaseOptions {
  /**
   * What to build on: `Deno.listenDatagram`, which needs the runtime flag `--unstable-net`,
   * or `node:dgram`, which needs none and is slower. `"auto"` takes the first where it exists.
   *
   * @default {"auto"}
   */
  backend?: "auto" | "deno" | "node" | undefined;
  /**
   * Allow sending to 255.255.255.255 and other broadcast addresses. Without it such a send rejects
   * with `Deno.errors.PermissionDenied`; the runtime's own sockets refuse only 255.255.255.255.
   *
   * @default {false}
   */
  broadcast?: boolean | undefined;
}

/** Where to bind a UDP socket, and how. */
export interface UdpBindOptions extends UdpSocketOptions {
  /**
   * The port to bind; 0 lets the system choose a free one.
   *
   * @default {0}
   */
  port?: number | undefined;
  /**
   * The address or name to bind. `"0.0.0.0"` is every IPv4 address of the machine, `"::"` every
   * address.
   *
   * @default {"127.0.0.1"} because a socket is exposed only on request
   */
  hostname?: string | undefined;
  /**
   * Let several sockets bind the same port (SO_REUSEADDR), as members of a multicast group on one
   * machine do.
   *
   * @default {false}
   */
  reuseAddress?: boolean | undefined;
  /** Only a unix socket has a path; see {@linkcode UnixDatagramOptions}. */
  path?: never | undefined;
}

/** Where to bind a unix datagram socket. It needs the runtime flag `--unstable-net`. */
export interface UnixDatagramOptions extends UdpBaseOptions {
  /** The path of the socket. It is removed when the socket is closed. */
  path: string;
  /** Only `"auto"` and `"deno"`: `node:dgram` has no unix sockets. */
  backend?: "auto" | "deno" | "node" | undefined;
  /** Only a UDP socket has a port. */
  port?: never | undefined;
  /** Only a UDP socket has a hostname. */
  hostname?: never | undefined;
  /** Only a UDP socket shares its address. */
  reuseAddress?: never | undefined;
  /** Only a UDP socket broadcasts. */
  broadcast?: never | undefined;
}

/** How long a receive may wait. */
export interface UdpReceiveOptions {
  /**
   * Milliseconds the call may take; then it rejects with `Deno.errors.TimedOut` and nothing is lost:
   * a datagram that arrives later is there for the next call. 0 takes only what has already arrived,
   * `Infinity` waits without limit. What arrives in time is received, however busy the program is.
   *
   * @default {Infinity}
   */
  timeout?: number | undefined;
  /** Ends the wait: the call rejects with the signal's reason, and nothing is lost. */
  signal?: AbortSignal | undefined;
}

/**
 * How long and how often to ask, and what the answer looks like.
 *
 * @typeParam Addr What senders' addresses look like.
 */
export interface UdpRequestOptions<Addr extends SocketAddress = SocketAddress> {
  /**
   * Milliseconds to wait for the answer to the first try. Each further wait is twice as long, up to
   * `maxTimeout`, and all but the last are up to a quarter shorter by chance, so that clients that
   * were stopped together do not come back together. With the defaults a request is given up after
   * 13 to 15 s. With 0 it is sent once and rejects at once with `Deno.errors.TimedOut`; with `Infinity`
   * it is sent once and waits without limit.
   *
   * @default {1_000}
   */
  timeout?: number | undefined;
  /**
   * The longest wait between two tries, in milliseconds. A shorter one than `timeout` shortens the first
   * wait, too.
   *
   * @default {10_000} or `timeout`, if that is longer
   */
  maxTimeout?: number | undefined;
  /**
   * How often to send again: with 3, a request is sent up to four times. 0 asks once.
   *
   * @default {3}
   */
  retries?: number | undefined;
  /**
   * Whether a datagram is the answer, told by its bytes: mostly by an id that the request carries.
   * It is asked only about datagrams from the address that was asked (see `anySource`). A `match`
   * that throws rejects the request with what it threw.
   *
   * @default {undefined} the request leaves from a socket of its own, and what comes to it is the answer
   */
  match?: ((data: Uint8Array, from: Addr) => boolean) | undefined;
  /**
   * Send from the endpoint's own port although nothing tells answers apart: the next datagram from the
   * address that was asked is the answer to the oldest request. A late or doubled answer to an earlier
   * request can then be taken for it. With `match` it is the endpoint's own port in any case.
   *
   * @default {false}
   */
  samePort?: boolean | undefined;
  /**
   * Take the answer from any address, as TFTP and discovery protocols need. Anyone that can guess what
   * `match` looks for can then answer.
   *
   * @default {false} or `true`, if the request goes to a multicast or broadcast address
   */
  anySource?: boolean | undefined;
  /** Gives up: the request rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}
