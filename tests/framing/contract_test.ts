// The decoder's contract: stopping, failing, ending, handing over, whose memory a frame is.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertMatch,
  assertNotMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  checksummed,
  cobs,
  type Codec,
  delimited,
  fixed,
  FrameError,
  frames,
  json,
  lengthPrefixed,
  lines,
  mapped,
  netstring,
  slip,
  text,
  varintPrefixed,
} from "@tincan/net/framing";
import { allCodecs, bytesOf, concat, decode, everyCut } from "./_harness.ts";

const EMPTY = new Uint8Array(0);
const ignore = () => {};

Deno.test("a frame that is whole in a chunk is a view of the chunk", () => {
  for (const { name, codec, fit } of allCodecs(100)) {
    const chunk = codec.encode(fit(Uint8Array.of(1, 2, 3)));
    codec.decoder().push(chunk, (frame) => assertStrictEquals(frame.buffer, chunk.buffer, name));
  }
});

Deno.test("the memory of an emitted frame is never written to again", () => {
  for (const { name, codec, fit } of allCodecs(100)) {
    const messages = Array.from({ length: 50 }, (_, i) => fit(new Uint8Array(i).fill(i)));
    const stream = concat(messages.map((message) => codec.encode(message)));
    const decoder = codec.decoder();
    const kept: Uint8Array[] = [];
    for (const byte of stream) decoder.push(Uint8Array.of(byte), (frame) => void kept.push(frame));
    assertEquals(kept, messages, name);
  }
});

Deno.test("a plain view is emitted whatever the class of the chunk", () => {
  class Bytes extends Uint8Array {}
  const chunk = Bytes.from(bytesOf("one\n"));
  lines().decoder().push(chunk, (frame) => assertStrictEquals(frame.constructor, Uint8Array));
});

Deno.test("a chunk may be any part of its buffer", () => {
  const buffer = concat([
    bytesOf("x".repeat(7)),
    bytesOf(`${"a".repeat(70)}\nb\n`),
    bytesOf("\n\n"),
  ]);
  for (let start = 0; start < 7; start++) {
    const seen: string[] = [];
    lines().decoder().push(
      buffer.subarray(start, 80),
      (frame) => void seen.push(new TextDecoder().decode(frame)),
    );
    assertEquals(seen, ["x".repeat(7 - start) + "a".repeat(70), "b"]);
  }
});

Deno.test("when emit throws, the frame counts as delivered and the rest is kept", () => {
  const decoder = text(lines()).decoder();
  assertThrows(
    () =>
      decoder.push(bytesOf("one\ntwo\nthr"), () => {
        throw new RangeError("mine");
      }),
    RangeError,
    "mine",
  );
  const seen: string[] = [];
  decoder.push(bytesOf("ee\n"), (line) => void seen.push(line));
  assertEquals(seen, ["two", "three"]);
});

Deno.test("when emit throws in a frame put together from chunks, nothing is lost either", () => {
  const decoder = text(lines()).decoder();
  decoder.push(bytesOf("on"), ignore);
  assertThrows(() =>
    decoder.push(bytesOf("e\ntwo\n"), () => {
      throw new RangeError("mine");
    })
  );
  const seen: string[] = [];
  decoder.end((line) => void seen.push(line));
  assertEquals(seen, ["two"]);
});

Deno.test("calls from inside emit are refused", () => {
  const decoder = lines().decoder();
  let calls = 0;
  decoder.push(bytesOf("one\n"), () => {
    calls++;
    assertThrows(() => decoder.push(EMPTY, ignore), TypeError, "from inside emit");
    assertThrows(() => decoder.end(ignore), TypeError, "from inside emit");
    assertThrows(() => decoder.takeRemaining(), TypeError, "from inside emit");
  });
  assertEquals(calls, 1);
});

Deno.test("decoders of one codec do not disturb one another, not even inside emit", () => {
  const codec = delimited(["END", ";"]);
  const inner = codec.decoder();
  const seen: string[] = [];
  const note = (frame: Uint8Array) => void seen.push(new TextDecoder().decode(frame));
  codec.decoder().push(bytesOf("aENDbENDcE"), (frame) => {
    note(frame);
    inner.push(bytesOf("xEN"), note);
  });
  assertEquals(seen, ["a", "b"]);
  inner.push(bytesOf("D"), note);
  assertEquals(seen, ["a", "b", "xENx"]);
});

