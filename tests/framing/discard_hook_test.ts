import { assertEquals, assertMatch } from "@std/assert";
import { lines } from "../../framing/mod.ts";
import { captureErrors, nextTurn } from "../_util/events.ts";

Deno.test("an onDiscard that rejects harms no one and is reported once", async () => {
  const frames: number[] = [];
  const printed = await captureErrors(async () => {
    const decoder = lines({
      maxLength: 2,
      onTooLong: "discard",
      // deno-lint-ignore require-await -- a hook that was made async by mistake
      onDiscard: async (error) => {
        throw new Error(`from the hook \x1b[2J ${error.code}`);
      },
    }).decoder();
    for (let i = 0; i < 3; i++) {
      decoder.push(
        new TextEncoder().encode("too long\nok\n"),
        (frame) => void frames.push(frame.length),
      );
    }
    await nextTurn();
  });
  assertEquals(frames, [2, 2, 2]);
  assertEquals(printed.length, 1);
  assertMatch(String(printed[0]?.[0]), /^Error: from the hook \\x1b\[2J too_long\n {4}at /);
});
