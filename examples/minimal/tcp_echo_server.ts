/**
 * A TCP server that answers every read with the same bytes. Try it with `nc 127.0.0.1 9999`.
 *
 *     deno run -A examples/minimal/tcp_echo_server.ts [--port 9999]
 */
import { parseArgs } from "@std/cli/parse-args";
import { serveTcp } from "@tincan/net";

const { port } = parseArgs(Deno.args, { default: { port: 9999 } });

serveTcp({ port: Number(port) }, async (conn) => {
  for await (const chunk of conn) await conn.write(chunk);
});
