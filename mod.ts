/**
 * tincan: the missing layer between Deno's raw sockets and a finished protocol.
 *
 * Servers and clients for TCP, TLS and unix sockets that survive the real network.
 *
 * @example A server that answers every line
 * ```ts
 * import { connectTcp, serveTcp } from "@tincan/net";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
 *   for (let line = await conn.readLine(); line !== null; line = await conn.readLine()) {
 *     await conn.write(`you said ${line}\n`);
 *   }
 * });
 *
 * await using conn = await connectTcp({ port: (server.addr as Deno.NetAddr).port });
 * await conn.write("hello\n");
 * assertEquals(await conn.readLine(), "you said hello");
 * ```
 *
 * @module
 */
export * from "./errors.ts";
export * from "./framing/mod.ts";
export * from "./tcp/mod.ts";
export * from "./udp/mod.ts";
