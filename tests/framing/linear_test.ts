// The cost of decoding is counted, not timed: each byte is looked at and copied a few times at most.
import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { frames } from "@tincan/net/framing";
import { allCodecs, cut } from "./_harness.ts";

/** What was done with bytes by way of the built-in methods. */
interface Work {
  searched: number;
  copied: number;
  allocated: number;
  largest: number;
}

type ByteArray = Uint8Array<ArrayBuffer>;

/** Runs `run` while the methods of byte arrays count what they do. */
function count(run: () => void): Work {
  const work: Work = { searched: 0, copied: 0, allocated: 0, largest: 0 };
  const original = globalThis.Uint8Array;
  const { indexOf, set, slice } = original.prototype;
  class Counting extends original {
    constructor(source: number | ArrayBuffer, at?: number, length?: number) {
      super(source as ArrayBuffer, at, length);
      if (typeof source === "number") {
        work.allocated += source;
        work.largest = Math.max(work.largest, source);
      }
    }
  }
  original.prototype.indexOf = function (this: ByteArray, byte: number, from = 0) {
    const found = indexOf.call(this, byte, from);
    work.searched += (found === -1 ? this.length : found) - from;
    return found;
  };
  original.prototype.set = function (this: ByteArray, source: ArrayLike<number>, at?: number) {
    work.copied += source.length;
    set.call(this, source, at);
  };
  original.prototype.slice = function (this: ByteArray, from?: number, to?: number) {
    const copy = slice.call(this, from, to);
    work.copied += copy.length;
    return copy as ByteArray;
  };
  globalThis.Uint8Array = Counting as unknown as typeof Uint8Array;
  try {
    run();
  } finally {
    globalThis.Uint8Array = original;
    Object.assign(original.prototype, { indexOf, set, slice });
  }
  return work;
}

const LENGTH = 1024 * 1024;
const content = new Uint8Array(LENGTH).fill(0x61);
// What must be escaped makes SLIP and COBS work hardest.
const escaped = new Uint8Array(LENGTH).map((_, i) => [0xdb, 0x00, 0xc0, 0x61][i % 4]!);

// All that can hold 1 MiB.
const subjects = allCodecs(LENGTH).filter(({ name }) => !/^fixed|prefix of 2/.test(name));

/** What costs too much grows with its square, which shows with less, too. */
const BY_BYTES = 128 * 1024;

for (const { name, codec, fit } of subjects) {
  for (const bytes of [content, ...(/slip|cobs/.test(name) ? [escaped] : [])]) {
    const length = bytes === content ? "128 KiB" : "128 KiB of escapes";
    Deno.test(`linear: ${name}: ${length}, one byte at a time`, () => {
      const stream = codec.encode(fit(bytes.subarray(0, BY_BYTES)));
      const chunk = new Uint8Array(1);
      let seen = 0;
      const work = count(() => {
        const decoder = codec.decoder();
        for (let at = 0; at < stream.length; at++) {
          chunk[0] = stream[at]!;
          decoder.push(chunk, () => void seen++);
        }
      });
      assertEquals(seen, 1);
      assertLess(work.searched, 8 * stream.length);
      assertLess(work.copied, 4 * stream.length);
      assertLess(work.allocated, 6 * stream.length);
    });
  }

  Deno.test(`linear: ${name}: a chunk of small frames, stopped behind each`, () => {
    const one = codec.encode(fit(content.subarray(0, 10)));
    const stream = new Uint8Array(one.length * 10_000);
    for (let at = 0; at < stream.length; at += one.length) stream.set(one, at);
    let seen = 0;
    const work = count(() => {
      const decoder = codec.decoder();
      decoder.push(stream, () => (seen++, false));
      for (let before = 0; before !== seen;) {
        before = seen;
        decoder.push(stream.subarray(0, 0), () => (seen++, false));
      }
    });
    assertEquals(seen, 10_000);
    assertLess(work.searched, 8 * stream.length);
    assertLess(work.copied, 4 * stream.length);
    assertLess(work.allocated, 6 * stream.length);
  });

  Deno.test(`linear: ${name}: one message in and one out, with a full backlog`, () => {
    const one = codec.encode(fit(content.subarray(0, 10)));
    const backlog = new Uint8Array(one.length * Math.floor((LENGTH - 2000) / one.length));
    for (let at = 0; at < backlog.length; at += one.length) backlog.set(one, at);
    const rounds = 5000;
    let seen = 0;
    const work = count(() => {
      const decoder = codec.decoder();
      decoder.push(backlog, () => (seen++, false));
      for (let i = 0; i < rounds; i++) decoder.push(one, () => (seen++, false));
    });
    assertEquals(seen, rounds + 1);
    assertLess(work.copied, 8 * backlog.length);
    assertLess(work.allocated, 8 * backlog.length);
  });

  Deno.test(`bounded: ${name}: nothing is allocated for a length that was only announced`, () => {
    const stream = codec.encode(fit(content)).subarray(0, 100);
    const work = count(() => codec.decoder().push(stream, () => {}));
    assertLessOrEqual(work.largest, 512);
  });

  Deno.test(`bounded: ${name}: memory grows with what arrived, to little more than the limit`, () => {
    const stream = codec.encode(fit(content));
    const work = count(() => {
      const decoder = codec.decoder();
      for (const chunk of cut(stream, [64 * 1024])) decoder.push(chunk, () => {});
    });
    const factor = name === "slip" ? 2 : 1;
    assertLessOrEqual(work.largest, factor * LENGTH + 64 * 1024);
    assertLess(work.allocated, 4 * stream.length);
  });
}

Deno.test("bounded: a large frame leaves no large buffer behind", () => {
  for (const { name, codec, fit } of subjects) {
    const large = codec.encode(fit(content));
    const small = codec.encode(fit(content.subarray(0, 10)));
    const decoder = codec.decoder();
    for (const chunk of cut(large, [50_000])) decoder.push(chunk, () => {});
    decoder.push(small.subarray(0, 3), () => {});
    decoder.push(small.subarray(3), (frame) => {
      assertLessOrEqual(frame.buffer.byteLength, 4096, name);
    });
  }
});

Deno.test("bounded: an owned frame keeps no more than the chunk it came in", async () => {
  for (const { name, codec, fit } of allCodecs(100)) {
    const one = codec.encode(fit(content.subarray(0, 90)));
    const stream = new Uint8Array(one.length * 100);
    for (let at = 0; at < stream.length; at += one.length) stream.set(one, at);
    for await (const frame of frames(cut(stream, [1000]), codec)) {
      assertLessOrEqual(frame.buffer.byteLength, 4096, name);
    }
  }
});
