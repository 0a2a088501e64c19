/**
 * The "sticky packet" problem and its cure: a stream has no messages, so a length stands before each.
 *
 *     deno run -A examples/minimal/framing.ts
 */
import { connectTcp, lengthPrefixed, serveTcp, text } from "@tincan/net";

const codec = text(lengthPrefixed({ size: 4 }));

await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
  for await (const message of conn.framed(codec)) console.log(message);
});

await using conn = await connectTcp({ port: server.addr.port });
await conn.framed(codec).sendAll(["one", "two", "three"]); // in one write, and three messages
await conn.close();
await server.shutdown();
