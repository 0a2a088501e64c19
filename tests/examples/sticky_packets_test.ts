import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { exampleArgs, run, runExample } from "./_run.ts";

Deno.test("sticky_packets shows the problem, and that framing cures it", async () => {
  const { code, stdout, stderr } = await runExample("sticky_packets.ts", []);
  const [naive = "", framed = ""] = stdout.split("\n\n");
  assertStringIncludes(naive, "7 sent, ");
  assert(!naive.includes("  2. two\n"), "read by read, messages should stick together");
  assertStringIncludes(naive, "onetwothree");
  assertStringIncludes(framed, "7 sent, 7 received\n  1. one\n  2. two\n  3. three\n");
  assertStringIncludes(framed, "(100000 characters)\n  5. four\n  6. five\n  7. six");
  assertEquals(stderr, "");
  assertEquals(code, 0);
});

Deno.test("sticky_packets refuses arguments it does not know", async () => {
  const { code, stderr } = await runExample("sticky_packets.ts", ["--sticky"]);
  assertStringIncludes(stderr, "Unknown option --sticky");
  assertEquals(code, 2);
});

Deno.test("sticky_packets says in one line that its output cannot be written", async () => {
  const command = ["-c", 'exec "$@" >/dev/full', "sh", Deno.execPath()];
  const { code, stderr } = await run("sh", [...command, ...exampleArgs("sticky_packets.ts", [])]);
  assertEquals([stderr, code], ["Cannot write the output: No space left on device\n", 1]);
});
