/**
 * What a frame costs, beside what else could be used, in one run.
 *
 *     deno run -A bench/framing_bench.ts [--rounds 9]
 *
 * 64 B frames in 64 KiB chunks. Rounds of all candidates are interleaved and each figure is the
 * median of its rounds, so that what else the machine does falls on all of them alike.
 */
import { TextLineStream } from "@std/streams";
import { parseArgs } from "@std/cli/parse-args";
import { median, printTable } from "./_harness.ts";
import {
  type Codec,
  delimited,
  FrameDecoderStream,
  frames,
  lengthPrefixed,
  lines,
  text,
  varintPrefixed,
} from "@tincan/net/framing";
import { decode as decodeLengthPrefixed } from "it-length-prefixed";
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import split2 from "split2";

const FRAME = 64;
const CHUNK = 64 * 1024;
const CHUNKS = 100;

/** Chunks of a stream of frames, cut without regard to them. */
function chunksOf(codec: Codec<Uint8Array>): { chunks: Uint8Array<ArrayBuffer>[]; count: number } {
  const encoded = codec.encode(new Uint8Array(FRAME).fill(0x61));
  const count = Math.floor(CHUNK * CHUNKS / encoded.length);
  const stream = new Uint8Array(count * encoded.length);
  for (let i = 0; i < count; i++) stream.set(encoded, i * encoded.length);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < stream.length; at += CHUNK) chunks.push(stream.slice(at, at + CHUNK));
  return { chunks, count };
}

const text64 = chunksOf(lines());
const varint64 = chunksOf(varintPrefixed());
const prefix64 = chunksOf(lengthPrefixed());

function checkCount(seen: number, expected: number): void {
  if (seen !== expected) throw new Error(`${seen} frames instead of ${expected}`);
}

/** The control: what anyone would write by hand, without limits, errors or frames across chunks. */
function bareLoop(): void {
  let seen = 0;
  let bytes = 0;
  for (const chunk of text64.chunks) {
    let start = 0;
    for (;;) {
      const newline = chunk.indexOf(0x0a, start);
      if (newline === -1) break;
      bytes += chunk.subarray(start, newline).length;
      seen++;
      start = newline + 1;
    }
  }
  if (seen < 0.9 * text64.count || bytes === 0) throw new Error("frames are missing");
}

function push(codec: Codec<Uint8Array>, { chunks, count }: typeof text64): void {
  let seen = 0;
  let bytes = 0;
  const decoder = codec.decoder();
  const emit = (frame: Uint8Array): void => {
    bytes += frame.length;
    seen++;
  };
  for (const chunk of chunks) decoder.push(chunk, emit);
  decoder.end(emit);
  checkCount(seen, count);
}

async function* sourceOf<T>(chunks: readonly T[]): AsyncGenerator<T> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

async function iterate(iterable: AsyncIterable<unknown>, count: number): Promise<void> {
  let seen = 0;
  for await (const _ of iterable) seen++;
  checkCount(seen, count);
}

async function iterateBatches(
  iterable: AsyncIterable<readonly unknown[]>,
  count: number,
): Promise<void> {
  let seen = 0;
  for await (const batch of iterable) seen += batch.length;
  checkCount(seen, count);
}

function* buffersOf(chunks: readonly Uint8Array<ArrayBuffer>[]): Generator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk.buffer);
}

/** The fastest way to use split2: an event for each line, as many at once as there are. */
function split2Events(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let seen = 0;
  const stream = split2();
  stream.on("data", () => void seen++);
  stream.on("error", reject);
  stream.on("end", () => {
    checkCount(seen, text64.count);
    resolve();
  });
  Readable.from(buffersOf(text64.chunks)).pipe(stream);
  return promise;
}

interface Candidate {
  name: string;
  count: number;
  run: () => void | Promise<void>;
}

