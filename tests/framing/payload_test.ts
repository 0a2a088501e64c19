// Codecs whose frames hold something else than bytes, and checksums.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import {
  type ChecksumFunction,
  checksummed,
  cobs,
  type Codec,
  crc32,
  delimited,
  FrameError,
  jsonLines,
  lengthPrefixed,
  lines,
  mapped,
  netstring,
  OutputBuffer,
  text,
} from "@tincan/net/framing";
import { crc32 as zlibCrc32 } from "node:zlib";
import { bytesOf, concat, cut } from "./_harness.ts";

const EMPTY = new Uint8Array(0);

function decodeAll<T>(codec: Codec<T>, chunks: Iterable<Uint8Array>): T[] {
  const messages: T[] = [];
  const emit = (message: T) => void messages.push(message);
  const decoder = codec.decoder();
  for (const chunk of chunks) decoder.push(chunk, emit);
  decoder.end(emit);
  return messages;
}

Deno.test("text: any strings come back, however their bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.string())),
      fc.array(fc.integer({ min: 1, max: 50 })),
      (messages, lengths) => {
        const codec = text(netstring());
        const output = new OutputBuffer();
        for (const message of messages) codec.encodeInto?.(message, output);
        const bytes = output.take();
        assertEquals(bytes, concat(messages.map((message) => codec.encode(message))));
        assertEquals(decodeAll(codec, cut(bytes, lengths)), messages);
      },
    ),
  );
});

Deno.test("text: long strings need no more than their limit", () => {
  const codec = text(lengthPrefixed());
  const message = "\u{1F600}".repeat(20_000);
  const output = new OutputBuffer();
  codec.encodeInto?.(message, output);
  assertEquals(decodeAll(codec, [output.take()]), [message]);
});

Deno.test("text: a byte order mark is a character", () => {
  const codec = text(lines());
  assertEquals(decodeAll(codec, [codec.encode("\ufeffa")]), ["\ufeffa"]);
});

Deno.test("text: bytes that are not UTF-8 are corrupt, or replaced on request", () => {
  const bytes = concat([bytesOf("a\n"), Uint8Array.of(0xc3, 0x28, 0x0a), bytesOf("b\n")]);
  assertThrows(() => decodeAll(text(lines()), [bytes]), FrameError, "Cannot decode a frame");
  assertEquals(decodeAll(text(lines(), { fatal: false }), [bytes]), ["a", "\ufffd(", "b"]);
  const reports: (number | undefined)[] = [];
  const codec = text(lines(), {
    onCorrupt: "discard",
    onDiscard: ({ offset }) => void reports.push(offset),
  });
  assertEquals(decodeAll(codec, [bytes]), ["a", "b"]);
  assertEquals(decodeAll(codec, cut(bytes, [1])), ["a", "b"]);
  assertEquals(reports, [2, 2]);
});

Deno.test("text: a chunk that is a part of a larger buffer gives its own text", () => {
  const buffer = bytesOf("zzzone\ntwo\nthree\nzzz");
  assertEquals(decodeAll(text(lines()), [buffer.subarray(3, 17)]), ["one", "two", "three"]);
});

Deno.test("text: an encode that fails leaves the codec usable", () => {
  const codec = text(lines());
  const output = new OutputBuffer();
  codec.encodeInto?.("one", output);
  assertThrows(() => codec.encodeInto?.("t\nwo", output), FrameError);
  codec.encodeInto?.("three", output);
  assertEquals(output.take(), bytesOf("one\nthree\n"));
});

Deno.test("json: values come back", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (values) => {
      const clean = JSON.parse(JSON.stringify(values)) as unknown[];
      const codec = jsonLines();
      const bytes = concat(clean.map((value) => codec.encode(value)));
      assertEquals(decodeAll(codec, [bytes]), clean);
    }),
  );
});

Deno.test("json: what has no JSON is refused", () => {
  const codec = jsonLines();
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const value of [undefined, () => {}, 1n, cycle]) {
    assertEquals(assertThrows(() => codec.encode(value), FrameError).code, "corrupt");
  }
});

