// The other side of the wire: Python's struct, netstrings and lines, and npm's it-length-prefixed.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type Codec,
  frames,
  lengthPrefixed,
  lines,
  netstring,
  varintPrefixed,
} from "@tincan/net/framing";
import { decode as decodePeer, encode as encodePeer } from "it-length-prefixed";
import { testWith } from "../_util/peers.ts";
import { concat } from "./_harness.ts";

const pythonTest = testWith("python3");

/** Reads frames from stdin and writes each back, reversed. */
const PYTHON = {
  struct: `
import struct, sys
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
size = struct.calcsize(FORMAT)
while True:
    header = stdin.read(size)
    if not header: break
    (length,) = struct.unpack(FORMAT, header)
    data = stdin.read(length)[::-1]
    stdout.write(struct.pack(FORMAT, len(data)) + data)
    stdout.flush()
`,
  netstring: `
import sys
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
while True:
    digits = b""
    while (byte := stdin.read(1)) and byte != b":": digits += byte
    if not digits: break
    data = stdin.read(int(digits))[::-1]
    assert stdin.read(1) == b","
    stdout.write(b"%d:%b," % (len(data), data))
    stdout.flush()
`,
  lines: `
import sys
for line in sys.stdin.buffer:
    sys.stdout.buffer.write(line.rstrip(b"\\r\\n")[::-1] + ENDING)
    sys.stdout.buffer.flush()
`,
};

async function checkPeer(
  program: string,
  codec: Codec<Uint8Array>,
  messages: Uint8Array[],
): Promise<void> {
  const child = new Deno.Command("python3", {
    args: ["-c", program],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const sent = (async () => {
    const writer = child.stdin.getWriter();
    for (const message of messages) await writer.write(codec.encode(message));
    await writer.close();
  })();
  const answers = await Array.fromAsync(frames(child.stdout, codec));
  await sent;
  assertEquals(answers, messages.map((message) => message.toReversed()));
  assert((await child.status).success);
}

const sizes = [0, 1, 2, 100, 255, 256, 1000, 65535];
const binary = sizes.map((size) => new Uint8Array(size).map((_, i) => i * 7));
const printable = sizes.map((size) => new Uint8Array(size).map((_, i) => 0x20 + i % 64));

for (
  const [format, options] of [
    [">H", { size: 2 }],
    [">I", { size: 4 }],
    ["<I", { size: 4, littleEndian: true }],
    [">Q", { size: 8 }],
  ] as const
) {
  pythonTest(`peer: Python struct ${format}`, async () => {
    const program = PYTHON.struct.replaceAll("FORMAT", `"${format}"`);
    await checkPeer(program, lengthPrefixed(options), binary);
  });
}

pythonTest("peer: Python netstrings", async () => {
  await checkPeer(PYTHON.netstring, netstring(), binary);
});

for (const ending of ["\n", "\r\n"] as const) {
  pythonTest(`peer: Python lines that end in ${JSON.stringify(ending)}`, async () => {
    const program = PYTHON.lines.replace("ENDING", `b${JSON.stringify(ending)}`);
    await checkPeer(program, lines({ ending }), printable);
  });
}

Deno.test("peer: it-length-prefixed reads our varints, and we its", async () => {
  const message = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constant(new Uint8Array(20_000)));
  await fc.assert(
    fc.asyncProperty(fc.array(message), async (messages) => {
      const ours = concat(messages.map((each) => varintPrefixed().encode(each)));
      const theirs = concat(Array.from(encodePeer(messages), (list) => list.subarray()));
      assertEquals(ours, theirs);
      const decoded = Array.from(decodePeer([ours]), (list) => list.subarray());
      assertEquals(decoded, messages);
      assertEquals(await Array.fromAsync(frames([theirs], varintPrefixed())), messages);
    }),
    { numRuns: 50 },
  );
});
