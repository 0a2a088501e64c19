/**
 * tincan: the missing layer between Deno's raw sockets and a finished protocol.
 *
 * Servers and clients for TCP, TLS, UDP and unix sockets that survive the real network, and message
 * boundaries on byte streams. One client's reset does not end the server, a read that times out loses
 * nothing, a write sends everything, closing says goodbye; every queue and every wait has a limit, and
 * nothing is exposed beyond this machine unless asked for. It depends on nothing but Deno.
 *
 * ```sh
 * deno add jsr:@tincan/net
 * ```
 *
 * | import | for |
 * |---|---|
 * | `@tincan/net` | everything of the next four |
 * | `@tincan/net/tcp` | {@linkcode serveTcp}, {@linkcode connectTcp}: TCP, TLS, unix sockets |
 * | `@tincan/net/udp` | {@linkcode serveUdp}, {@linkcode connectUdp}, {@linkcode bindUdp}, {@linkcode sessions} |
 * | `@tincan/net/framing` | where a message ends: {@linkcode lines}, {@linkcode lengthPrefixed}, {@linkcode netstring}, {@linkcode json} … |
 * | `@tincan/net/errors` | {@linkcode FrameError}, {@linkcode LimitError}, {@linkcode ClosedError}; otherwise the runtime's own classes |
 * | `@tincan/net/echo` | the first program of every tutorial |
 * | `@tincan/net/chat` | a room that `nc` can join, and talk by name over UDP |
 * | `@tincan/net/files` | a folder to download from: verified, resumed |
 * | `@tincan/net/http` | a web page over a raw socket, every step to look at |
 * | `@tincan/net/scan` | which ports are open, closed or filtered |
 * | `@tincan/net/relay` | what passes between two sides, read by read and message by message |
 *
 * Servers end as they should, too: `server.shutdown({ timeout })` lets conversations finish.
 *
 * It needs Deno 2.9.5 or later, and `--allow-net`. Without the flag `--unstable-net` UDP works over
 * `node:dgram`; only `reusePort` needs it.
 *
 * @example Lines of text in, lines of text out
 * ```ts
 * import { connectTcp, lines, serveTcp, text } from "@tincan/net";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
 *   const messages = conn.framed(text(lines({ maxLength: 4_096 })));
 *   await messages.send("What is your name?");
 *   const name = await messages.receive({ timeout: 30_000 });
 *   for await (const message of messages) await messages.send(`${name} said: ${message}`);
 * });
 *
 * await using conn = await connectTcp({ port: server.addr.port, timeout: 5_000 });
 * const messages = conn.framed(text(lines()));
 * assertEquals(await messages.receive(), "What is your name?");
 * await messages.send("Ada");
 * assertEquals(await messages.request("hello"), "Ada said: hello");
 * ```
 *
 * @example A question over UDP, asked again until it is answered
 * ```ts
 * import { connectUdp, serveUdp } from "@tincan/net";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveUdp({ port: 0, onListen() {} }, ({ data }) => data);
 * await using peer = await connectUdp({ port: server.addr.port });
 * const answer = await peer.request("ping", { timeout: 500, retries: 5 });
 * assertEquals(answer.text(), "ping");
 * ```
 *
 * @module
 */
export * from "./errors.ts";
export * from "./framing/mod.ts";
export * from "./tcp/mod.ts";
export * from "./udp/mod.ts";