Deno.test("an error in the framing is final, and the same object each time", () => {
  const decoder = lengthPrefixed({ maxLength: 10 }).decoder();
  const error = assertThrows(() => decoder.push(new Uint8Array(8).fill(1), ignore), FrameError);
  assertStrictEquals(assertThrows(() => decoder.push(EMPTY, ignore)), error);
  assertStrictEquals(assertThrows(() => decoder.end(ignore)), error);
  assertEquals(decoder.takeRemaining(), new Uint8Array(8).fill(1));
});

Deno.test("an error in the contents steps over the frame", () => {
  const cases: [Codec<unknown>, Uint8Array, unknown[]][] = [
    [json(lines()), bytesOf("1\n{\n2\n3"), [1, 2, 3]],
    [
      text(lines()),
      concat([bytesOf("a\n"), Uint8Array.of(0xff, 0x0a), bytesOf("b\n")]),
      ["a", "b"],
    ],
  ];
  for (const [codec, bytes, expected] of cases) {
    const decoder = codec.decoder();
    const seen: unknown[] = [];
    const emit = (message: unknown) => void seen.push(message);
    const error = assertThrows(() => decoder.push(bytes, emit), FrameError);
    assertEquals(error.code, "corrupt");
    assertEquals(error.offset, 2);
    decoder.push(EMPTY, emit);
    decoder.end(emit);
    assertEquals(seen, expected);
  }
});

Deno.test("push is refused after the end, and ending again does nothing", () => {
  const decoder = lines().decoder();
  let seen = 0;
  decoder.push(bytesOf("one"), ignore);
  decoder.end(() => void seen++);
  decoder.end(() => void seen++);
  assertEquals(seen, 1);
  assertThrows(() => decoder.push(EMPTY, ignore), TypeError, "the input has ended");
});

Deno.test("an end that was stopped goes on when called again", () => {
  const decoder = text(lines()).decoder();
  const seen: string[] = [];
  const emit = (line: string) => {
    seen.push(line);
    return false;
  };
  decoder.push(bytesOf("one\ntwo\nthree"), emit);
  assertEquals(seen, ["one"]);
  decoder.end(emit);
  assertEquals(seen, ["one", "two"]);
  assertThrows(() => decoder.push(EMPTY, emit), TypeError);
  decoder.end(emit);
  assertEquals(seen, ["one", "two", "three"]);
});

Deno.test("the decoder is as good as new after its remaining bytes were taken", () => {
  for (const { name, codec, fit } of allCodecs(100)) {
    const bytes = codec.encode(fit(Uint8Array.of(1, 2, 3, 4)));
    const decoder = codec.decoder();
    decoder.push(bytes.subarray(0, -1), ignore);
    const taken = decoder.takeRemaining!();
    assertEquals(taken, bytes.subarray(0, -1), name);
    taken.fill(0);
    let seen = 0;
    decoder.push(bytes, () => void seen++);
    decoder.end(() => void seen++);
    assertEquals(seen, 1, name);
  }
});

Deno.test("what is taken from the middle of a discarded frame ends the discarding", () => {
  const others = allCodecs(500);
  for (const [index, { name, codec, fit }] of allCodecs(20, ignore).entries()) {
    if (name === "fixed") continue; // no frame of it is too long
    const other = others[index]!;
    const large = other.codec.encode(other.fit(new Uint8Array(400).fill(0x61)));
    const decoder = codec.decoder();
    decoder.push(large.subarray(0, 100), ignore);
    assert(decoder.progress!.partial, name);
    assertEquals(decoder.takeRemaining!(), EMPTY, name);
    assertEquals(decoder.progress!.partial, false, name);
    const seen: Uint8Array[] = [];
    const message = fit(Uint8Array.of(1, 2, 3));
    decoder.push(codec.encode(message), (frame) => void seen.push(frame));
    assertEquals(seen, [message], name);
  }
});

Deno.test("progress says where frames begin and end, and whether one has begun", () => {
  for (const { name, codec, fit } of allCodecs(100)) {
    const encoded = [1, 2, 3].map((n) => codec.encode(fit(new Uint8Array(n).fill(1))));
    const ends = encoded.map((_, i) => concat(encoded.slice(0, i + 1)).length);
    const decoder = codec.decoder();
    const progress = decoder.progress!;
    const spans: [number, number][] = [];
    let read = 0;
    for (const byte of concat(encoded)) {
      read++;
      decoder.push(
        Uint8Array.of(byte),
        () => void spans.push([progress.frameStart, progress.position]),
      );
      assertEquals(progress.partial, !ends.includes(read), name);
    }
    assertEquals(spans, ends.map((end, i) => [end - encoded[i]!.length, end]), name);
  }
});