const candidates: Candidate[] = [
  { name: "bare indexOf + subarray", count: text64.count, run: bareLoop },
  { name: "lines push", count: text64.count, run: () => push(lines(), text64) },
  { name: "delimited push", count: text64.count, run: () => push(delimited("\n"), text64) },
  {
    name: "text(lines) frames",
    count: text64.count,
    run: () => iterate(frames(sourceOf(text64.chunks), text(lines())), text64.count),
  },
  {
    name: "lines frames",
    count: text64.count,
    run: () => iterate(frames(sourceOf(text64.chunks), lines()), text64.count),
  },
  {
    name: "lines frames().batches()",
    count: text64.count,
    run: () => iterateBatches(frames(sourceOf(text64.chunks), lines()).batches(), text64.count),
  },
  {
    name: "lines FrameDecoderStream",
    count: text64.count,
    run: () =>
      iterate(
        ReadableStream.from(text64.chunks).pipeThrough(new FrameDecoderStream(lines())),
        text64.count,
      ),
  },
  {
    name: "text(lines) FrameDecoderStream",
    count: text64.count,
    run: () =>
      iterate(
        ReadableStream.from(text64.chunks).pipeThrough(new FrameDecoderStream(text(lines()))),
        text64.count,
      ),
  },
  {
    name: "@std/streams TextLineStream",
    count: text64.count,
    run: () =>
      iterate(
        ReadableStream.from(text64.chunks).pipeThrough(new TextDecoderStream()).pipeThrough(
          new TextLineStream(),
        ),
        text64.count,
      ),
  },
  {
    name: "split2, iterated",
    count: text64.count,
    run: () => iterate(Readable.from(buffersOf(text64.chunks)).pipe(split2()), text64.count),
  },
  { name: "split2, data events", count: text64.count, run: split2Events },
  {
    name: "lengthPrefixed push",
    count: prefix64.count,
    run: () => push(lengthPrefixed(), prefix64),
  },
  {
    name: "varintPrefixed push",
    count: varint64.count,
    run: () => push(varintPrefixed(), varint64),
  },
  {
    name: "varintPrefixed frames",
    count: varint64.count,
    run: () => iterate(frames(sourceOf(varint64.chunks), varintPrefixed()), varint64.count),
  },
  {
    name: "it-length-prefixed",
    count: varint64.count,
    run: () => iterate(decodeLengthPrefixed(sourceOf(varint64.chunks)), varint64.count),
  },
];

/**
 * What is promised: candidate, control, and the factor by which the candidate is cheaper. A decoder's
 * callback is compared with what the others have for it, which is seldom a callback; where the same
 * work is done on both sides, the text(lines) rows stand beside TextLineStream, and frames beside
 * it-length-prefixed.
 */
const claims: [candidate: string, control: string, factor: number][] = [
  ["lines push", "bare indexOf + subarray", 1 / 1.3],
  ["lines push", "@std/streams TextLineStream", 3],
  ["lines push", "split2, iterated", 4],
  ["lines push", "split2, data events", 2],
  ["varintPrefixed push", "it-length-prefixed", 5],
  ["lines frames", "@std/streams TextLineStream", 1.5],
  ["text(lines) frames", "@std/streams TextLineStream", 1.5],
];

const args = parseArgs(Deno.args, { string: ["rounds"] });
const rounds = Number(args["rounds"] ?? 9);
const times = new Map<string, number[]>(candidates.map(({ name }) => [name, []]));
for (let round = -2; round < rounds; round++) {
  for (const { name, count, run } of candidates) {
    const start = performance.now();
    await run();
    const time = (performance.now() - start) * 1e6 / count;
    // The first rounds warm up.
    if (round >= 0) times.get(name)!.push(time);
  }
}

const costs = new Map([...times].map(([name, values]) => [name, median(values)]));
const results = claims.map(([candidate, control, factor]) => {
  const ratio = costs.get(control)! / costs.get(candidate)!;
  return { candidate, control, ratio, factor, met: ratio >= factor };
});
const unit = costs.get("bare indexOf + subarray")!;
printTable(
  "64 B frames in 64 KiB chunks",
  ["candidate", "ns/frame", "of the bare loop"],
  [...costs].map(([name, cost]) => [name, cost.toFixed(0), (cost / unit).toFixed(2)]),
  { lessIsBetter: true },
);
console.log();
for (const { candidate, control, ratio, factor, met } of results) {
  console.log(
    `${candidate} against ${control}: ${ratio.toFixed(2)} x as fast, promised ${
      factor.toFixed(2)
    }: ${met ? "met" : "MISSED"}`,
  );
}
