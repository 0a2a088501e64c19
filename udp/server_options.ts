/**
 * The options of datagram servers.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import type { Datagram, DatagramData } from "./datagram.ts";
import { namesOf, type OptionNames } from "../common/options.ts";
import { BIND_NAMES } from "../common/udp_option_names.ts";
import type { UdpBindOptions, UnixDatagramOptions } from "./options.ts";

/** How to recognise duplicate requests. */
export interface DedupOptions {
  /**
   * How long a request is remembered after it was handled, in milliseconds.
   *
   * @default {30_000} twice as long as `request()` asks with its defaults
   */
  window?: number | undefined;
  /**
   * Requests remembered at one time. With more, the oldest that was handled is forgotten, and its
   * duplicate would be handled again. One that is being handled is never forgotten: with so many of
   * them, further requests are dropped.
   *
   * @default {16_384}
   */
  maxEntries?: number | undefined;
  /**
   * Bytes of answers kept at one time. With more, the oldest request that was handled is forgotten. An
   * answer for which there is no room even so is not kept, and duplicates get none.
   *
   * @default {16_777_216}
   */
  maxBytes?: number | undefined;
  /**
   * What two datagrams of one sender have in common if they are the same request, mostly the id that
   * the protocol gives it. `undefined` for a datagram that is no request: it is always handled. Of a key
   * longer than 256 characters only a fingerprint is kept.
   *
   * @default {undefined} all their bytes
   */
  key?: ((data: Uint8Array) => string | undefined) | undefined;
}

/** What a handler gets besides the datagram. */
export interface UdpHandlerContext {
  /**
   * Aborts when the server begins to shut down, with a `ClosedError` of the code `draining`, or with
   * the reason of the server's own `signal`.
   */
  readonly signal: AbortSignal;
}

/** What to do with one datagram. What it returns is sent to the sender as the answer. */
export type UdpHandler<Addr extends SocketAddress = SocketAddress> = (
  datagram: Datagram<Addr>,
  context: UdpHandlerContext,
) => DatagramData | void | Promise<DatagramData | void>;

/** The options that every datagram server has. */
export interface UdpServerBaseOptions<Addr extends SocketAddress = SocketAddress> {
  /** Aborts the server: the socket is closed at once, and handlers are told. */
  signal?: AbortSignal | undefined;
  /**
   * Called once with the address, when the server is bound.
   *
   * @default {undefined} prints `listening on HOST:PORT` to stderr
   */
  onListen?: ((addr: Addr) => void) | undefined;
  /**
   * Called with everything that went wrong: what a handler threw and what an answer could not be
   * sent for (with its datagram), and what the system reported while receiving (without).
   *
   * @default {undefined} prints to stderr: mistakes of this side with their stack, what a peer has
   * caused as one escaped line with its address, both limited in rate; nothing about what peers and
   * networks cause all the time
   */
  onError?: ((error: unknown, datagram?: Datagram<Addr>) => void) | undefined;
  /**
   * Handlers that run at one time. While as many run, datagrams wait in the queue (`maxQueue`,
   * `maxQueueBytes`), and what it cannot hold is dropped and counted.
   *
   * @default {1_024} enough to wait for a slow database
   */
  concurrency?: number | undefined;
  /**
   * How many bytes of answers a datagram may bring, as a multiple of its own size. Senders' addresses
   * are easily forged; a service that answers a short question with a long text to a forged address
   * multiplies an attack on its owner. Answers beyond the ratio are not sent and are counted in
   * `stats().refusedReplies`; 1 never sends more than it got.
   *
   * @default {Infinity} because only the application knows how long its answers are
   */
  maxReplyRatio?: number | undefined;
  /**
   * Answers to one source before one is left out. A datagram with a forged sender can make two servers
   * answer each other forever; a loop does not survive an answer that is left out, and a client asks
   * again. After so many answers to one source (address and port) the next is not sent, nor any other
   * until a second has passed since the first of them, and then counting starts over. Sources with
   * fewer than 100 answers a second are not counted. What was not sent is counted in
   * `stats().refusedReplies`. `Infinity` lifts the limit.
   *
   * @default {10_000} a loop of two servers ends within a second, and a client that gets so many answers
   * misses one in ten thousand
   */
  loopGuard?: number | undefined;
  /**
   * Handle each request once: a duplicate that comes within the window, because the network doubled
   * it or because its sender asked again, gets the answer that was given, or none while there is
   * none yet. The same bytes from the same sender are the same request; see {@linkcode DedupOptions}
   * for another `key`. `true` for the defaults, a number for a window in milliseconds.
   *
   * A handler that throws has handled its request: duplicates get no answer.
   *
   * @default {false}
   */
  dedup?: boolean | number | DedupOptions | undefined;
}

/** Options of a server on a UDP port. */
export interface UdpServerOptions extends UdpBindOptions, UdpServerBaseOptions<Deno.NetAddr> {
  /** Aborts the server: the socket is closed at once, and handlers are told. */
  signal?: AbortSignal | undefined;
}

/** Options of a server on a unix datagram socket. It needs the runtime flag `--unstable-net`. */
export interface UnixDatagramServerOptions
  extends UnixDatagramOptions, UdpServerBaseOptions<Deno.UnixAddr> {
  /** Aborts the server: the socket is closed at once, and handlers are told. */
  signal?: AbortSignal | undefined;
}

/** The names of all options. */
export const SERVER_NAMES: OptionNames<UdpServerOptions> = {
  ...BIND_NAMES,
  ...namesOf("onListen", "onError", "concurrency", "maxReplyRatio", "loopGuard"),
  dedup: [{ window: true, maxEntries: true, maxBytes: true, key: true }],
};
