// Frames across awaits: the async iterator, the streams and the batches that connections use.
import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import {
  type Codec,
  FrameDecoderStream,
  FrameEncoderStream,
  FrameError,
  frames,
  json,
  lengthPrefixed,
  lines,
  text,
} from "@tincan/net/framing";
import { Buffer } from "node:buffer";
import { BatchDecoder } from "../../framing/batch_decoder.ts";
import { allCodecs, bytesOf, concat, cut, foreign } from "./_harness.ts";

/** A source that reuses its memory for each chunk, and counts what is done with it. */
class Source implements AsyncIterableIterator<Uint8Array> {
  reads = 0;
  returns = 0;
  readonly #chunks: Uint8Array[];
  readonly #buffer = new Uint8Array(1000);

  constructor(chunks: Iterable<Uint8Array>) {
    this.#chunks = [...chunks];
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    await Promise.resolve();
    this.#buffer.fill(0xee);
    const chunk = this.#chunks[this.reads++];
    if (chunk === undefined) return { done: true, value: undefined };
    this.#buffer.set(chunk);
    return { done: false, value: this.#buffer.subarray(0, chunk.length) };
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.returns++;
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

const decodeText = (frames: Iterable<Uint8Array>) =>
  Array.from(frames, (frame) => new TextDecoder().decode(frame));

Deno.test("frames: are owned, whatever the source does with its memory", async () => {
  for (const { name, codec, fit } of allCodecs(100)) {
    const messages = Array.from({ length: 30 }, (_, i) => fit(new Uint8Array(i).fill(i + 1)));
    const stream = concat(messages.map((message) => codec.encode(message)));
    for (const size of [1, 7, 64, 900]) {
      const single = await Array.fromAsync(frames(new Source(cut(stream, [size])), codec));
      assertEquals(single, messages, name);
      const batches = frames(new Source(cut(stream, [size])), codec).batches();
      assertEquals((await Array.fromAsync(batches)).flat(), messages, name);
    }
  }
});

Deno.test("frames: from arrays, generators and streams", async () => {
  function* generator() {
    yield bytesOf("a\nb");
    yield bytesOf("c\n");
  }
  const sources = [[...generator()], generator(), ReadableStream.from(generator())];
  for (const source of sources) {
    assertEquals(await Array.fromAsync(frames(source, text(lines()))), ["a", "bc"]);
  }
});

Deno.test("frames: are owned also when chunks are Node's buffers, whose slice is a view", async () => {
  async function* source() {
    const buffer = Buffer.from("one\n");
    yield buffer;
    await Promise.resolve();
    buffer.fill(0x78);
  }
  assertEquals(decodeText(await Array.fromAsync(frames(source(), lines()))), ["one"]);
  const batch = new BatchDecoder(lines());
  const chunk = Buffer.from("one\ntwo\n");
  batch.feed(chunk);
  batch.pull();
  assertEquals(decodeText([batch.take()]), ["one"]);
  const remaining = batch.takeRemaining();
  chunk.fill(0x78);
  assertEquals(decodeText([remaining]), ["two\n"]);
});

Deno.test("frames: leaving the loop calls the source's return, once", async () => {
  const source = new Source([bytesOf("a\nb\n"), bytesOf("c\n")]);
  const iterator = frames(source, text(lines()));
  for await (const line of iterator) if (line === "a") break;
  assertEquals([source.reads, source.returns], [1, 1]);
  assertEquals(await iterator.next(), { done: true, value: undefined });
  await iterator.return();
  assertEquals([source.reads, source.returns], [1, 1]);
});

Deno.test("frames: leaving the loop cancels a stream", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(bytesOf("a\n")),
    cancel: () => void (cancelled = true),
  });
  for await (const _ of frames(stream, lines())) break;
  assert(cancelled);
});

Deno.test("frames: a chunk is asked for only when its frames are wanted", async () => {
  const source = new Source([bytesOf("a\nb\n"), bytesOf("c\n")]);
  const iterator = frames(source, text(lines()));
  assertEquals(source.reads, 0);
  await iterator.next();
  await iterator.next();
  assertEquals(source.reads, 1);
  await iterator.next();
  assertEquals(source.reads, 2);
});

