import { assertEquals, assertMatch } from "@std/assert";
import { tincan } from "./_tincan.ts";
import { portOf, tcp } from "../_util/transports.ts";

Deno.test("http --json prints the head and the size of a page", { timeout: 30_000 }, async () => {
  const page = "HTTP/1.1 200 Very Good\r\nContent-Length: 5\r\nX-Odd: \u00e9\r\n" +
    "Set-Cookie: a=1; Expires=Mon, 1 Jan 2035 00:00:00 GMT\r\nVia: 1.1 a\r\nset-cookie: b=2\r\n" +
    "Via: 1.1 b\r\n__proto__: x\r\n\r\nhello";
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
  const { headers, fields, ...rest } = JSON.parse(stdout);
  assertEquals(rest, {
    url: `${url}there`,
    version: "1.1",
    status: 200,
    reason: "Very Good",
    size: 5,
    redirects: [{ url, status: 302 }],
  });
  assertEquals(headers["content-length"], "5");
  const cookies = ["a=1; Expires=Mon, 1 Jan 2035 00:00:00 GMT", "b=2"];
  assertEquals(headers["set-cookie"], cookies);
  assertEquals(headers.via, "1.1 a, 1.1 b");
  assertEquals(fields.map(([name]: [string]) => name), [
    ...["Content-Length", "X-Odd", "Set-Cookie", "Via", "set-cookie", "Via", "__proto__"],
  ]);
  assertEquals(fields[2], ["Set-Cookie", cookies[0]]);
});