Deno.test("errors carry code, length, limit and offset", () => {
  const decoder = lengthPrefixed({ size: 2, maxLength: 16 }).decoder();
  const error = assertThrows(
    () => decoder.push(Uint8Array.of(0, 1, 7, 0, 17), ignore),
    FrameError,
  );
  const { code, length, limit, offset, message } = error;
  assertEquals({ code, length, limit, offset }, {
    code: "too_long",
    length: 17,
    limit: 16,
    offset: 3,
  });
  assertEquals(message, "Cannot read a frame of 17 bytes: the limit is 16 bytes");
});

Deno.test("a length that is text says so", () => {
  const said = (codec: Codec<unknown>, bytes: Uint8Array) =>
    assertThrows(() => codec.decoder().push(bytes, ignore), FrameError).message;
  const prefix = lengthPrefixed();
  assertMatch(said(prefix, bytesOf("GET / HTTP/1.1\r\n")), /spell "GET .*HTTP/);
  assertMatch(said(prefix, bytesOf("GET ")), /spell "GET ".*HTTP/);
  assertMatch(said(prefix, bytesOf("HTTP/1.1 400")), /speaking HTTP/);
  assertMatch(said(prefix, bytesOf("SSH-2.0-OpenSSH")), /speaking SSH/);
  assertMatch(said(prefix, bytesOf('{"a":1}')), /sending JSON/);
  assertMatch(said(prefix, bytesOf("helo")), /sending text/);
  assertMatch(said(prefix, Uint8Array.of(0x16, 3, 1, 2, 0, 1)), /TLS handshake/);
  assertMatch(said(lengthPrefixed({ size: 8 }), bytesOf("POST /a ")), /HTTP/);
  assertMatch(said(lengthPrefixed({ littleEndian: true }), bytesOf("SSH-")), /SSH/);
  assertMatch(said(netstring(), bytesOf("GET /")), /HTTP/);
  assertMatch(said(lines({ maxLength: 8 }), Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 0, 0)), /TLS/);
  assertNotMatch(said(prefix, Uint8Array.of(0x7f, 0, 0, 1)), /spell|TLS/);
});

Deno.test("limits are 64 KiB for lines and 1 MiB for all others", () => {
  assertThrows(() => lines().decoder().push(new Uint8Array(64 * 1024 + 1), ignore), FrameError);
  lines().decoder().push(new Uint8Array(64 * 1024), ignore);
  const limit = 1024 * 1024;
  for (const codec of [lengthPrefixed(), varintPrefixed(), netstring(), cobs(), delimited(";")]) {
    codec.decoder().push(codec.encode(new Uint8Array(limit).fill(1)), (frame) => {
      assertEquals(frame.length, limit);
    });
    assertThrows(() => codec.encode(new Uint8Array(limit + 1)), FrameError, "the limit is");
  }
});

Deno.test("a length beyond 2^53 is an error even where long frames are discarded", () => {
  const reports: FrameError[] = [];
  const options = { onTooLong: "discard", onDiscard: (e: FrameError) => reports.push(e) } as const;
  const attempts: [Codec<Uint8Array>, Uint8Array][] = [
    [lengthPrefixed({ size: 8, ...options }), Uint8Array.of(128, 0, 0, 0, 0, 0, 0, 0)],
    [varintPrefixed(options), new Uint8Array(10).fill(0xff, 0, 9).fill(1, 9)],
    [netstring(options), bytesOf("9".repeat(17))],
  ];
  for (const [codec, bytes] of attempts) {
    const error = assertThrows(() => codec.decoder().push(bytes, ignore), FrameError);
    assertEquals(error.code, "too_long");
  }
  assertEquals(reports, []);
});

