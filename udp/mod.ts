/**
 * Datagram sockets: UDP over either of the runtime's backends, and unix datagrams.
 *
 * It works without the runtime flag `--unstable-net` (over `node:dgram`), and faster with it (over
 * `Deno.listenDatagram`).
 *
 * @example A server, and a client that asks until it is answered
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
 * const answer = await peer.request("hello", { timeout: 500, retries: 5 });
 * assertEquals(answer.text(), "you said hello");
 * ```
 *
 * @module
 */
export { formatAddr } from "../common/address.ts";
export type { SocketAddress } from "../errors.ts";
export type { UdpTarget } from "./_address.ts";
export type { MulticastMembership, MulticastOptions } from "./_multicast.ts";
export { bindUdp } from "./bind.ts";
export { connectUdp, type UdpConnectOptions, UdpPeer } from "./connect.ts";
export type { Datagram, DatagramData } from "./datagram.ts";
export { UdpEndpoint, UdpSocket } from "./endpoint.ts";
export type { UdpEndpointStats } from "./endpoint_stats.ts";
export {
  type UdpBaseOptions,
  type UdpBindOptions,
  type UdpReceiveOptions,
  type UdpRequestOptions,
  type UdpSocketOptions,
  type UnixDatagramOptions,
} from "./options.ts";
export type { ShutdownOptions } from "../_internal/shutdown.ts";
export { serveUdp } from "./server.ts";
export type { UdpServer, UdpServerStats } from "./server_handle.ts";
export {
  type DedupOptions,
  type UdpHandler,
  type UdpHandlerContext,
  type UdpServerBaseOptions,
  type UdpServerOptions,
  type UnixDatagramServerOptions,
} from "./server_options.ts";
export { sessions } from "./sessions.ts";
export {
  type SessionEnd,
  type SessionHandler,
  type UdpSession,
  type UdpSessions,
  type UdpSessionsOptions,
  type UdpSessionsStats,
} from "./sessions_options.ts";
