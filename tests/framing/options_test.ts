// What codecs say to wrong options, and what `Infinity` means to them.
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  checksummed,
  cobs,
  type Codec,
  delimited,
  FrameDecoderStream,
  FrameEncoderStream,
  FrameError,
  frames,
  json,
  jsonLines,
  lengthPrefixed,
  lines,
  mapped,
  netstring,
  slip,
  text,
  varintPrefixed,
} from "@tincan/net/framing";

import { connectTcp, serveTcp } from "@tincan/net/tcp";

type Bag = Record<string, unknown>;
const decode = (value: unknown) => value as Uint8Array;

const MAKERS: Record<string, (options: Bag) => unknown> = {
  lines,
  lengthPrefixed,
  varintPrefixed,
  netstring,
  slip,
  cobs,
  jsonLines,
  delimited: (options) => delimited(";", options),
  text: (options) => text(lines(), options),
  json: (options) => json(lines(), options),
  mapped: (options) =>
    mapped(lines(), typeof options === "object" ? { decode, encode: decode, ...options } : options),
  checksummed: (options) => checksummed(cobs(), "crc32", options),
};

for (const [name, make] of Object.entries(MAKERS)) {
  Deno.test(`${name} names the option that was meant`, () => {
    const error = assertThrows(() => make({ onDiscrad: () => {} }), TypeError);
    assertStringIncludes(error.message, `"onDiscrad" of ${name}: did you mean "onDiscard"?`);
    assertThrows(() => make({ colour: 1 }), TypeError, "there is no such option");
    assertThrows(() => make({ onDiscard: 5 }), TypeError, 'option "onDiscard" as a function');
    make({ onDiscard: undefined });
  });

  Deno.test(`${name} takes options as an object`, () => {
    assertThrows(() => make(5 as unknown as Bag), TypeError);
  });
}

const LIMITED: Record<string, (maxLength: number) => Codec<Uint8Array>> = {
  lines: (maxLength) => lines({ maxLength }),
  delimited: (maxLength) => delimited(";", { maxLength }),
  lengthPrefixed: (maxLength) => lengthPrefixed({ maxLength }),
  varintPrefixed: (maxLength) => varintPrefixed({ maxLength }),
  netstring: (maxLength) => netstring({ maxLength }),
  slip: (maxLength) => slip({ maxLength }),
  cobs: (maxLength) => cobs({ maxLength }),
};

for (const [name, make] of Object.entries(LIMITED)) {
  Deno.test(`${name} with the maxLength Infinity takes a frame of 3 MiB in pieces`, () => {
    const message = new Uint8Array(3 * 1024 * 1024).fill(0x61);
    assertThrows(() => make(1024 * 1024).encode(message), FrameError, "the limit is");
    const codec = make(Infinity);
    const bytes = codec.encode(message);
    const decoder = codec.decoder();
    let seen = 0;
    const emit = (frame: Uint8Array) => void (seen += frame.length);
    for (let at = 0; at < bytes.length; at += 65_536) {
      decoder.push(bytes.subarray(at, at + 65_536), emit);
    }
    assertEquals(seen, message.length);
  });
}

Deno.test("without limit, a length that no number can hold is still refused", () => {
  const codec = lengthPrefixed({ size: 8, maxLength: Infinity });
  const error = assertThrows(
    () => codec.decoder().push(new Uint8Array(8).fill(0xff), () => {}),
    FrameError,
  );
  assertEquals([error.code, error.limit], ["too_long", Number.MAX_SAFE_INTEGER]);
});

Deno.test("a codec that was not called is named", () => {
  const wrong = lines as unknown as Codec<Uint8Array>;
  const takers = [
    () => text(wrong),
    () => json(wrong),
    () => mapped(wrong, { decode, encode: decode }),
    () => checksummed(wrong, "crc32"),
    () => frames([], wrong),
    () => new FrameDecoderStream(wrong),
    () => new FrameEncoderStream(wrong),
  ];
  for (const take of takers) assertThrows(take, TypeError, "(call it: lines())");
});