Deno.test("input that ends inside a discarded frame is truncated", () => {
  const options = { maxLength: 4, onTooLong: "discard" } as const;
  const attempts: [Codec<Uint8Array>, Uint8Array][] = [
    [lengthPrefixed(options), Uint8Array.of(0, 0, 0, 12, 1, 2)],
    [varintPrefixed(options), Uint8Array.of(12, 1, 2)],
    [netstring(options), bytesOf("12:ab")],
    [slip(options), bytesOf("abcdefg")],
    [cobs(options), bytesOf("abcdefg")],
  ];
  for (const [codec, bytes] of attempts) {
    const decoder = codec.decoder();
    decoder.push(bytes, ignore);
    assert(decoder.progress!.partial);
    assertEquals(assertThrows(() => decoder.end(ignore), FrameError).code, "truncated");
  }
});

Deno.test("an error inside a discarded frame says where that frame began", () => {
  const others = allCodecs(500);
  for (const [index, { name, codec, fit }] of allCodecs(20, ignore).entries()) {
    if (/^(fixed|lines|delimited)/.test(name)) continue; // nothing there is truncated
    const { codec: other, fit: fitOther } = others[index]!;
    const first = codec.encode(fit(Uint8Array.of(1, 2, 3)));
    const large = other.encode(fitOther(new Uint8Array(400).fill(0x61)));
    const stream = concat([first, large.subarray(0, -1)]);
    for (const chunks of [[stream], Array.from(stream, (byte) => Uint8Array.of(byte))]) {
      const { frames, error, offset } = decode(codec.decoder(), chunks);
      assertEquals([frames.length, error, offset], [1, "truncated", first.length], name);
    }
    if (name !== "netstring") continue;
    const wrong = concat([stream, bytesOf(";")]);
    for (const chunks of everyCut(wrong)) {
      const { error, offset } = decode(codec.decoder(), chunks);
      assertEquals([error, offset], ["corrupt", first.length]);
    }
  }
});

Deno.test("the report of a dropped frame reads and prints as the error does", () => {
  const reports: FrameError[] = [];
  const onDiscard = (error: FrameError) => void reports.push(error);
  const attempts: [(discard: boolean) => Codec<unknown>, Uint8Array][] = [
    [
      (yes) => text(lines(), yes ? { onCorrupt: "discard", onDiscard } : {}),
      Uint8Array.of(255, 10),
    ],
    [(yes) => json(lines(), yes ? { onCorrupt: "discard", onDiscard } : {}), bytesOf("{x}\n")],
    [(yes) => slip(yes ? { onCorrupt: "discard", onDiscard } : {}), Uint8Array.of(0xdb, 1, 0xc0)],
    [
      (yes) =>
        lengthPrefixed(yes ? { maxLength: 1, onTooLong: "discard", onDiscard } : { maxLength: 1 }),
      Uint8Array.of(0, 0, 0, 2, 1, 1),
    ],
    [
      (yes) =>
        mapped(lines(), {
          decode: () => {
            throw new RangeError("no good");
          },
          encode: () => EMPTY,
          ...(yes ? { onCorrupt: "discard", onDiscard } : {}),
        }),
      bytesOf("x\n"),
    ],
  ];
  for (const [make, bytes] of attempts) {
    make(true).decoder().push(bytes, ignore);
    const report = reports.pop()!;
    const error = assertThrows(() => make(false).decoder().push(bytes, ignore), FrameError);
    assertEquals(reports, []);
    assertInstanceOf(report, FrameError);
    const fields = ({ name, message, code, length, limit, offset, stack, cause }: FrameError) => (
      { name, message, code, length, limit, offset, stack, cause }
    );
    assertEquals(fields(report), fields(error));
    assertEquals(report.stack, `FrameError: ${report.message}`); // a line, whoever prints it
    assertEquals("cause" in report, "cause" in error);
    assertEquals(Object.keys(report), Object.keys(error));
    assertEquals(Deno.inspect(report), Deno.inspect(error));
    assertEquals(String(report), String(error));
  }
});

