/**
 * Datagrams to and from one peer.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { checkHostname, checkPort, netAddr } from "../common/address.ts";
import { checkOptions, namesOf, type OptionNames } from "../common/options.ts";
import { SOCKET_NAMES } from "../common/udp_option_names.ts";
import type { DatagramSocket } from "./_socket.ts";
import { isForMany } from "./_targets.ts";
import { destination, resolve } from "./_numeric_address.ts";
import { bind } from "./bind.ts";
import type { Datagram, DatagramData } from "./datagram.ts";
import { socketOf, UdpSocket } from "./endpoint.ts";
import type { UdpRequestOptions, UdpSocketOptions } from "./options.ts";

/** The peer to exchange datagrams with. */
export interface UdpConnectOptions extends UdpSocketOptions {
  /** The peer's port, from 1 to 65535. */
  port: number;
  /**
   * The peer's address or name. A name is looked up once. `0.0.0.0` and `::` are this machine, as they
   * are for the system: its loopback address.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string | undefined;
  /**
   * The port to bind on this side; 0 lets the system choose a free one.
   *
   * @default {0}
   */
  localPort?: number | undefined;
  /**
   * The address to bind on this side.
   *
   * @default {undefined} the loopback address for a peer on it, otherwise every address of the peer's
   * family
   */
  localHostname?: string | undefined;
  /** What an address says of itself: `connectUdp(endpoint.addr)` works. It changes nothing. */
  transport?: Deno.NetAddr["transport"] | undefined;
}

const CONNECT_NAMES: OptionNames<UdpConnectOptions> = {
  ...SOCKET_NAMES,
  ...namesOf("port", "hostname", "localPort", "localHostname", "transport"),
};

/**
 * A datagram socket with one peer: whatever others send to it is dropped and counted. With a multicast
 * or broadcast address as the peer, the datagrams of all senders are taken, because its members answer
 * from their own addresses.
 *
 * Nothing is sent to make the "connection", and the peer need not be there: start in any order.
 *
 * @typeParam Addr What its addresses look like.
 *
 * @example
 * ```ts
 * import { connectUdp, serveUdp } from "@tincan/net/udp";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveUdp(
 *   { port: 0, onListen() {} },
 *   (question) => `you said ${question.text()}`,
 * );
 *
 * await using peer = await connectUdp({ port: server.addr.port });
 * const answer = await peer.request("hello");
 * assertEquals(answer.text(), "you said hello");
 * ```
 */
export class UdpPeer<Addr extends SocketAddress = SocketAddress> extends UdpSocket<Addr> {
  /** The peer's address, in numbers. */
  readonly remoteAddr: Addr;

  /**
   * Made by {@linkcode connectUdp}.
   *
   * @param socket The socket below, which listens to the peer only.
   * @param remoteAddr The peer's address, in numbers.
   * @ignore
   */
  constructor(socket: DatagramSocket, remoteAddr: Addr) {
    super(socket);
    this.remoteAddr = remoteAddr;
  }

  /** This side's address, under the name it has on connections. */
  get localAddr(): Addr {
    return this.addr;
  }

  /**
   * Sends one datagram to the peer; see {@linkcode UdpEndpoint.send}.
   *
   * @param data Bytes, or text that is sent as UTF-8.
   * @returns A promise that settles when the system has taken the datagram. That is not a receipt.
   * @throws {RangeError} If the datagram is longer than 65,507 bytes (over IPv6: 65,527).
   * @throws {ClosedError} If it was closed here.
   */
  send(data: DatagramData): Promise<void> {
    return socketOf(this).send(data, this.remoteAddr);
  }

  /**
   * Sends a datagram to the peer and waits for the answer; asks again while none comes. See
   * {@linkcode UdpEndpoint.request}.
   *
   * Cancellation: a request that was aborted or timed out may have been received and acted on.
   *
   * @param data Bytes, or text that is sent as UTF-8.
   * @param options How long and how often to ask, and what the answer looks like.
   * @returns The answer, owned by the caller.
   * @throws {Deno.errors.TimedOut} If no answer came; the message says to how many tries over how long.
   * @throws {LimitError} With the code `requests`, if `maxRequests` wait already.
   * @throws {ClosedError} If it was closed here.
   */
  request(data: DatagramData, options: UdpRequestOptions<Addr> = {}): Promise<Datagram<Addr>> {
    return socketOf(this).request(data, this.remoteAddr, options);
  }
}

/**
 * Makes a datagram socket that exchanges datagrams with one peer only.
 *
 * @param options The peer, and how much may wait.
 * @returns The socket; nothing was sent yet.
 * @throws {RangeError | TypeError} If there is no such option, or one is out of range.
 * @throws {Deno.errors.NotFound} If there is no such host.
 * @throws {Deno.errors.NotCapable} Without the permission to use the network there.
 *
 * @example
 * ```ts
 * import { connectUdp } from "@tincan/net/udp";
 *
 * await using peer = await connectUdp({ hostname: "127.0.0.1", port: 514 });
 * await peer.send("<13>hello, syslog");
 * ```
 */
export async function connectUdp(options: UdpConnectOptions): Promise<UdpPeer<Deno.NetAddr>> {
  checkOptions("connectUdp", options, CONNECT_NAMES);
  const { port, hostname = "127.0.0.1", localPort = 0, localHostname, transport: _, ...rest } =
    options;
  checkPort("port", port, 1);
  checkPort("localPort", localPort);
  if (localHostname !== undefined) checkHostname("localHostname", localHostname);
  const v6 = localHostname === undefined || localHostname.includes(":");
  const address = await resolve(hostname, v6, port);
  const remoteAddr = netAddr("udp", destination(address.hostname), port);
  const socket = await bind({
    ...rest,
    port: localPort,
    hostname: localHostname ?? ownSide(remoteAddr.hostname),
    // The members of a group answer from their own addresses.
    peer: isForMany(remoteAddr) ? undefined : remoteAddr,
  });
  return new UdpPeer(socket, remoteAddr);
}

/** Where to bind to reach `hostname`: no wider than it takes. */
function ownSide(hostname: string): string {
  if (hostname.startsWith("127.")) return "127.0.0.1";
  if (hostname === "::1") return "::1";
  return hostname.includes(":") ? "::" : "0.0.0.0";
}
