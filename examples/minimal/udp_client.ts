/**
 * A UDP client: asks, and asks again if there is no reply. The server may start later.
 *
 *     deno run -A examples/minimal/udp_client.ts [--port 9999] hello
 */
import { parseArgs } from "@std/cli/parse-args";
import { connectUdp } from "@tincan/net";

const { port, _: words } = parseArgs(Deno.args, { default: { port: 9999 } });

await using peer = await connectUdp({ port: Number(port) });
const reply = await peer.request(words.join(" "), { timeout: 250, retries: 5 });
console.log(reply.text());