Deno.test("frames names a source that is none", () => {
  const source = 5 as unknown as Uint8Array[];
  assertThrows(() => frames(source, lines()), TypeError, "Cannot use the source of frames");
});

const ROOT = new URL("../../", import.meta.url);

Deno.test("the codec in the essay of codec.ts is an object of ten lines", async () => {
  const source = await Deno.readTextFile(new URL("framing/codec.ts", ROOT));
  const body = /const points: Codec<.*> = \{\n([\s\S]*?)\n \* \};/.exec(source)?.[1];
  assertEquals(body?.split("\n").length, 10);
});

/** The codec of the essay, without anything that may be left out. */
const points: Codec<{ x: number; y: number }> = {
  encode: ({ x, y }) => Uint8Array.of(x, y),
  decoder: (held: number[] = []) => ({
    push(chunk, emit) {
      for (const byte of chunk) held.push(byte);
      while (held.length > 1 && emit({ x: held.shift()!, y: held.shift()! }) !== false);
    },
    end() {
      if (held.length > 0) throw new FrameError("truncated", "Cannot read half a point");
    },
  }),
};

Deno.test("a codec of ten lines works with frames, streams, wrappers and connections", async () => {
  const source = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)];
  const expected = [{ x: 1, y: 2 }, { x: 3, y: 4 }];
  assertEquals(await Array.fromAsync(frames(source, points)), expected);
  const stream = ReadableStream.from(source).pipeThrough(new FrameDecoderStream(points));
  assertEquals(await Array.fromAsync(stream), expected);
  const sums = mapped(points, {
    decode: ({ x, y }) => x + y,
    encode: (sum: number) => ({ x: sum, y: 0 }),
  });
  assertEquals(await Array.fromAsync(frames(source, sums)), [3, 7]);

  await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
    const messages = conn.framed(points);
    for await (const { x, y } of messages) await messages.send({ x: y, y: x });
  });
  await using conn = await connectTcp({ port: server.addr.port });
  const messages = conn.framed(points);
  assertEquals(await messages.request({ x: 1, y: 2 }), { x: 2, y: 1 });
  assertEquals(await messages.request({ x: 5, y: 6 }), { x: 6, y: 5 });
});

Deno.test("release and switchTo say what a decoder without takeRemaining cannot do", async () => {
  await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
    await conn.write(Uint8Array.of(1, 2, 3, 4));
    for await (const _ of conn);
  });
  const { port } = server.addr;
  for (
    const codec of [
      points,
      mapped(points, { decode: (point) => point, encode: () => never() }),
    ]
  ) {
    await using conn = await connectTcp({ port });
    const fresh = conn.framed(codec);
    fresh.release(); // nothing has arrived, so nothing can be lost
    const messages = conn.framed(codec);
    assertEquals(await messages.receive(), { x: 1, y: 2 });
    assertThrows(() => messages.release(), TypeError, "has no takeRemaining()");
    assertThrows(() => messages.switchTo(lines()), TypeError, "has no takeRemaining()");
    assertEquals(await messages.receive(), { x: 3, y: 4 }); // and goes on
  }
});

Deno.test("a decoder whose progress says that it holds nothing needs no takeRemaining", async () => {
  const bytes: Codec<number> = {
    encode: (value) => Uint8Array.of(value),
    decoder() {
      let position = 0;
      return {
        push(chunk, emit) {
          for (const value of chunk) emit((position++, value));
        },
        end() {},
        progress: {
          frameStart: 0,
          partial: false,
          get position() {
            return position;
          },
        },
      };
    },
  };
  await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
    await conn.write(Uint8Array.of(7));
    for await (const _ of conn);
  });
  await using conn = await connectTcp({ port: server.addr.port });
  const messages = conn.framed(bytes);
  assertEquals(await messages.receive(), 7);
  messages.release();
  assert(!conn.signal.aborted);
});

function never(): never {
  throw new Error("nothing is sent");
}
