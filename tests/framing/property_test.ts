// What holds for every codec, whatever the messages, the cuts and the garbage.
import { assert, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import fc from "fast-check";
import { FrameError, OutputBuffer } from "@tincan/net/framing";
import { allCodecs, concat, cut, decode, toHex } from "./_harness.ts";

const MAX_LENGTH = 300;

// Few different bytes, and those that mean something to some codec, so that they meet often.
const byte = fc.oneof(
  fc.constantFrom(0x00, 0x01, 0x0a, 0x0d, 0x2c, 0x30, 0x31, 0x3a, 0x3b, 0x41, 0x42, 0xc0, 0xdb),
  fc.integer({ min: 0, max: 255 }),
);
const bytes = (maxLength: number) =>
  fc.array(byte, { maxLength }).map((values) => Uint8Array.from(values));
const message = fc.oneof(
  bytes(20),
  bytes(MAX_LENGTH),
  fc.uint8Array({ minLength: 250, maxLength: MAX_LENGTH, min: 1 }),
);
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 8 });

for (const { name, codec, fit } of allCodecs(MAX_LENGTH)) {
  Deno.test(`property: ${name}: what was encoded is decoded, however it is cut`, () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), cuts, (messages, lengths) => {
        const fitting = messages.map(fit);
        const output = new OutputBuffer();
        for (const each of fitting) codec.encodeInto?.(each, output);
        const stream = output.take();
        assertEquals(stream, concat(fitting.map((each) => codec.encode(each))));
        const { frames, error, remaining } = decode(codec.decoder(), cut(stream, lengths));
        assertEquals(frames, fitting.map(toHex));
        assertEquals(error, undefined);
        assertEquals(remaining, "");
      }),
      { numRuns: 200 },
    );
  });

  Deno.test(`property: ${name}: a message either comes back or is refused`, () => {
    fc.assert(
      fc.property(fc.oneof(message, bytes(MAX_LENGTH + 20)), (each) => {
        let encoded: Uint8Array;
        try {
          encoded = codec.encode(each);
        } catch (error) {
          assert(error instanceof FrameError, String(error));
          return;
        }
        const { frames, error } = decode(codec.decoder(), [encoded]);
        assertEquals(frames, [toHex(each)]);
        assertEquals(error, undefined);
      }),
      { numRuns: 200 },
    );
  });

  Deno.test(`property: ${name}: garbage gives frames and FrameErrors, the same for all cuts`, () => {
    fc.assert(
      fc.property(bytes(600), cuts, (garbage, lengths) => {
        const whole = decode(codec.decoder(), [garbage]);
        const pieces = decode(codec.decoder(), cut(garbage, lengths));
        const single = decode(codec.decoder(), cut(garbage, [1]));
        assertEquals({ ...pieces, remaining: "" }, { ...whole, remaining: "" });
        assertEquals({ ...single, remaining: "" }, { ...whole, remaining: "" });
      }),
      { numRuns: 300 },
    );
  });

  Deno.test(`property: ${name}: stopping behind any frame loses and repeats nothing`, () => {
    fc.assert(
      fc.property(bytes(400), cuts, fc.infiniteStream(fc.boolean()), (garbage, lengths, stops) => {
        const expected = decode(codec.decoder(), [garbage]);
        const frames: string[] = [];
        const decoder = codec.decoder();
        let stopped = false;
        const emit = (frame: Uint8Array): boolean => {
          frames.push(toHex(frame));
          stopped = stops.next().value;
          return !stopped;
        };
        let error: string | undefined;
        try {
          for (const chunk of cut(garbage, lengths)) {
            decoder.push(chunk, emit);
            while (stopped) {
              stopped = false;
              decoder.push(new Uint8Array(0), emit);
            }
          }
          do {
            stopped = false;
            decoder.end(emit);
          } while (stopped);
        } catch (cause) {
          assert(cause instanceof FrameError, String(cause));
          error = cause.code;
        }
        assertEquals(frames, expected.frames);
        assertEquals(error, expected.error);
      }),
      { numRuns: 200 },
    );
  });

  Deno.test(`property: ${name}: what is taken back is what was not framed, to the byte`, () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 6 }),
        fc.nat(5),
        bytes(100),
        cuts,
        (messages, stopAt, trailing, lengths) => {
          const encoded = messages.map((each) => codec.encode(fit(each)));
          const taken = Math.min(stopAt, encoded.length - 1) + 1;
          const stream = concat([...encoded, trailing]);
          const expected = concat([...encoded.slice(taken), trailing]);
          const decoder = codec.decoder();
          let seen = 0;
          for (const chunk of cut(stream, lengths)) {
            // Once stopped, the rest is pushed at an emit that must not be called.
            if (seen === taken) {
              const rest = concat([decoder.takeRemaining!(), chunk]);
              assertEquals(toHex(expected).startsWith(toHex(rest)), true);
              return;
            }
            decoder.push(chunk, () => ++seen < taken);
          }
          assertEquals(toHex(decoder.takeRemaining!()), toHex(expected));
        },
      ),
      { numRuns: 200 },
    );
  });
}