Deno.test("json: lines that are not JSON, too long or not UTF-8 can all be discarded", () => {
  const reports: string[] = [];
  const codec = jsonLines<number>({
    maxLength: 5,
    onTooLong: "discard",
    onCorrupt: "discard",
    onDiscard: ({ code }) => void reports.push(code),
  });
  const bytes = concat([bytesOf("1\n{]\n\n1234567\n"), Uint8Array.of(0xff, 0x0a), bytesOf("2")]);
  assertEquals(decodeAll(codec, [bytes]), [1, 2]);
  assertEquals(reports, ["corrupt", "corrupt", "too_long", "corrupt"]);
});

Deno.test("text: half a surrogate pair is refused, unless it may be replaced", () => {
  for (const lone of ["\ud800", "a\udc00", "\ud83d\ud83d\ude00", `${"é".repeat(9000)}\udfff`]) {
    const output = new OutputBuffer();
    const codec = text(lines());
    for (
      const encode of [() => codec.encode(lone), () => codec.encodeInto?.(lone, output)]
    ) {
      const error = assertThrows(encode, FrameError, "half a surrogate pair at index ");
      assertEquals(error.code, "corrupt");
    }
    assertEquals(output.length, 0);
    const lenient = text(lines(), { fatal: false });
    assertEquals(decodeAll(lenient, [lenient.encode(lone)]), [lone.toWellFormed()]);
  }
  assertThrows(() => text(lines()).encode("ab\ud800"), FrameError, "at index 2");
  const whole = "\u{1F600}\ufffd\u{10ffff}";
  assertEquals(decodeAll(text(lines()), [text(lines()).encode(whole)]), [whole]);
});

