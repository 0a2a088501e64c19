/** Two buffers: what is filled is drained, in order, and nothing is under way at the end. */
import { AdaptiveSize } from "../../common/adaptive_size.ts";
import { pump } from "../../common/pump.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";

/** Fills buffers with the numbers from 1 on; `then` is called for the piece after the last. */
function counting(pieces: number, then: () => number = () => 0) {
  let count = 0;
  return (buffer: Uint8Array) =>
    Promise.resolve().then(() => {
      if (++count > pieces) return then();
      buffer.fill(count);
      return buffer.length;
    });
}

Deno.test("each piece is drained once, in order, and stays as it is meanwhile", async () => {
  const seen: number[] = [];
  await pump(4, {
    fill: counting(5),
    async drain(piece) {
      const [first] = piece;
      await new Promise((resolve) => setTimeout(resolve));
      assert(piece.every((byte) => byte === first));
      seen.push(piece[0] ?? 0);
    },
  });
  assertEquals(seen, [1, 2, 3, 4, 5]);
});

Deno.test("one piece is drained while the next one is filled", async () => {
  const filled = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  let at = 0;
  const begun = Promise.withResolvers<void>();
  const pumping = pump(1, {
    fill: () => filled[at++]?.promise ?? Promise.resolve(0),
    drain: () => begun.resolve(),
  });
  filled[0]?.resolve(1);
  await begun.promise; // although nothing has come for the second
  filled[1]?.resolve(0);
  await pumping;
});

Deno.test("the buffers grow while they are filled", async () => {
  const sizes: number[] = [];
  await pump(new AdaptiveSize(1, 16), {
    fill: (buffer) => Promise.resolve(sizes.push(buffer.length) < 8 ? buffer.length : 0),
    drain() {},
  });
  assertEquals(sizes, [1, 4, 16, 16, 16, 16, 16, 16]);
});

Deno.test("what came before an error is drained", async () => {
  const seen: number[] = [];
  const fill = counting(2, () => {
    throw new Error("broken");
  });
  await assertRejects(
    () => pump(1, { fill, drain: (piece) => void seen.push(piece[0] ?? 0) }),
    Error,
    "broken",
  );
  assertEquals(seen, [1, 2]);
});

Deno.test("an error of draining waits for what is being filled", async () => {
  let isFilling = false;
  const fill = async (buffer: Uint8Array) => {
    isFilling = true;
    await new Promise((resolve) => setTimeout(resolve));
    isFilling = false;
    return buffer.length;
  };
  const drain = () => {
    throw new Error("full");
  };
  await assertRejects(() => pump(1, { fill, drain }), Error, "full");
  assert(!isFilling);
});

Deno.test("nothing at all is drained of nothing", async () => {
  await pump(0, { fill: () => Promise.resolve(0), drain: () => assert(false) });
});