Deno.test("property: discarding codecs throw nothing but FrameError and find the next frame", () => {
  let discarded = 0;
  for (const { name, codec, fit } of allCodecs(50, () => void discarded++)) {
    if (name === "fixed") continue;
    const large = allCodecs(5000).find((other) => other.name === name)!.codec;
    fc.assert(
      fc.property(
        bytes(50),
        fc.integer({ min: 60, max: 4000 }),
        bytes(50),
        cuts,
        (first, length, last, lengths) => {
          discarded = 0;
          const oversize = fit(new Uint8Array(length).fill(0x61));
          if (oversize.length <= 50) return;
          const stream = concat([
            codec.encode(fit(first)),
            large.encode(oversize),
            codec.encode(fit(last)),
          ]);
          const { frames, error, remaining } = decode(codec.decoder(), cut(stream, lengths));
          assertEquals(frames, [toHex(fit(first)), toHex(fit(last))]);
          assertEquals(error, undefined);
          assertEquals(remaining, "");
          assertEquals(discarded, 1);
        },
      ),
      { numRuns: 100 },
    );
    fc.assert(
      fc.property(bytes(600), cuts, (garbage, lengths) => {
        discarded = 0;
        const whole = decode(codec.decoder(), [garbage]);
        const reports = discarded;
        discarded = 0;
        const pieces = decode(codec.decoder(), cut(garbage, lengths));
        assertEquals({ ...pieces, remaining: "" }, { ...whole, remaining: "" });
        assertEquals(discarded, reports);
      }),
      { numRuns: 200 },
    );
  }
});

Deno.test("property: what a decoder holds is bounded by its limit and one chunk", () => {
  for (const discard of [undefined, () => {}]) {
    for (const { codec, overhead } of allCodecs(100, discard)) {
      fc.assert(
        fc.property(bytes(1000), fc.integer({ min: 1, max: 64 }), (garbage, size) => {
          const decoder = codec.decoder();
          let pushed = 0;
          for (const chunk of cut(garbage, [size])) {
            try {
              decoder.push(chunk, () => {});
            } catch (error) {
              assert(error instanceof FrameError, String(error));
              break;
            }
            pushed += chunk.length;
            assertLessOrEqual(pushed - decoder.progress!.position, 100 + overhead + size);
          }
          assertLessOrEqual(decoder.takeRemaining!().length, 100 + overhead + size);
        }),
        { numRuns: 100 },
      );
    }
  }
});

Deno.test("property: every codec refuses to encode what is longer than its limit", () => {
  for (const { codec, name } of allCodecs(100)) {
    const error = assertThrows(
      () => codec.encode(new Uint8Array(101).fill(0x61)),
      FrameError,
    );
    assertEquals(error.code, name === "fixed" ? "corrupt" : "too_long", name);
  }
});
