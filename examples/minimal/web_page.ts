/**
 * A web page over a raw socket: connect, ask, read the head up to the empty line, and then the body.
 * For real pages there is `httpGet` in `@tincan/net/http`.
 *
 *     deno run -A examples/minimal/web_page.ts http://example.com/
 */
import { connectTcp } from "@tincan/net";

const { hostname, host, port, pathname } = new URL(Deno.args[0] ?? "http://example.com/");

await using conn = await connectTcp({ hostname, port: Number(port || 80), timeout: 5_000 });
await conn.write(`GET ${pathname} HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
const head = await conn.readUntil("\r\n\r\n");
console.error(new TextDecoder().decode(head ?? undefined));
for await (const chunk of conn) await Deno.stdout.write(chunk);