Deno.test("frames: calls that do not wait for one another get their frames in order", async () => {
  const iterator = frames(new Source(["a\n", "b\nc\n", "d\n"].map(bytesOf)), text(lines()));
  const results = await Promise.all(Array.from({ length: 6 }, () => iterator.next()));
  assertEquals(results.map(({ value }) => value), ["a", "b", "c", "d", undefined, undefined]);
});

Deno.test("frames: a call does not overtake an earlier one that waits", async () => {
  const iterator = frames(new Source(["a\nb\nc\n"].map(bytesOf)), text(lines()));
  const first = iterator.next();
  const second = iterator.next();
  const third = first.then(() => iterator.next());
  const results = await Promise.all([first, second, third]);
  assertEquals(results.map(({ value }) => value), ["a", "b", "c"]);
});

Deno.test("frames: come before the error, which ends the source and the iteration", async () => {
  for (const batches of [false, true]) {
    const source = new Source([bytesOf("1\n2\nx\n3\n"), bytesOf("4\n")]);
    const iterator = frames(source, json<number>(lines()));
    const seen: unknown[] = [];
    await assertRejects(async () => {
      if (batches) { for await (const batch of iterator.batches()) seen.push(...batch); }
      else for await (const each of iterator) seen.push(each);
    }, FrameError);
    assertEquals(seen, [1, 2]);
    assertEquals([source.reads, source.returns], [1, 1]);
    assertEquals((await iterator.next()).done, true);
  }
});

Deno.test("frames: the error of a frame is thrown even if the source cannot be closed", async () => {
  for (const batches of [false, true]) {
    const source = {
      next: () => Promise.resolve({ done: false as const, value: bytesOf("x\n") }),
      return: () => Promise.reject(new RangeError("cannot be closed")),
      [Symbol.asyncIterator]: () => source,
    };
    const iterator = frames(source, json(lines()));
    await assertRejects(() => (batches ? iterator.batches() : iterator).next(), FrameError);
    assertEquals((await iterator.next()).done, true);
  }
  // Without an error of ours, the source's own is the one.
  const source = {
    next: () => Promise.resolve({ done: false as const, value: bytesOf("1\n") }),
    return: () => Promise.reject(new RangeError("cannot be closed")),
    [Symbol.asyncIterator]: () => source,
  };
  const iterator = frames(source, json(lines()));
  await iterator.next();
  await assertRejects(() => iterator.return(), RangeError, "cannot be closed");
});

Deno.test("frames: nothing comes after return, also not for calls that waited", async () => {
  for (const batches of [false, true]) {
    const { promise, resolve } = Promise.withResolvers<IteratorResult<Uint8Array>>();
    const source = { next: () => promise, [Symbol.asyncIterator]: () => source };
    const iterator = frames(source, text(lines()));
    const from = batches ? iterator.batches() : iterator;
    const waiting = [from.next(), from.next()];
    await Promise.resolve();
    assertEquals((await from.return!()).done, true);
    resolve({ done: false, value: bytesOf("a\nb\n") });
    for (const each of waiting) assertEquals(await each, { done: true, value: undefined });
    assertEquals((await from.next()).done, true);
  }
});

Deno.test("frames: return in any microtask of a chunk's delivery ends the iteration", async () => {
  for (let ticks = 0; ticks < 20; ticks++) {
    const { promise, resolve } = Promise.withResolvers<IteratorResult<Uint8Array>>();
    const source = { next: () => promise, [Symbol.asyncIterator]: () => source };
    const iterator = frames(source, text(lines()));
    const events: string[] = [];
    const waiting = iterator.next().then(({ done }) => events.push(done ? "end" : "frame"));
    await Promise.resolve();
    resolve({ done: false, value: bytesOf("a\nb\n") });
    for (let i = 0; i < ticks; i++) await Promise.resolve();
    const returned = iterator.return().then(() => events.push("returned"));
    await Promise.all([waiting, returned]);
    const later = await iterator.next();
    assertEquals(later.done, true);
    assert(events.indexOf("frame") <= 0, events.join());
  }
});

