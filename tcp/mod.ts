/**
 * TCP, TLS and unix stream sockets: servers, clients, and the connection that both get.
 *
 * @example An echo server and its client
 * ```ts
 * import { connectTcp, serveTcp } from "@tincan/net/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
 *   for await (const chunk of conn) await conn.write(chunk);
 * });
 *
 * await using conn = await connectTcp({ port: (server.addr as Deno.NetAddr).port });
 * await conn.write("hello\n");
 * assertEquals(await conn.readLine(), "hello");
 * ```
 *
 * @module
 */
export { formatAddr } from "../common/address.ts";
export {
  connectTcp,
  DEFAULT_CONNECT_TIMEOUT,
  type RetryOptions,
  type TcpConnectBaseOptions,
  type TcpConnectOptions,
  type TlsClientOptions,
  type UnixConnectOptions,
} from "./connect.ts";
export { type CloseInfo, type CloseOptions, DEFAULT_LINGER } from "./close_options.ts";
export { DEFAULT_MAX_WRITE_QUEUE, TcpConnection, type TcpConnectionStats } from "./connection.ts";
export { Framed } from "./framed.ts";
export type { ReadOptions, ReadUntilOptions } from "./read_options.ts";
export { serveTcp, type TcpHandler } from "./server.ts";
export {
  DEFAULT_SHUTDOWN_TIMEOUT,
  type ShutdownOptions,
  type TcpServer,
  type TcpServerStats,
} from "./server_handle.ts";
export {
  DEFAULT_BACKLOG,
  type TcpServerBaseOptions,
  type TcpServerLimits,
  type TcpServerOptions,
  type TlsServerOptions,
  type UnixServerOptions,
} from "./server_options.ts";
export type { TcpTimeouts } from "./timeouts.ts";
export { DEFAULT_MAX_CONNECTIONS } from "./_admission.ts";