Deno.test("text: what is UTF-8 is decided as by the runtime's strict decoder", () => {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const unit = fc.constantFrom(
    ...[0x41, 0x7f, 0x80, 0xbd, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xa0, 0xef, 0xf0, 0xf4, 0x90, 0xff],
  );
  const sequence = fc.constantFrom([0xef, 0xbf, 0xbd], [0xef, 0xbb, 0xbf], [
    0xf0,
    0x9f,
    0x98,
    0x80,
  ]);
  const pieces = fc.array(fc.oneof(unit.map((byte) => [byte]), sequence), { maxLength: 8 });
  fc.assert(
    fc.property(pieces, fc.boolean(), (parts, twice) => {
      const frame = Uint8Array.from(parts.flat());
      let expected: string | undefined;
      try {
        expected = strict.decode(frame);
      } catch {
        // not UTF-8
      }
      const codec = text(lengthPrefixed({ size: 1 }), { onCorrupt: "discard" });
      const one = lengthPrefixed({ size: 1 }).encode(frame);
      const stream = twice ? concat([one, one, one]) : one;
      const times = expected === undefined ? 0 : twice ? 3 : 1;
      assertEquals(decodeAll(codec, [stream]), Array(times).fill(expected));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("mapped: what decode and encode throw becomes a FrameError with a cause", () => {
  const cause = new RangeError("not that one");
  const fail = () => {
    throw cause;
  };
  const codec = mapped<Uint8Array, Uint8Array>(lines(), { decode: fail, encode: fail });
  for (const run of [() => codec.encode(EMPTY), () => decodeAll(codec, [bytesOf("a\n")])]) {
    const error = assertThrows(run, FrameError, "not that one");
    assertEquals(error.code, "corrupt");
    assertStrictEquals(error.cause, cause);
  }
});

Deno.test("mapped: a FrameError of one's own passes with its code, and gets its offset", () => {
  const codec = mapped<Uint8Array, Uint8Array>(lines(), {
    decode: (frame) => {
      if (frame.length > 1) throw new FrameError("checksum", "mine", { length: frame.length });
      return frame;
    },
    encode: (frame) => frame,
  });
  const error = assertThrows(() => decodeAll(codec, [bytesOf("a\nbb\n")]), FrameError, "mine");
  assertEquals([error.code, error.length, error.offset], ["checksum", 2, 2]);
});

Deno.test("mapped: works on any codec, and knows whether messages are detached", () => {
  const numbers = mapped(text(lines()), { decode: Number, encode: String });
  assertEquals(decodeAll(numbers, [numbers.encode(12)]), [12]);
  assertEquals(numbers.detached, true);
  assertEquals(mapped(lines(), { decode: (f) => f, encode: (f) => f }).detached, false);
  const lengths = { decode: (f: Uint8Array) => f.length, encode: (n: number) => new Uint8Array(n) };
  assertEquals(mapped(lines(), { ...lengths, detached: true }).detached, true);
});

Deno.test("crc32: the same as zlib's, whole and in parts", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, at) => {
      assertEquals(crc32(bytes), zlibCrc32(bytes));
      assertEquals(crc32(bytes.subarray(at), crc32(bytes.subarray(0, at))), zlibCrc32(bytes));
    }),
  );
});

Deno.test("checksummed: the trailer is the checksum, highest byte first unless told otherwise", () => {
  const message = bytesOf("123456789");
  const expected = [0xcb, 0xf4, 0x39, 0x26];
  const big = checksummed(lengthPrefixed({ size: 1 }), "crc32").encode(message);
  assertEquals([...big], [13, ...message, ...expected]);
  const little = checksummed(lengthPrefixed({ size: 1 }), "crc32", { littleEndian: true });
  assertEquals([...little.encode(message)], [13, ...message, ...expected.toReversed()]);
  assertEquals(decodeAll(little, [little.encode(message)]), [message]);
});

Deno.test("checksummed: any flipped bit is found, and only that frame is lost", () => {
  const messages = ["one", "two", "three"].map(bytesOf);
  fc.assert(
    fc.property(fc.nat(6), fc.nat(7), fc.integer({ min: 1, max: 20 }), (at, bit, size) => {
      const codec = checksummed(lengthPrefixed({ size: 2 }), "crc32");
      const stream = messages.map((message) => codec.encode(message));
      // Behind the length of the second frame.
      stream[1]![2 + at]! ^= 1 << bit;
      const seen: Uint8Array[] = [];
      const emit = (frame: Uint8Array) => void seen.push(frame);
      const decoder = codec.decoder();
      const errors: unknown[] = [];
      for (const chunk of cut(concat(stream), [size])) {
        try {
          decoder.push(chunk, emit);
        } catch (error) {
          errors.push(error);
          decoder.push(EMPTY, emit);
        }
      }
      decoder.end(emit);
      assertEquals(seen, [messages[0], messages[2]]);
      assertEquals(errors.length, 1);
      assertInstanceOf(errors[0], FrameError);
      assertEquals(errors[0].code, "checksum");
      assertEquals(errors[0].offset, stream[0]!.length);
    }),
  );
});

Deno.test("checksummed: with discard, a stream of packets survives any damage", () => {
  const reports: string[] = [];
  const onDiscard = ({ code }: FrameError) => void reports.push(code);
  const policy = { onCorrupt: "discard", onDiscard } as const;
  const codec = checksummed(cobs(policy), "crc32", policy);
  const stream = ["one", "two", "three"].map((message) => codec.encode(bytesOf(message)));
  stream[1] = Uint8Array.of(5, 1, 0, 9);
  assertEquals(decodeAll(codec, [concat(stream)]), [bytesOf("one")]);
  assertEquals(reports, ["corrupt", "corrupt"]);
  assertEquals(decodeAll(codec, [bytesOf("\x05"), ...stream.slice(2)]).length, 0);
  const short = Uint8Array.of(2, 1, 0);
  reports.length = 0;
  assertEquals(decodeAll(codec, [stream[0]!, short, stream[2]!]), [
    bytesOf("one"),
    bytesOf("three"),
  ]);
  assertEquals(reports, ["corrupt"]);
});

Deno.test("checksummed: one's own, as a number or as bytes", () => {
  const xor: ChecksumFunction = { size: 1, compute: (bytes) => bytes.reduce((a, b) => a ^ b, 0) };
  const reversed: ChecksumFunction = {
    size: 8,
    compute: (bytes) => new Uint8Array(8).fill(bytes.length),
  };
  for (const sum of [xor, reversed]) {
    const codec = checksummed(lengthPrefixed({ size: 2 }), sum);
    assertEquals(decodeAll(codec, [codec.encode(bytesOf("abc"))]), [bytesOf("abc")]);
    const broken = codec.encode(bytesOf("abc"));
    broken[broken.length - 1]! ^= 1;
    assertEquals(assertThrows(() => decodeAll(codec, [broken]), FrameError).code, "checksum");
  }
  const wrong = checksummed(cobs(), { size: 1, compute: () => 256 });
  assertThrows(() => wrong.encode(EMPTY), RangeError, "current value is 256");
});

Deno.test("text of checksummed frames", () => {
  const codec = text(checksummed(cobs(), "crc32"));
  assertEquals(decodeAll(codec, [codec.encode("hello"), codec.encode("")]), ["hello", ""]);
});

Deno.test("OutputBuffer finds a byte wherever it stands, and only in the part asked for", () => {
  const output = new OutputBuffer();
  output.append(new Uint8Array(64));
  for (let from = 0; from < 12; from++) {
    for (let to = from; to < 24; to++) {
      assertEquals(output.find(0x0a, from, to), -1);
      for (let at = 0; at < 28; at++) {
        output.bytes[at] = 0x0a;
        assertEquals(output.find(0x0a, from, to), at >= from && at < to ? at : -1);
        output.bytes[at] = 0;
      }
    }
  }
  // Bytes that differ from it in the lowest or highest bit, and memory that has grown meanwhile.
  output.append(Uint8Array.of(0x0b, 0x8a, 0x09, 0x0b, 0x8a, 0x0b, 0x0a));
  output.reserve(1_000);
  assertEquals(output.find(0x0a, 1, 71), 70);
});

Deno.test("texts that are encoded together give the bytes of each encoded alone", () => {
  const texts = [
    "",
    "a",
    "é",
    "€uro",
    "😀",
    "x".repeat(20_000),
    "\ufeffBOM",
    "a\rb",
    "ÿ".repeat(9_000),
  ];
  const codecs = [
    text(lines()),
    text(lines({ ending: "\r\n" })),
    text(lines({ keepEnd: true })),
    text(lines({ maxLength: 60_000 })),
    text(delimited("\0")),
    text(lengthPrefixed()),
  ];
  for (const codec of codecs) {
    const output = new OutputBuffer();
    const alone: Uint8Array[] = [];
    for (const message of [...texts, ...texts.toReversed()]) {
      codec.encodeInto(message, output);
      alone.push(codec.encode(message));
      assert(output.atLeast <= concat(alone).length);
    }
    assertEquals(output.length, concat(alone).length);
    assertEquals(output.take(), concat(alone));
    assertEquals([output.length, output.atLeast], [0, 0]);
  }
});

Deno.test("a text that cannot be a line is refused, and leaves what is encoded with it whole", () => {
  const codec = text(lines({ maxLength: 100 }));
  const output = new OutputBuffer();
  codec.encodeInto("before", output);
  const refused = ["two\nlines", "return\r", "x".repeat(101), "é".repeat(51), "half \ud83d"];
  for (const message of refused) {
    const { code } = assertThrows(() => codec.encodeInto(message, output), FrameError);
    assertEquals(code, message.length > 40 ? "too_long" : "corrupt");
  }
  codec.encodeInto("é".repeat(50), output); // exactly the limit
  assertEquals(new TextDecoder().decode(output.take()), `before\n${"é".repeat(50)}\n`);
});

Deno.test("bytes and text share a buffer in the order in which they come", () => {
  const output = new OutputBuffer();
  output.appendText("a€");
  output.append(Uint8Array.of(0x62));
  output.appendText("c");
  output.appendText("😀");
  assertEquals(output.atLeast, 5 + 3); // "c" and two units that take four bytes
  assertEquals(new TextDecoder().decode(output.bytes.subarray(0, output.length)), "a€bc😀");
  output.appendText("forgotten");
  output.clear();
  output.appendText("\ud83d!");
  assertEquals(new TextDecoder().decode(output.take()), "\ufffd!");
});
