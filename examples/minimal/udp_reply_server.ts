/**
 * A UDP server: what the handler returns is the reply. Many peers share its one socket.
 *
 *     deno run -A examples/minimal/udp_reply_server.ts [--port 9999]
 */
import { parseArgs } from "@std/cli/parse-args";
import { serveUdp } from "@tincan/net";

const { port } = parseArgs(Deno.args, { default: { port: 9999 } });

await serveUdp({ port: Number(port) }, (datagram) => datagram.text().toUpperCase());
