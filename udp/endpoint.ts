/**
 * One bound datagram socket, as its owner sees it.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { checkOptions } from "../common/options.ts";
import type { UdpTarget } from "./_address.ts";
import { MULTICAST_NAMES, type MulticastMembership, type MulticastOptions } from "./_multicast.ts";
import type { DatagramSocket } from "./_socket.ts";
import type { Datagram, DatagramData } from "./datagram.ts";
import type { UdpEndpointStats } from "./endpoint_stats.ts";
import type { UdpReceiveOptions, UdpRequestOptions } from "./options.ts";

/** The socket below an endpoint or a peer: for the rest of this folder. */
export let socketOf: (of: UdpSocket) => DatagramSocket;

/**
 * What endpoints and peers have in common: a bound datagram socket.
 *
 * @typeParam Addr What its addresses look like: `Deno.NetAddr` for a port, `Deno.UnixAddr` for a path.
 */
export abstract class UdpSocket<Addr extends SocketAddress = SocketAddress>
  implements AsyncIterable<Datagram<Addr>>, AsyncDisposable {
  readonly #socket: DatagramSocket;

  static {
    socketOf = (of) => of.#socket;
  }

  /**
   * Made by `bindUdp` and `connectUdp`.
   *
   * @param socket The socket below.
   * @ignore
   */
  constructor(socket: DatagramSocket) {
    this.#socket = socket;
  }

  /** Where it is bound; with the port the system chose, if `port` was 0. */
  get addr(): Addr {
    return this.#socket.driver.addr as Addr;
  }

  /** What was counted so far. */
  stats(): UdpEndpointStats {
    return this.#socket.stats();
  }

  /**
   * Receives the next datagram, or waits for one.
   *
   * Cancellation: a call that timed out or was aborted has taken nothing; a datagram that arrives
   * later is there for the next call.
   *
   * @param options How long to wait.
   * @returns The datagram, owned by the caller.
   * @throws {Deno.errors.TimedOut} If nothing came in time.
   * @throws {Deno.errors.Busy} If a server or `sessions()` takes an endpoint's datagrams.
   * @throws {ClosedError} If the socket was closed here.
   * @throws {RangeError | TypeError} If there is no such option, or one is out of range.
   */
  receive(options?: UdpReceiveOptions): Promise<Datagram<Addr>> {
    return this.#socket.receive(options) as Promise<Datagram<Addr>>;
  }

  /** Keeps the process alive while the socket is open (the default). */
  ref(): void {
    this.#socket.setRef(true);
  }

  /**
   * Lets the process end although the socket is open, even while a call waits. A unix socket keeps
   * it alive in any case: the runtime offers nothing else.
   */
  unref(): void {
    this.#socket.setRef(false);
  }

  /**
   * Closes the socket. Calls that wait reject with {@linkcode ClosedError}, loops over it
   * end, and datagrams that wait are dropped. Calling it again returns the same promise.
   *
   * @returns A promise that settles when the port can be bound again; it never rejects.
   */
  close(): Promise<void> {
    return this.#socket.close();
  }

  /**
   * The datagrams as they arrive, until the socket is closed. Leaving the loop neither closes the
   * endpoint nor loses datagrams: another loop resumes where this one ended.
   *
   * @returns An iterator over the datagrams.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Datagram<Addr>> {
    return this.#socket.iterate() as AsyncIterableIterator<Datagram<Addr>>;
  }

  /** Closes the socket; see {@linkcode UdpSocket.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * A bound datagram socket: it sends to any address and receives from any.
 *
 * It receives all the time, into a bounded queue, because the system keeps little by itself: what the
 * queue cannot hold is dropped and counted.
 *
 * - Zero-length datagrams are data. A send to a peer that does not exist succeeds.
 * - Datagrams leave in the order of the calls, awaited or not. Up to `maxSendQueue` of them wait for
 *   the system.
 * - Any number of callers may wait in {@linkcode UdpEndpoint.receive}; each gets a whole datagram.
 * - The endpoint keeps the process alive until it is closed, or {@linkcode UdpEndpoint.unref} is
 *   called.
 *
 * @typeParam Addr What its addresses look like: `Deno.NetAddr` for a port, `Deno.UnixAddr` for a path.
 *
 * @example Ask and answer
 * ```ts
 * import { bindUdp } from "@tincan/net/udp";
 * import { assertEquals } from "@std/assert";
 *
 * await using alice = await bindUdp();
 * await using bob = await bindUdp();
 *
 * await alice.send("hello", bob.addr);
 * const datagram = await bob.receive();
 * await datagram.reply("hello yourself");
 *
 * const answer = await alice.receive();
 * assertEquals(answer.text(), "hello yourself");
 * assertEquals(answer.from, bob.addr);
 * ```
 */
export class UdpEndpoint<Addr extends SocketAddress = SocketAddress> extends UdpSocket<Addr> {
  /** What it is built on. */
  get backend(): "deno" | "node" {
    return socketOf(this).driver.backend;
  }

  /**
   * Sends one datagram.
   *
   * Cancellation: a send cannot be taken back. Closing the endpoint sends what waits, as far as the
   * system takes it within a second.
   *
   * @param data Bytes, or text that is sent as UTF-8; an empty datagram is one too. The bytes are read
   * until the promise has settled: leave a buffer alone until then, and use it again afterwards.
   * @param to Host and port, or a path.
   * @returns A promise that settles when the system has taken the datagram. That is not a receipt,
   * and whether anyone is there does not show.
   * @throws {RangeError} If the port is not from 1 to 65535, or the datagram is longer than 65,507
   * bytes (over IPv6: 65,527).
   * @throws {Deno.errors.NotFound} If there is no such host, or no such unix socket.
   * @throws {Deno.errors.PermissionDenied} To a broadcast address without the option `broadcast`.
   * @throws {LimitError} With the code `write_queue`, if `maxSendQueue` or `maxSendQueueBytes` wait.
   * @throws {ClosedError} If the endpoint was closed here.
   */
  send(data: DatagramData, to: UdpTarget): Promise<void> {
    return socketOf(this).send(data, to);
  }

  /**
   * Sends a datagram and waits for the answer; asks again while none comes.
   *
   * A late answer is never taken for another request's. With a `match` that looks for the request's
   * own id, requests and answers use the endpoint's own socket, any number at a time. Without `match`
   * nothing in the datagrams tells answers apart, so each request leaves from a socket of its own: the
   * same address, another port. A peer that must see the same port each time, such as one with
   * `sessions()`, needs a `match`, or `samePort` where no late answer is to be feared.
   *
   * Answers that come late or twice are dropped and counted in `stats().lateAnswers`. What else comes to
   * a request's socket within five seconds after the answer, such as the answers of the other members of a
   * group, is received with `receive()`. The receiver may see a request more than once.
   *
   * Cancellation: a request that was aborted or timed out may have been received and acted on.
   *
   * @param data Bytes, or text that is sent as UTF-8.
   * @param to Host and port, or a path.
   * @param options How long and how often to ask, and what the answer looks like.
   * @returns The answer, owned by the caller.
   * @throws {Deno.errors.TimedOut} If no answer came; the message says to how many tries over how long.
   * @throws {LimitError} With the code `requests`, if `maxRequests` wait already.
   * @throws {RangeError | TypeError} If there is no such option, or one is out of range, or the port or the
   * size is.
   * @throws {Deno.errors.NotFound} If there is no such host, or no such unix socket.
   * @throws {ClosedError} If the endpoint was closed here.
   *
   * @example With an id in the first byte
   * ```ts
   * import { bindUdp, serveUdp } from "@tincan/net/udp";
   * import { assertEquals } from "@std/assert";
   *
   * await using server = await serveUdp({ onListen() {} }, ({ data }) => data);
   * await using endpoint = await bindUdp();
   *
   * const answers = await Promise.all([1, 2, 3].map((id) =>
   *   endpoint.request(new Uint8Array([id]), server.addr, { match: (data) => data[0] === id })
   * ));
   * assertEquals(answers.map(({ data }) => data[0]), [1, 2, 3]);
   * ```
   */
  request(
    data: DatagramData,
    to: UdpTarget,
    options: UdpRequestOptions<Addr> = {},
  ): Promise<Datagram<Addr>> {
    return socketOf(this).request(data, to, options);
  }

  /**
   * Joins a multicast group, so that datagrams to the group arrive here too.
   *
   * Bind to `"0.0.0.0"` (or `"::"`) and the group's port first; a socket on 127.0.0.1 receives no
   * group. Several members on one machine need `reuseAddress`.
   *
   * @param group The group's address, such as `"239.1.2.3"` or `"ff02::1:3"`.
   * @param options On which interface, and how far to send.
   * @returns The membership, to leave the group and to change its settings.
   * @throws {TypeError} If `group` is not a multicast address of the socket's family.
   * @throws {RangeError} If `ttl` is not from 1 to 255.
   * @throws {Error} If the system refuses, with the code `EINVAL`, `ENODEV` or the like.
   * @throws {ClosedError} If the endpoint was closed here.
   *
   * @example
   * ```ts
   * import { bindUdp } from "@tincan/net/udp";
   *
   * await using endpoint = await bindUdp({ hostname: "0.0.0.0", port: 0 });
   * const membership = await endpoint.joinMulticast("239.1.2.3", {
   *   interface: "127.0.0.1",
   *   ttl: 1,
   * });
   * await membership.leave();
   * ```
   */
  async joinMulticast(
    group: string,
    options: MulticastOptions = {},
  ): Promise<MulticastMembership> {
    checkOptions("joinMulticast", options, MULTICAST_NAMES);
    return await socketOf(this).joinMulticast(group, options);
  }
}
