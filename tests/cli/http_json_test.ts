import { assertEquals, assertMatch } from "@std/assert";
import { tincan } from "./_tincan.ts";
import { portOf, tcp } from "../_util/transports.ts";

Deno.test("http --json prints the head and the size of a page", { timeout: 30_000 }, async () => {
  const page = "HTTP/1.1 200 Very Good\r\nContent-Length: 5\r\nX-Odd: \u00e9\r\n\r\nhello";
  const moved = "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n";
  await using server = tcp.serve({}, async (conn) => {
    const asked = await conn.readLine();
    while (await conn.readLine() !== "");
    await conn.write(asked?.startsWith("GET /there") ? page : moved);
  });
  const url = `http://127.0.0.1:${portOf(server)}/`;
  const { code, stdout, stderr } = await tincan(["http", "--json", url]);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^[ -~\u00a0-\uffff]+\n$/); // one line, no control characters
  const { headers, ...rest } = JSON.parse(stdout);
  assertEquals(rest, {
    url: `${url}there`,
    version: "1.1",
    status: 200,
    reason: "Very Good",
    size: 5,
    redirects: [{ url, status: 302 }],
  });
  assertEquals(headers["content-length"], "5");
});
