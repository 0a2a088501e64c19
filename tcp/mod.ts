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
 * await using conn = await connectTcp({ port: server.addr.port });
 * await conn.write("hello\n");
 * assertEquals(await conn.readLine(), "hello");
 * ```
 *
 * @module
 */
export { formatAddr } from "../common/address.ts";
export { connectTcp } from "./connect.ts";
export type {
  RetryOptions,
  TcpConnectBaseOptions,
  TcpConnectOptions,
  TlsClientOptions,
  UnixConnectOptions,
} from "./connect_options.ts";
export type { CloseInfo, CloseOptions } from "./close_options.ts";
export { TcpConnection, type TcpConnectionStats } from "./connection.ts";
export { Framed } from "./framed.ts";
export type { ReadOptions, ReadUntilOptions } from "./read_options.ts";
export { serveTcp, type TcpHandler } from "./server.ts";
export type { ShutdownOptions } from "../_internal/shutdown.ts";
export type { TcpServer, TcpServerStats } from "./server_handle.ts";
export type {
  TcpServerBaseOptions,
  TcpServerLimits,
  TcpServerOptions,
  TlsServerOptions,
  UnixServerOptions,
} from "./server_options.ts";
export type { TcpTimeouts } from "./timeouts.ts";
export type { TcpLimits } from "./limits.ts";
