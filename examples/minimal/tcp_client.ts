/**
 * A TCP client: sends each line of the input, and prints the line that comes back.
 *
 *     deno run -A examples/minimal/tcp_client.ts [--port 9999]
 */
import { parseArgs } from "@std/cli/parse-args";
import { TextLineStream } from "@std/streams";
import { connectTcp } from "@tincan/net";

const { port } = parseArgs(Deno.args, { default: { port: 9999 } });
const decoder = new TextDecoderStream();

await using conn = await connectTcp({ port: Number(port) });
for await (
  const line of Deno.stdin.readable.pipeThrough(decoder).pipeThrough(new TextLineStream())
) {
  if (line === "") continue; // an empty message would have no answer
  await conn.write(`${line}\n`);
  console.log(await conn.readLine({ timeout: 5_000 }));
}
