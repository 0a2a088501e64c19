/** How the memory of reads is shared between the chunks that are handed out. */
import { assert, assertEquals } from "@std/assert";
import { ReadBuffer } from "../../tcp/_read_buffer.ts";

/** What became of a chunk: how much memory it keeps alive, and whether it was copied out. */
interface Handed {
  readonly chunk: Uint8Array;
  readonly isCopied: boolean;
}

/** Reads and takes chunks of `length` bytes, as far as there is room for them. */
function hand(buffer: ReadBuffer, length: number, count: number): Handed[] {
  return Array.from({ length: count }, () => {
    const room = buffer.room(0);
    const n = Math.min(room.length, length);
    buffer.received(n);
    const chunk = buffer.take(n);
    return { chunk, isCopied: chunk.buffer !== room.buffer };
  });
}

Deno.test("chunks of one size are handed out where they were read to, a few from one memory", () => {
  for (const length of [64, 1000, 4096, 5000, 16_384, 20_000, 65_536]) {
    const buffer = new ReadBuffer();
    hand(buffer, length, 16); // it learns
    for (const { chunk, isCopied } of hand(buffer, length, 64)) {
      assert(!isCopied, `a chunk of ${chunk.length} bytes was copied (reads of ${length})`);
    }
  }
});

Deno.test("a chunk keeps no more than 4 KiB or four times its own size alive", () => {
  const buffer = new ReadBuffer();
  const lengths = [100, 70_000, 3, 900, 4096, 50_000, 1];
  for (const length of lengths) {
    for (const { chunk } of hand(buffer, length, 20)) {
      const most = Math.max(4096, 4 * chunk.length);
      assert(
        chunk.buffer.byteLength <= most,
        `${chunk.length} of ${chunk.buffer.byteLength} bytes`,
      );
    }
  }
});

Deno.test("a connection that has become quiet reads into little memory again", () => {
  const buffer = new ReadBuffer();
  hand(buffer, 65_536, 8);
  assertEquals(buffer.room(0).length > 4096, true);
  hand(buffer, 10, 64);
  assertEquals(buffer.room(0).length <= 4096, true);
});
