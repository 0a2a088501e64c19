/** Ctrl-C: the first one ends what is under way and says what it waits for, the second ends at once. */
import { assertEquals, assertMatch } from "@std/assert";
import { testWith } from "../_util/peers.ts";
import { Shell } from "./_tincan.ts";

const ncTest = testWith("nc");

const limit = { timeout: 60_000 };
const root = new URL("../../", import.meta.url).pathname;

/** A server whose handlers never end, whatever happens to their connections. */
const STUBBORN = `
import { serveTcp } from "${root}mod.ts";
import { serveUntilInterrupted } from "${root}terminal/program.ts";
await serveUntilInterrupted(() => serveTcp({ port: 0 }, () => {
  console.log("here");
  return new Promise(() => {});
}));
`;

ncTest(
  "a server says what it waits for, and a second Ctrl-C ends it at once",
  limit,
  async () => {
    await using server = new Shell("exec $TINCAN echo --greet hello --port 0");
    await using client = new Shell('exec nc 127.0.0.1 "$1"', await server.port());
    await client.shows(/hello/);
    client.kill("SIGSTOP"); // it neither reads nor ends
    server.kill("SIGINT");
    await server.shows(/^ending: waiting for one connection to end; Ctrl-C again ends at once$/m);
    server.kill("SIGINT");
    assertEquals((await server.end()).code, 130);
    client.kill("SIGCONT");
  },
);

ncTest(
  "a client that does not end delays the end for a second, not for six",
  limit,
  async () => {
    await using server = new Shell(
      'exec deno eval --ext=ts "$1"'.replace("deno", Deno.execPath()),
      STUBBORN,
    );
    await using _client = new Shell('exec nc 127.0.0.1 "$1"', await server.port());
    await server.shows(/here/);
    const before = performance.now();
    server.kill("SIGTERM");
    assertEquals((await server.end()).code, 0);
    const time = performance.now() - before;
    assertEquals(time < 5_000, true, `${time} ms`); // 1.25 s, and time for a busy machine
  },
);

Deno.test("a server that nobody holds up ends without a word", limit, async () => {
  await using server = new Shell("exec $TINCAN echo --port 0");
  await server.port();
  server.kill("SIGINT");
  const { code, stderr } = await server.end();
  assertEquals(code, 0);
  assertMatch(stderr, /^listening on [^\n]*\n$/);
});

for (const flags of ["", "--udp"]) {
  Deno.test(`listen ${flags} ends with 130 before its client, -k with 0`, limit, async () => {
    for (const [more, code] of [["", 130], ["-k", 0]] as const) {
      await using server = new Shell(`exec $TINCAN listen ${flags} ${more}`);
      await server.port();
      server.kill("SIGINT");
      assertEquals((await server.end()).code, code);
    }
  });
}
