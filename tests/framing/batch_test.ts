// The decoder behind framed connections: each pull does a bounded amount of work.
import { assert, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import { FrameError, json, lengthPrefixed, lines, mapped, slip, text } from "@tincan/net/framing";
import type { Codec } from "@tincan/net/framing";
import { BatchDecoder, MAX_BATCH } from "../../framing/batch_decoder.ts";
import { allCodecs, bytesOf, concat, foreign, toHex } from "./_harness.ts";

const CHUNK = 256 * 1024;

function repeated(bytes: Uint8Array, length: number): Uint8Array {
  const count = Math.ceil(length / bytes.length);
  const all = new Uint8Array(count * bytes.length);
  for (let i = 0; i < count; i++) all.set(bytes, i * bytes.length);
  return all;
}

Deno.test("a batch holds a bounded number of messages, and all of them come", () => {
  for (const { name, codec, fit } of allCodecs(100)) {
    for (const each of [codec, foreign(codec, true), foreign(codec, false)]) {
      const one = codec.encode(fit(Uint8Array.of(1)));
      const chunk = repeated(one, CHUNK / 4);
      const batch = new BatchDecoder(each);
      batch.feed(chunk);
      let seen = 0;
      while (batch.pull() || batch.unfinished) {
        assertLessOrEqual(batch.size, MAX_BATCH, name);
        for (const message of batch.takeAll()) {
          if (seen++ % 1000 === 0) assertEquals(message, fit(Uint8Array.of(1)), name);
        }
      }
      assertEquals(seen, chunk.length / one.length, name);
      assert(batch.isIdle, name);
    }
  }
});

Deno.test("a pull drops a bounded number of frames and says that there is more", () => {
  let drops = 0;
  const onDiscard = () => void drops++;
  const cases: [Codec<unknown>, Uint8Array][] = [
    [text(lines(), { onCorrupt: "discard", onDiscard }), Uint8Array.of(0xff, 0x0a)],
    [json(lines(), { onCorrupt: "discard", onDiscard }), bytesOf("x\n")],
    [json(lines(), { onCorrupt: "discard", onDiscard }), Uint8Array.of(0xff, 0x0a)],
    [
      mapped(foreign(lines(), true), {
        decode: () => {
          throw new FrameError("corrupt", "Cannot decode it");
        },
        encode: () => new Uint8Array(0),
        onCorrupt: "discard",
        onDiscard,
      }),
      bytesOf("x\n"),
    ],
  ];
  for (const { codec, name } of allCodecs(2, onDiscard)) {
    if (/fixed|checksummed|prefix with a byte/.test(name)) continue;
    const other = allCodecs(20).find((each) => each.name === name)!;
    cases.push([codec, other.codec.encode(other.fit(bytesOf("abcd")))]);
  }
  cases.push([slip({ onCorrupt: "discard", onDiscard }), Uint8Array.of(0xdb, 0xc0)]);
  for (const [codec, one] of cases) {
    const chunk = repeated(one, CHUNK / 4);
    const batch = new BatchDecoder(codec);
    drops = 0;
    batch.feed(chunk);
    for (let before = 0;; before = drops) {
      assertEquals(batch.pull(), false);
      assertLessOrEqual(drops - before, 2 * MAX_BATCH);
      if (!batch.unfinished) break;
      assertThrows(() => batch.feed(one), TypeError, "in use");
    }
    assertEquals(drops, chunk.length / one.length);
    batch.feed(one);
    assertEquals(batch.pull(), false);
    assertEquals(drops, chunk.length / one.length + 1);
  }
});

Deno.test("where the frame begun begins is known also while frames are dropped", () => {
  const batch = new BatchDecoder(lines({ maxLength: 3, onTooLong: "discard" }));
  const seen: [number, boolean][] = [];
  for (const chunk of ["too lo", "ng", "\ntoo", " long2", "\nab", "c\n", "d"]) {
    batch.feed(bytesOf(chunk));
    if (batch.pull()) batch.takeAll();
    assertEquals(batch.pull(), false);
    seen.push([batch.begun, batch.partial]);
  }
  assertEquals(seen, [[0, true], [0, true], [9, true], [9, true], [19, true], [23, false], [
    23,
    true,
  ]]);
});

Deno.test("a large frame in a chunk is a view of it, however much comes before and after", () => {
  const codec = lengthPrefixed();
  const large = new Uint8Array(100_000).fill(7);
  const small = codec.encode(Uint8Array.of(1));
  const chunk = concat([repeated(small, 20_000), codec.encode(large), repeated(small, 20_000)]);
  const batch = new BatchDecoder(codec);
  batch.feed(chunk);
  let seen = 0;
  while (batch.pull()) {
    for (const message of batch.takeAll()) {
      assert(message.buffer === chunk.buffer);
      if (message.length === large.length) seen++;
    }
  }
  assertEquals(seen, 1);
});

Deno.test("what remains is exact after any message of a dense chunk, broken frames included", () => {
  const codec = json<number>(lines(), { onCorrupt: "discard" });
  const unit = bytesOf("1\n2\nx\n");
  const chunk = repeated(unit, 12_000);
  for (const taken of [1, 2, 3, MAX_BATCH - 1, MAX_BATCH, MAX_BATCH + 1, 2 * MAX_BATCH, 3000]) {
    for (const each of [codec, foreign(codec, true)]) {
      const batch = new BatchDecoder(each);
      batch.feed(chunk.slice());
      for (let i = 0; i < taken; i++) {
        assert(batch.pull());
        assertEquals(batch.take(), i % 2 + 1);
      }
      const from = Math.floor((taken - 1) / 2) * 6 + (taken % 2 === 1 ? 2 : 4);
      assertEquals(toHex(batch.takeRemaining()), toHex(chunk.subarray(from)));
      assert(batch.isIdle);
    }
  }
});

Deno.test("a broken frame after the last message taken is among the bytes that remain", () => {
  for (const takeAll of [true, false]) {
    const batch = new BatchDecoder(json<number>(lines()));
    batch.feed(bytesOf("1\n2\nx\n3\n"));
    assert(batch.pull());
    if (takeAll) batch.takeAll();
    else batch.take();
    if (!takeAll) batch.take();
    assertEquals(batch.takeRemaining(), bytesOf("x\n3\n"));
    assertEquals(batch.pull(), false);
  }
});
