/**
 * A handler for each connection, as in Python's `socketserver`: the loop, the errors and the end of each
 * connection are the library's. Ctrl-C lets the handlers finish.
 *
 *     deno run -A examples/minimal/handler_server.ts [--port 9999]
 */
import { parseArgs } from "@std/cli/parse-args";
import { serveTcp, type TcpConnection } from "@tincan/net";

const { port } = parseArgs(Deno.args, { default: { port: 9999 } });

async function handle(conn: TcpConnection): Promise<void> {
  const name = await conn.readLine({ timeout: 10_000 });
  await conn.write(`Hello, ${name ?? "stranger"}!\n`);
}

const server = serveTcp({ port: Number(port), limits: { maxConnections: 100 } }, handle);
Deno.addSignalListener("SIGINT", () => server.shutdown({ timeout: 5_000 }));