Deno.test("what a peer sent is escaped once and cut short in messages", () => {
  const rude = "\x1b[2J\x9b\u202e\r\n\\" + '"' + "x".repeat(500);
  const attempts: [Codec<unknown>, Uint8Array][] = [
    [json(lines()), bytesOf(`${rude.replace("\n", "")}\n`)],
    [json(lines()), bytesOf(`{"a":"${rude.replace("\n", "")}\n`)],
    [json(netstring()), netstring().encode(bytesOf(`[${rude}`))],
    [lengthPrefixed(), bytesOf('GET /\r\n"')],
    [netstring(), bytesOf('{"a"\r\n')],
    [
      mapped(netstring(), {
        decode: (frame) => {
          throw new Error(new TextDecoder().decode(frame));
        },
        encode: () => EMPTY,
      }),
      netstring().encode(bytesOf(rude)),
    ],
  ];
  for (const [codec, bytes] of attempts) {
    const { message, stack } = assertThrows(() => codec.decoder().push(bytes, ignore), FrameError);
    assertNotMatch(message, /[\p{C}\p{Zl}\p{Zp}]/u);
    assertNotMatch(message, /\\[^"x]/); // a backslash is one that was sent
    assertLess(message.length, 300);
    assertEquals(stack, `FrameError: ${message}`);
  }
  const { message } = assertThrows(
    () => lengthPrefixed().decoder().push(bytesOf("GET /\r\n"), ignore),
    FrameError,
  );
  assertStringIncludes(message, '(the bytes spell "GET /␍␊": the peer may be speaking HTTP)');
});

Deno.test("a stack is recorded again after an error without one", () => {
  const { stackTraceLimit } = Error as { stackTraceLimit?: number };
  assertThrows(() => lengthPrefixed().decoder().push(bytesOf("GET /"), ignore), FrameError);
  assertEquals((Error as { stackTraceLimit?: number }).stackTraceLimit, stackTraceLimit);
  assertMatch(new Error("mine").stack!, /contract_test/);
  // One that the caller caused says where.
  const error = assertThrows(() => lines().encode(bytesOf("a\nb")), FrameError);
  assertMatch(error.stack!, /contract_test/);
});

Deno.test("a discarded netstring must end with its comma", () => {
  const codec = netstring({ maxLength: 2, onTooLong: "discard" });
  for (const cut of [["3:abc;"], ["3:abc", ";"], ["3:a", "bc", ";"]]) {
    const decoder = codec.decoder();
    const error = assertThrows(
      () => cut.forEach((part) => decoder.push(bytesOf(part), ignore)),
      FrameError,
    );
    assertEquals(error.code, "corrupt");
  }
  const decoder = codec.decoder();
  decoder.push(bytesOf("3:abc"), ignore);
  assertEquals(assertThrows(() => decoder.end(ignore), FrameError).code, "truncated");
});

Deno.test("onDiscard that throws reaches the caller, and the decoder goes on behind the frame", () => {
  const codec = text(lines({
    maxLength: 2,
    onTooLong: "discard",
    onDiscard: () => {
      throw new RangeError("mine");
    },
  }));
  const decoder = codec.decoder();
  const seen: string[] = [];
  const emit = (line: string) => void seen.push(line);
  assertThrows(() => decoder.push(bytesOf("a\nlong\nb\n"), emit), RangeError);
  decoder.push(EMPTY, emit);
  assertEquals(seen, ["a", "b"]);
});

Deno.test("a packet that ends inside what it announces is corrupt", () => {
  const attempts: [Codec<Uint8Array>, Uint8Array][] = [
    [slip(), Uint8Array.of(1, 0xdb, 0xc0, 2, 0xc0)],
    [cobs(), Uint8Array.of(3, 1, 0, 2, 1, 0)],
  ];
  for (const [codec, bytes] of attempts) {
    const error = assertThrows(() => codec.decoder().push(bytes, ignore), FrameError);
    assertEquals([error.code, error.offset], ["corrupt", 0]);
  }
});

Deno.test("COBS spends nothing on a full block that is the last", () => {
  const block = new Uint8Array(254).fill(7);
  assertEquals(cobs().encode(block), concat([Uint8Array.of(255), block, Uint8Array.of(0)]));
  const zero = concat([block, Uint8Array.of(0)]);
  assertEquals(cobs().encode(zero), concat([Uint8Array.of(255), block, Uint8Array.of(1, 1, 0)]));
});

Deno.test("broken packets are discarded on request", () => {
  const reports: string[] = [];
  const options = {
    onCorrupt: "discard",
    onDiscard: ({ code, offset }: FrameError) => void reports.push(`${code} at ${offset}`),
  } as const;
  const cases: [Codec<Uint8Array>, Uint8Array][] = [
    [slip(options), Uint8Array.of(1, 0xc0, 2, 0xdb, 1, 0xc0, 3, 0xc0)],
    [cobs(options), Uint8Array.of(2, 1, 0, 9, 1, 0, 2, 3, 0)],
  ];
  for (const [codec, bytes] of cases) {
    for (const size of [1, 100]) {
      reports.length = 0;
      const seen: number[] = [];
      const decoder = codec.decoder();
      for (let at = 0; at < bytes.length; at += size) {
        decoder.push(bytes.slice(at, at + size), (frame) => void seen.push(...frame));
      }
      decoder.end(ignore);
      assertEquals(seen, [1, 3]);
      assertEquals(reports, [bytes[1] === 0xc0 ? "corrupt at 2" : "corrupt at 3"]);
    }
  }
});

Deno.test("options out of range are refused with their name and value", () => {
  const cases: [() => unknown, typeof RangeError | typeof TypeError, string][] = [
    [() => lines({ maxLength: 0 }), RangeError, "maxLength"],
    [() => lines({ maxLength: 1.5 }), RangeError, "current value is 1.5"],
    [() => lines({ maxLength: "9" as unknown as number }), TypeError, 'current value is "9"'],
    [() => lines({ ending: "\r" as "\n" }), TypeError, "ending"],
    [() => lines({ keepEnd: 1 as unknown as boolean }), TypeError, "keepEnd"],
    [() => lines({ onTooLong: "drop" as "error" }), TypeError, 'current value is "drop"'],
    [() => lines({ onDiscard: 1 as unknown as () => void }), TypeError, "onDiscard"],
    [() => lengthPrefixed({ size: 5 as 4 }), TypeError, '"size" as 1 or 2 or 3 or 4 or 8'],
    [() => lengthPrefixed({ offset: -1 }), RangeError, "offset"],
    [() => lengthPrefixed({ adjustment: 0.5 }), RangeError, "adjustment"],
    [() => lengthPrefixed({ strip: -1 }), RangeError, "strip"],
    [() => fixed(0), RangeError, "size"],
    [() => fixed("4" as unknown as number), TypeError, "size"],
    [() => delimited(""), TypeError, "delimiter"],
    [() => delimited([]), TypeError, "an empty array"],
    [() => delimited(["a", EMPTY]), TypeError, "delimiter"],
    [() => delimited(["\r", "\r\n"]), RangeError, "current value is [13,10]"],
    [() => slip({ onCorrupt: "no" as "error" }), TypeError, "onCorrupt"],
    [() => text(lines(), { fatal: 0 as unknown as boolean }), TypeError, "fatal"],
    [() => checksummed(cobs(), "md5" as "crc32"), TypeError, "current value is md5"],
    [() => checksummed(cobs(), { size: 0, compute: () => 0 }), RangeError, "checksum.size"],
    [
      () =>
        mapped(cobs(), { decode: (f) => f, encode: 1 as unknown as (f: Uint8Array) => Uint8Array }),
      TypeError,
      "encode",
    ],
  ];
  for (const [make, type, part] of cases) {
    const error = assertThrows(make, type, part);
    assertMatch(error.message, /^Cannot use .*current value is/);
  }
});

Deno.test("text in place of bytes is refused, and bytes in place of text", async () => {
  const asText = "abc\n" as unknown as Uint8Array;
  for (const { name, codec, fit } of allCodecs(100)) {
    assertThrows(() => codec.encode(asText), TypeError, "of type string", name);
    const decoder = codec.decoder();
    assertThrows(() => decoder.push(asText, ignore), TypeError, "of type string", name);
    const bytes = codec.encode(fit(Uint8Array.of(1)));
    let seen = 0;
    decoder.push(bytes, () => void seen++); // as good as before
    assertEquals(seen, 1, name);
    await assertRejects(() => frames([asText], codec).next(), TypeError, "of type string", name);
    await assertRejects(() => frames([asText], text(codec)).next(), TypeError, "of type string");
    for (const message of [undefined, 5, bytes]) {
      assertThrows(
        () => text(codec).encode(message as unknown as string),
        TypeError,
        "as text",
        name,
      );
    }
  }
  assertThrows(() => text(lines()).decoder().push(asText, ignore), TypeError, "of type string");
});

Deno.test("codecs leave the caller's options alone and do not see later changes", () => {
  const delimiter = bytesOf(";");
  const options = Object.freeze({ maxLength: 10 });
  const codec = delimited(delimiter, options);
  delimiter[0] = 0x2c;
  assertEquals(codec.encode(bytesOf("a")), bytesOf("a;"));
});