Deno.test("frames: timers run while a chunk full of empty lines is taken", async () => {
  const chunk = new Uint8Array(256 * 1024).fill(0x0a);
  for (const codec of [lines(), text(lines())]) {
    let seen = 0;
    let fired: number | undefined;
    const timer = setTimeout(() => fired = seen, 0);
    for await (const _ of frames([chunk, chunk, chunk, chunk], codec as Codec<unknown>)) seen++;
    clearTimeout(timer);
    assertEquals(seen, 4 * chunk.length);
    assert(fired !== undefined && fired < seen);
  }
});

Deno.test("frames: a batch is bounded", async () => {
  const chunk = new Uint8Array(100_000).fill(0x0a);
  let seen = 0;
  for await (const batch of frames([chunk], lines()).batches()) {
    assertLessOrEqual(batch.length, 1024);
    seen += batch.length;
  }
  assertEquals(seen, chunk.length);
});

Deno.test("frames: an end inside a frame is truncated", async () => {
  const iterator = frames([Uint8Array.of(0, 1, 7, 0)], lengthPrefixed({ size: 2 }));
  assertEquals((await iterator.next()).value, Uint8Array.of(7));
  const error = await assertRejects(() => iterator.next(), FrameError);
  assertEquals(error.code, "truncated");
});

Deno.test("frames: an error of the source passes as it is", async () => {
  const failure = new RangeError("the source");
  // deno-lint-ignore require-yield
  async function* source(): AsyncGenerator<Uint8Array> {
    await Promise.resolve();
    throw failure;
  }
  const iterator = frames(source(), lines());
  assertStrictEquals(await assertRejects(() => iterator.next()), failure);
  assertEquals((await iterator.next()).done, true);
});

Deno.test("frames: single frames and batches can be taken in turn", async () => {
  const iterator = frames([bytesOf("a\nb\nc\n"), bytesOf("d\ne")], text(lines()));
  const batches = iterator.batches();
  assertEquals((await iterator.next()).value, "a");
  assertEquals((await batches.next()).value, ["b", "c"]);
  assertEquals((await batches.next()).value, ["d"]);
  assertEquals((await iterator.next()).value, "e");
  assertEquals((await batches.next()).done, true);
});

Deno.test("FrameDecoderStream: the same frames for all cuts", async () => {
  const stream = concat(["one", "", "three"].map((line) => bytesOf(`${line}\r\n`)));
  for (const size of [1, 2, 100]) {
    const chunks = ReadableStream.from(cut(stream, [size]).map((chunk) => chunk.slice()));
    const lineStream = chunks.pipeThrough(new FrameDecoderStream(lines()));
    assertEquals(decodeText(await Array.fromAsync(lineStream)), ["one", "", "three"]);
  }
});

Deno.test("FrameDecoderStream: frames in front of an error can be read", async () => {
  const decoder = new FrameDecoderStream(lengthPrefixed({ size: 1, maxLength: 3 }));
  const writer = decoder.writable.getWriter();
  const written = writer.write(Uint8Array.of(1, 65, 1, 66, 9)).catch(() => {});
  const closed = writer.closed.catch((error: unknown) => error);
  const reader = decoder.readable.getReader();
  assertEquals((await reader.read()).value, Uint8Array.of(65));
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals((await reader.read()).value, Uint8Array.of(66));
  const error = await assertRejects(() => reader.read(), FrameError);
  assertEquals(error.code, "too_long");
  await written;
  assertStrictEquals(await closed, error);
});

Deno.test("FrameDecoderStream: cancelling reaches the source with its reason", async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const source = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(bytesOf("a\n")),
    cancel: resolve,
  });
  const reader = source.pipeThrough(new FrameDecoderStream(lines())).getReader();
  await reader.read();
  await reader.cancel("enough");
  assertEquals(await promise, "enough");
});

Deno.test("FrameDecoderStream: an error of the source comes out", async () => {
  const source = new ReadableStream<Uint8Array>({
    start: (controller) => controller.error(new RangeError("the source")),
  });
  const stream = source.pipeThrough(new FrameDecoderStream(lines()));
  await assertRejects(() => Array.fromAsync(stream), RangeError, "the source");
});

