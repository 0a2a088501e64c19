// Facts from specifications and established implementations, with every cut.
import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { FrameError, OutputBuffer } from "@tincan/net/framing";
import {
  codecOf,
  concat,
  decode,
  everyCut,
  fromHex,
  toHex,
  type VectorOptions,
} from "./_harness.ts";
import vectors from "./vectors.json" with { type: "json" };

interface Vector {
  name: string;
  codec: string;
  options: VectorOptions;
  input: string[];
  end: boolean;
  frames: string[];
  error?: string;
  errors?: number;
}

function run(vector: Vector, chunks: Iterable<Uint8Array>, end = vector.end) {
  let errors = 0;
  const onDiscard = () => void errors++;
  const decoder = codecOf(vector.codec, { ...vector.options, onDiscard }).decoder();
  return { ...decode(decoder, chunks, { end }), errors };
}

for (const vector of vectors.vectors as Vector[]) {
  Deno.test(`vector: ${vector.name}`, () => {
    const chunks = vector.input.map(fromHex);
    const bytes = concat(chunks);
    const { frames, error, errors } = run(vector, chunks);
    assertEquals(frames, vector.frames);
    assertEquals(error, vector.error);
    assertEquals(errors, vector.errors ?? 0);
    const whole = run(vector, [bytes]);
    for (const pieces of everyCut(bytes)) {
      const { remaining: _, ...outcome } = run(vector, pieces);
      const { remaining: _whole, ...expected } = whole;
      assertEquals(outcome, expected);
    }
  });

  Deno.test(`vector with trailing data: ${vector.name}`, () => {
    const bytes = concat(vector.input.map(fromHex));
    const before = run(vector, [bytes], false);
    if (before.error !== undefined) {
      // What follows an error is not looked at, and all of it can be had from the broken frame on.
      const trailing = Uint8Array.of(0x41, 0x0a, 0x00, 0xc0, 0x2c);
      const all = concat([bytes, trailing]);
      const after = run(vector, [all], false);
      assertEquals(after.frames, before.frames);
      assertEquals(after.error, before.error);
      assertEquals(after.remaining, toHex(all.subarray(after.offset)));
      return;
    }
    if (before.remaining !== "") return;
    const twice = concat([bytes, bytes]);
    for (const pieces of everyCut(twice)) {
      const after = run(vector, pieces, false);
      assertEquals(after.frames, [...before.frames, ...before.frames]);
      assertEquals(after.errors, 2 * before.errors);
      assertEquals(after.remaining, "");
    }
  });
}

for (const { codec, options, message, bytes } of vectors.encode) {
  Deno.test(`vector: ${codec} ${JSON.stringify(options)} encodes ${message || "nothing"}`, () => {
    const subject = codecOf(codec, options);
    assertEquals(toHex(subject.encode(fromHex(message))), bytes);
    const output = new OutputBuffer();
    subject.encodeInto?.(fromHex(message), output);
    subject.encodeInto?.(fromHex(message), output);
    assertEquals(toHex(output.take()), bytes + bytes);
  });
}

for (const vector of vectors.encode_errors) {
  Deno.test(`vector: ${vector.codec} refuses to encode: ${vector.error}`, () => {
    const message = vector.message === undefined
      ? new Uint8Array(vector.message_length!)
      : fromHex(vector.message);
    const subject = codecOf(vector.codec, vector.options);
    const output = new OutputBuffer();
    output.append(Uint8Array.of(7));
    const error = assertThrows(() => subject.encodeInto?.(message, output), FrameError);
    assertInstanceOf(error, FrameError);
    assertEquals(error.code as string, vector.error);
    assertEquals(output.take(), Uint8Array.of(7));
    assertThrows(() => subject.encode(message), FrameError);
  });
}
