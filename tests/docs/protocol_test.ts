/** The Python client of docs/design-your-own-protocol.md talks to the page's server. */
import { assertEquals, assertMatch } from "@std/assert";
import { Peer } from "../_util/peers.ts";
import { programArgs, readPage, unpack } from "./_page.ts";

const limit = { timeout: 60_000 };

Deno.test("docs/design-your-own-protocol.md: server.ts and client.py", limit, async () => {
  const page = await readPage("design-your-own-protocol.md");
  const [clientPrints, serverPrints] = page.blocks
    .filter(({ language }) => language === "text").map(({ code }) => code);
  const folder = await unpack(page);
  try {
    const script = '"$0" "$@" 2>&1'; // where it listens is for people, and goes to stderr
    const args = programArgs(folder, "server.ts");
    await using server = new Peer("sh", ["-c", `exec ${script}`, Deno.execPath(), ...args, "0"]);
    let line = await server.line();
    while (!line.startsWith("listening on")) line = await server.line();
    const [port = ""] = /\d+$/.exec(line) ?? [];
    assertMatch(port, /^\d+$/);
    await using client = new Peer("python3", [`${folder}/client.py`, port]);
    assertEquals(await client.rest(), clientPrints);
    server.kill("SIGTERM");
    assertEquals(await server.rest(), serverPrints);
    assertEquals((await server.status).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
