/** `--framing`, `--hex` and `--json` of `connect` and `listen`. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { testWith } from "../_util/peers.ts";
import { Shell, tincan } from "./_tincan.ts";

const pythonTest = testWith("python3");

const limit = { timeout: 30_000 };

/** Reads messages with a length in front, and answers each in upper case. */
const PYTHON_PEER = `
import socket, struct
s = socket.create_server(("127.0.0.1", 0)); print("listening on :%d" % s.getsockname()[1], flush=True)
f = s.accept()[0].makefile("rwb")
while head := f.read(4):
    body = f.read(struct.unpack(">I", head)[0]).upper()
    f.write(struct.pack(">I", len(body)) + body); f.flush()
f.close()
`;

pythonTest("each line goes out as a frame, each frame comes out as a line", limit, async () => {
  await using server = new Shell('exec python3 -c "$1"', PYTHON_PEER);
  const args = ["connect", "--framing", "u32", `${await server.port()}`];
  const { code, stdout, stderr } = await tincan(args, "hello\n\n\u00fcber\nlast");
  assertEquals([code, stdout, stderr], [0, "HELLO\n\n\u00fcBER\nLAST\n", ""]);
});

for (
  const name of ["lines", "json", "u8", "u16le", "varint", "netstring", "slip", "cobs", "fixed:3"]
) {
  Deno.test(`--framing ${name} on both sides`, limit, async () => {
    await using server = new Shell('exec $TINCAN listen --framing "$1" < /dev/null', name);
    const input = name === "json" ? '{"a":1}\n[2]\n' : "one\ntwo\n";
    const { code } = await tincan(["connect", `${await server.port()}`, "--framing", name], input);
    assertEquals([code, (await server.end()).stdout], [0, input]);
  });
}

Deno.test("a line that cannot be a message is said, and the others are sent", limit, async () => {
  await using server = new Shell("exec $TINCAN listen < /dev/null");
  const args = ["connect", `${await server.port()}`, "--framing", "json"];
  const { code, stderr } = await tincan(args, "1\nnonsense\n2\n");
  assertEquals([code, (await server.end()).stdout], [1, "1\n2\n"]);
  assertMatch(stderr, /^Not sent: [^\n]+\n$/);
});

Deno.test("bytes that are no messages are a failure, behind what was one", limit, async () => {
  await using server = new Shell("printf '3:one,nonsense' | $TINCAN listen");
  const { code, stdout, stderr } = await tincan(
    ["connect", `${await server.port()}`, "--framing", "netstring"],
  );
  assertEquals([code, stdout], [1, "one\n"]);
  assertMatch(stderr, /^[^\n]+\n$/);
});

Deno.test("--hex shows both directions on stderr, and leaves the data alone", limit, async () => {
  await using server = new Shell("printf answer | $TINCAN listen --verbose");
  const { stdout, stderr } = await tincan(
    ["connect", "--hex", `${await server.port()}`],
    "ask\x1b",
  );
  assertEquals(stdout, "answer");
  assertStringIncludes(
    stderr,
    "  00000000  61 73 6b 1b                                       |ask.|",
  );
  assertMatch(stderr, /#1 < 6 bytes\n {2}00000000 {2}61 6e 73 77 65 72 .*\|answer\|\n/);
  assertMatch(stderr, /#1 closed: the \w+ ended first, > 4 bytes, < 6 bytes, /);
  assertMatch((await server.end()).stderr, /#1 open: .*\n.*end[^]*closed: /);
});

Deno.test("--json tells everything on stdout, one object on a line", limit, async () => {
  await using server = new Shell("printf 'one\\ntwo\\n' | $TINCAN listen");
  const args = ["connect", "--json", "--framing", "lines", `${await server.port()}`];
  const { code, stdout, stderr } = await tincan(args, "ask\n");
  assertEquals([code, stderr], [0, ""]);
  const events = stdout.trim().split("\n").map((line) => JSON.parse(line));
  const messages = events.filter(({ type }) => type === "message");
  assertEquals(
    messages.map(({ from, number, offset, length, data }) => [
      ...[from, number, offset, length],
      atob(data),
    ]),
    [["target", 1, 0, 4, "one"], ["target", 2, 4, 4, "two"]],
  );
  const { type, fromClient, fromTarget } = events.at(-1);
  assertEquals([type, fromClient, fromTarget], ["close", 4, 8]);
});
