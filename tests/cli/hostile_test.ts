/** Peers that send what is no message, and outputs that fail. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { testWith } from "../_util/peers.ts";
import { inFolder, Shell, shell, tincan } from "./_tincan.ts";

const ncTest = testWith("nc");

const limit = { timeout: 60_000 };

for (const flags of ["", "--keep-open"]) {
  ncTest(`what a peer of listen ${flags} does wrong is one escaped line`, limit, async () => {
    await using server = new Shell(`exec $TINCAN listen --framing json ${flags} < /dev/null`);
    const port = await server.port();
    await shell(`printf '\\033[2J\\n"ok"\\n' | nc -N 127.0.0.1 ${port}`);
    await server.shows(/"ok"\n/);
    if (flags !== "") server.kill("SIGINT");
    const { code, stdout, stderr } = await server.end();
    assertEquals([code, stdout], [0, '"ok"\n']);
    assertMatch(
      stderr,
      /^listening on .*\n127\.0\.0\.1:\d+: Cannot decode a frame: Unexpected token '␛'[^\n]*\n$/,
    );
    assertEquals(stderr.includes("\x1b"), false);
  });
}

ncTest("a framing error of a peer is said once, without a stack", limit, async () => {
  await using server = new Shell("exec $TINCAN listen --framing netstring --keep-open < /dev/null");
  const port = await server.port();
  await shell(`printf '3:one,\\033[2J' | nc -N 127.0.0.1 ${port}`);
  await server.shows(/byte 0x1b\n/);
  server.kill("SIGINT");
  const { code, stderr } = await server.end();
  assertEquals(code, 0);
  assertMatch(stderr, /^listening on .*\n127\.0\.0\.1:\d+: [^\n]* byte 0x1b\n$/);

  await using other = new Shell("printf '3:one,\\033[2J' | exec $TINCAN listen");
  const { code: failed, stderr: said } = await tincan(
    ["connect", "--framing", "netstring", `${await other.port()}`],
  );
  assertEquals(failed, 1);
  assertMatch(said, /^[^\n]+\n$/);
  assertEquals(said.includes("\x1b"), false);
});

ncTest("many broken messages are a few lines, and the others are shown", limit, async () => {
  await using server = new Shell("exec $TINCAN listen --framing json < /dev/null");
  const port = await server.port();
  await shell(`{ yes x | head -n 10000; echo '"last"'; } | nc -N 127.0.0.1 ${port}`);
  const { code, stdout, stderr } = await server.end();
  assertEquals([code, stdout], [0, '"last"\n']);
  const lines = stderr.trim().split("\n");
  assert(lines.length < 1_000, `${lines.length} lines`);
  const told = lines.filter((line) => line.includes("Cannot decode")).length;
  let leftOut = 0;
  for (const line of lines) leftOut += Number(/^(\d+) more like this/.exec(line)?.[1] ?? 0);
  assertEquals(told + leftOut, 10_000);
});

ncTest(
  "a peer that sends tiny messages stops neither Ctrl-C nor the other clients",
  limit,
  async () => {
    await using server = new Shell(
      "exec $TINCAN listen -k --framing lines < /dev/null > /dev/null",
    );
    const port = await server.port();
    await using flood = new Shell("yes '' | exec nc 127.0.0.1 \"$1\"", port);
    await using other = new Shell('printf "\\033 hi" | exec nc -N 127.0.0.1 "$1"', port);
    assertEquals((await other.end()).code, 0); // its connection was closed by the server
    server.kill("SIGINT");
    assertEquals((await server.end()).code, 0);
    await flood.end();
  },
);

Deno.test("input that cannot be sent stops no Ctrl-C", limit, () =>
  inFolder(async (folder) => {
    await using server = new Shell("exec $TINCAN listen > /dev/null < /dev/null");
    const port = await server.port();
    const script =
      'mkfifo "$2/x"; yes x > "$2/x" & exec $TINCAN connect --framing json $1 < "$2/x"';
    await using client = new Shell(script, port, folder);
    await client.shows(/^Not sent/);
    client.kill("SIGINT");
    assertEquals((await client.end()).code, 130);
  }));

Deno.test("JSON passes as it was written", limit, async () => {
  const texts = ["9007199254740993", "1.0", '{"a":1,"a":2}', '{ "b": 1E400 }', '"\\u0041"'];
  const input = texts.map((text) => `${text}\n`).join("");
  await using server = new Shell("exec $TINCAN listen --framing json < /dev/null");
  const { code } = await tincan(["connect", `${await server.port()}`, "--framing", "json"], input);
  assertEquals([code, (await server.end()).stdout], [0, input]);

  await using events = new Shell("exec $TINCAN listen --framing json --json < /dev/null");
  await tincan(["connect", `${await events.port()}`, "--framing", "json"], input);
  const { stdout } = await events.end();
  for (const text of texts) assertStringIncludes(stdout, `"value":${text}}\n`);
});

Deno.test("a line that is not UTF-8 is not sent as JSON", limit, async () => {
  await using server = new Shell("exec $TINCAN listen < /dev/null");
  const sent = await shell(
    `printf '"\\377"\\n1\\n' | $TINCAN connect --framing json ${await server.port()}`,
  );
  assertEquals([sent.code, sent.stderr], [1, "Not sent: the line is not UTF-8\n"]);
  assertEquals((await server.end()).stdout, "1\n");
});

for (const view of ["--hex", "--verbose"]) {
  Deno.test(`connect ${view} passes the data when stderr is full`, limit, async () => {
    await using server = new Shell("printf answer | $TINCAN listen > /dev/null");
    const { code, stdout } = await shell(
      `printf ask | $TINCAN connect ${view} ${await server.port()} 2> /dev/full`,
    );
    assertEquals([code, stdout], [0, "answer"]);
    assertEquals((await server.end()).code, 0);
  });
}

Deno.test("connect --json fails in one line when stdout is full", limit, async () => {
  await using server = new Shell("printf answer | $TINCAN listen > /dev/null");
  const { code, stderr } = await shell(
    `printf ask | $TINCAN connect --json ${await server.port()} > /dev/full`,
  );
  assertEquals(code, 1);
  assertMatch(stderr, /^Cannot write the output: No space left on device\n$/);
});
