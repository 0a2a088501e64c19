/**
 * The loop of the tutorials: connections one after the other or many at once, in each a loop of messages,
 * which are lines. The message `exit` ends the connection.
 *
 *     deno run -A examples/minimal/upper_server.ts [--port 9999]
 */
import { parseArgs } from "@std/cli/parse-args";
import { lines, serveTcp, text } from "@tincan/net";

const { port } = parseArgs(Deno.args, { default: { port: 9999 } });

serveTcp({ port: Number(port) }, async (conn) => {
  const messages = conn.framed(text(lines()));
  for await (const message of messages) {
    if (message === "exit") return;
    await messages.send(message.toUpperCase());
  }
});
