import { assertEquals } from "@std/assert";
import { Fifo } from "../../common/fifo.ts";
import { Slab } from "../../common/slab.ts";

Deno.test("a queue gives back what was put in, in its order, however it grows and shrinks", () => {
  const queue = new Fifo<{ i: number }>();
  const expected: number[] = [];
  let i = 0;
  for (
    const [pushes, shifts] of [[3, 1], [5_000, 1_500], [0, 1_200], [10, 3_000], [1, 1], [2, 5]]
  ) {
    for (let n = 0; n < pushes!; n++, i++) {
      queue.push({ i });
      expected.push(i);
    }
    for (let n = 0; n < shifts!; n++) assertEquals(queue.shift()?.i, expected.shift());
    assertEquals(queue.size, expected.length);
  }
  queue.push({ i: 1 });
  queue.push({ i: 2 });
  assertEquals(queue.shift(), { i: 1 });
  assertEquals(queue.takeAll(), [{ i: 2 }]);
  assertEquals([queue.size, queue.shift()], [0, undefined]);
});

Deno.test("pieces of a slab are not used twice, and large ones have memory of their own", () => {
  const slab = new Slab(64, 16);
  const pieces = Array.from({ length: 20 }, (_, i) => slab.copy(new Uint8Array(i).fill(i)));
  for (const [i, piece] of pieces.entries()) {
    assertEquals(piece, new Uint8Array(i).fill(i));
    if (i > 16) assertEquals(piece.buffer.byteLength, i);
    else if (i > 0) assertEquals(piece.buffer.byteLength, 64);
  }
});