Deno.test("FrameEncoderStream: one chunk for each message, and back", async () => {
  const messages = ["one", "two", "three"];
  const codec = text(lines());
  const bytes = ReadableStream.from(messages).pipeThrough(new FrameEncoderStream(codec));
  const [left, right] = bytes.tee();
  assertEquals(decodeText(await Array.fromAsync(left)), messages.map((line) => `${line}\n`));
  assertEquals(
    await Array.fromAsync(right.pipeThrough(new FrameDecoderStream(codec))),
    messages,
  );
});

Deno.test("FrameEncoderStream: a message that cannot be one fails the stream", async () => {
  const bytes = ReadableStream.from(["a", "b\nc"]).pipeThrough(
    new FrameEncoderStream(text(lines())),
  );
  await assertRejects(() => Array.fromAsync(bytes), FrameError, "a line break");
});

Deno.test("BatchDecoder: a codec can be switched behind any message", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme-ascii" }), { minLength: 1, maxLength: 10 }),
      fc.uint8Array({ maxLength: 50 }),
      fc.nat(9),
      fc.array(fc.integer({ min: 1, max: 30 })),
      fc.constantFrom(...[lengthPrefixed(), foreign(lengthPrefixed())]),
      fc.boolean(),
      (messages, trailing, at, lengths, codec, detached) => {
        const encoded = messages.map((message) => lengthPrefixed().encode(bytesOf(message)));
        const taken = Math.min(at, messages.length - 1) + 1;
        const expected = concat([...encoded.slice(taken), trailing]);
        const chunks = cut(concat([...encoded, trailing]), lengths);
        const batch = new BatchDecoder<unknown>(detached ? text(codec) : codec);
        const seen: unknown[] = [];
        while (seen.length < taken) {
          while (!batch.pull()) {
            assertEquals(batch.size, 0);
            if (!batch.unfinished) batch.feed(chunks.shift()!);
          }
          seen.push(batch.take());
        }
        assertEquals(
          seen,
          messages.slice(0, taken).map((message) => detached ? message : bytesOf(message)),
        );
        // A chunk that has arrived in the meantime, while nobody pulled.
        if (batch.size === 0 && !batch.unfinished && chunks.length > 0) batch.feed(chunks.shift()!);
        assertEquals(concat([batch.takeRemaining(), ...chunks]), expected);
      },
    ),
  );
});

Deno.test("BatchDecoder: messages, then the error, then what is behind it", () => {
  const batch = new BatchDecoder(json<number>(lines()));
  batch.feed(bytesOf("1\n2\nx\n3\ny\n"));
  assert(batch.pull());
  assertEquals(batch.takeAll(), [1, 2]);
  assertThrows(() => batch.pull(), FrameError);
  assert(batch.pull());
  assertEquals(batch.take(), 3);
  assertThrows(() => batch.pull(), FrameError);
  assertEquals(batch.pull(), false);
  assertEquals(batch.done, false);
  batch.feed(bytesOf("4"));
  assertEquals(batch.pull(), false);
  assert(batch.partial);
  batch.end();
  assert(batch.pull());
  assertEquals(batch.take(), 4);
  assertEquals(batch.pull(), false);
  assert(batch.done);
});

Deno.test("BatchDecoder: an error in the framing is thrown again and again", () => {
  for (const codec of [lengthPrefixed({ size: 1 }), foreign(lengthPrefixed({ size: 1 }))]) {
    const batch = new BatchDecoder(codec);
    batch.feed(Uint8Array.of(1, 7, 2, 7));
    batch.end();
    assert(batch.pull());
    assertEquals(batch.takeAll(), [Uint8Array.of(7)]);
    for (let i = 0; i < 3; i++) {
      assertEquals(assertThrows(() => batch.pull(), FrameError).code, "truncated");
      assertEquals(batch.done, false);
    }
  }
});

Deno.test("BatchDecoder: what may not be done in between is refused", () => {
  const batch = new BatchDecoder(lines());
  batch.feed(bytesOf("a\nb\n"));
  assertThrows(() => batch.feed(bytesOf("c")), TypeError, "in use");
  assert(batch.pull());
  assertThrows(() => batch.takeRemaining(), TypeError, "not taken");
  assertThrows(() => batch.feed(bytesOf("c")), TypeError, "in use");
});
