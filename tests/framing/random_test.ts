/**
 * Every codec with random options on random streams, valid and broken, cut, stopped and resumed anywhere,
 * against decoders that were written independently.
 */
import { foreign } from "./_harness.ts";
import { assert, assertEquals, assertLessOrEqual, assertNotEquals } from "@std/assert";
import { FrameError, frames } from "@tincan/net/framing";
import { BatchDecoder, MAX_BATCH } from "../../framing/batch_decoder.ts";
import { between } from "../_util/random.ts";
import { randomTest } from "../_util/soak.ts";
import {
  bytesOfString,
  type RandomCodec,
  randomCodec,
  randomMessage,
  stringOfBytes,
} from "./_random_codecs.ts";
import type { Found } from "./_reference.ts";

type Chance = () => number;

/** So many streams in one round: to make a codec costs as much as to decode a few frames. */
const STREAMS = 40;

class EmitFailure extends Error {}

const EMPTY = new Uint8Array(0);

/** The parts of what was found that every way of decoding shows. */
function comparable(found: Found, offset = 0): Found {
  const { kind, start, code, length, limit } = found;
  if (kind === "frame") return { kind, start: start - offset, value: found.value };
  const isExact = length === undefined || length <= Number.MAX_SAFE_INTEGER;
  return { kind, start: start - offset, ...isExact ? { length } : {}, code: code!, limit };
}

function ofError(kind: Found["kind"], error: FrameError, base = 0): Found {
  const { code, length, limit, offset } = error;
  return comparable({ kind, start: offset!, code, length, limit }, base);
}

function valueOf(message: unknown): unknown {
  return message instanceof Uint8Array ? stringOfBytes(message) : message;
}

/** What one decoder finds, in its order, with what the callback of dropped frames is told. */
class Trial {
  readonly seen: Found[] = [];
  readonly chance: Chance;
  readonly subject: RandomCodec;
  readonly stream: string;
  readonly expected: Found[];
  /** How many bytes were taken back and pushed again: offsets count them twice. */
  base = 0;
  /** Whether what is dropped is reported by throwing as well. */
  throwsOnDiscard = false;

  constructor(chance: Chance) {
    this.chance = chance;
    this.subject = randomCodec(chance, (error) => {
      this.seen.push(ofError("drop", error, this.base));
      if (this.throwsOnDiscard && chance() < 0.1) throw new EmitFailure();
    });
    this.stream = this.subject.stream();
    this.expected = this.subject.reference(this.stream).map((found) => comparable(found));
  }

  /** The next part of the stream: of any length, mostly short. */
  cut(at: number): string {
    const most = this.chance() < 0.5 ? 3 : this.chance() < 0.8 ? 60 : this.stream.length;
    return this.stream.slice(at, at + between(this.chance, 0, most));
  }

  /** Notes an error; whether decoding resumes after it. */
  note(error: unknown): boolean {
    if (error instanceof EmitFailure) return true;
    if (!(error instanceof FrameError)) throw error;
    const fault = this.expected[this.seen.length]?.kind === "fault" ? "fault" : "error";
    this.seen.push(ofError(fault, error, this.base));
    return fault === "fault";
  }

  check(seen: Found[] = this.seen): void {
    try {
      assertEquals(seen, this.expected);
    } catch (cause) {
      throw new Error(`${this.subject.description} on ${JSON.stringify(this.stream)}`, { cause });
    }
  }
}

/** A decoder is driven in every way that its contract allows. */
function drive(chance: Chance): void {
  const trial = new Trial(chance);
  trial.throwsOnDiscard = chance() < 0.2;
  const { subject, stream } = trial;
  const decoder = subject.codec.decoder();
  const { progress } = decoder;
  const stops = chance() < 0.5 ? 0 : chance();
  const throws = chance() < 0.8 ? 0 : 0.2;
  let stopped = false;
  const emit = (message: unknown): boolean => {
    const start = progress === undefined ? NaN : progress.frameStart - trial.base;
    trial.seen.push({ kind: "frame", start, value: valueOf(message) });
    if (chance() < throws) {
      stopped = true;
      throw new EmitFailure();
    }
    stopped = chance() < stops;
    return !stopped;
  };
  /** Whether the framing goes on. */
  const run = (step: () => void): boolean => {
    stopped = false;
    try {
      step();
    } catch (error) {
      stopped = true;
      return trial.note(error);
    }
    return true;
  };
  let at = 0;
  let goesOn = true;
  while (goesOn && at < stream.length) {
    const part = trial.cut(at);
    at += part.length;
    const chunk = bytesOfString(part);
    goesOn = run(() => decoder.push(chunk, emit));
    chunk.fill(0xee); // it belongs to the caller again
    // What was stopped is resumed at once, later, or by the next chunk.
    while (goesOn && stopped && chance() < 0.8) goesOn = run(() => decoder.push(EMPTY, emit));
    if (!goesOn || chance() > 0.02) continue;
    // What is taken is what was not framed; pushed again it comes to the same.
    const taken = stringOfBytes(decoder.takeRemaining!());
    assertEquals(taken, stream.slice(at - taken.length, at));
    const isDropped = trial.seen.at(-1)?.kind === "drop";
    if (isDropped || progress === undefined) return; // in the middle of it, perhaps
    const rest = subject.reference(stream.slice(at - taken.length));
    const end = at - taken.length;
    const later = rest.map((found) => comparable(found, -end));
    assertEquals([...trial.seen, ...later], trial.expected, subject.description);
    trial.base += taken.length;
    at -= taken.length;
  }
  do {
    if (goesOn) goesOn = run(() => decoder.end(emit));
  } while (goesOn && stopped);
  trial.check();
}

/** The decoder of connections: pulled, taken from and fed at random. */
function driveBatches(chance: Chance): void {
  const trial = new Trial(chance);
  const { subject, stream } = trial;
  const hasProgress = chance() < 0.8;
  const batch = new BatchDecoder(hasProgress ? subject.codec : foreign(subject.codec));
  const takeOver = chance() < 0.3 ? between(chance, 0, 5) : Infinity;
  /** Notes a message where it should come: drops are reported while a batch is decoded, so before. */
  const drops: Found[] = [];
  const taken: Found[] = [];
  let at = 0;
  let goesOn = true;
  const sort = (): Found[] =>
    [...taken, ...drops].toSorted((a, b) => a.start - b.start || rank(a) - rank(b));
  const rank = (found: Found): number => found.kind === "drop" ? 0 : 1;
  const pull = (): boolean => {
    const before = trial.seen.length;
    try {
      return batch.pull();
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      const known = trial.expected.find((each) =>
        each.kind === "fault" && each.start === error.offset
      );
      taken.push(ofError(known ? "fault" : "error", error));
      goesOn = known !== undefined;
      return false;
    } finally {
      drops.push(...trial.seen.slice(before));
      // What somebody else's decoder drops in a slice is its own affair.
      const most = subject.isForeign || !hasProgress ? stream.length : 2 * MAX_BATCH;
      assertLessOrEqual(trial.seen.length - before, most);
    }
  };
  const expectedFrames = trial.expected.filter(({ kind }) => kind === "frame");
  let count = 0;
  const take = (message: unknown): void => {
    // Where it was is known by its turn.
    taken.push({
      kind: "frame",
      start: expectedFrames[count++]?.start ?? -1,
      value: valueOf(message),
    });
  };
  while (goesOn) {
    if (pull()) {
      assertLessOrEqual(batch.size, MAX_BATCH);
      if (chance() < 0.3) { for (const message of batch.takeAll()) take(message); }
      while (batch.size > 0 && (count < takeOver || count === 0)) take(batch.take());
      if (count >= takeOver) {
        checkRemaining(trial, { batch, count, fed: at, hasProgress });
        return;
      }
    } else if (goesOn && !batch.unfinished) {
      if (batch.done) break;
      if (at < stream.length) {
        const part = trial.cut(at);
        at += part.length;
        batch.feed(bytesOfString(part));
      } else {
        batch.end();
      }
    }
  }
  trial.check(sort());
}

/** What remains after the last message taken comes to the messages that were not taken. */
function checkRemaining(
  trial: Trial,
  { batch, count, fed, hasProgress }: {
    batch: BatchDecoder<unknown>;
    count: number;
    fed: number;
    hasProgress: boolean;
  },
): void {
  const { stream, subject } = trial;
  const all = subject.reference(stream);
  const last = all.filter(({ kind }) => kind === "frame")[count - 1]!;
  const rest = stringOfBytes(batch.takeRemaining());
  const from = fed - rest.length;
  assertEquals(rest, stream.slice(from, fed), subject.description);
  assert(from >= last.end!, `${subject.description}: a message taken is among what remains`);
  if (hasProgress) {
    assertEquals(from, last.end, `${subject.description} on ${JSON.stringify(stream)}`);
  }
}

/** The iterator, frame by frame and in batches, from a source that uses its memory again. */
async function driveIterator(chance: Chance): Promise<void> {
  const trial = new Trial(chance);
  const { subject, stream } = trial;
  const memory = new Uint8Array(stream.length);
  let isClosed = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0; at < stream.length;) {
        const part = bytesOfString(trial.cut(at));
        memory.fill(0xee);
        memory.set(part);
        at += part.length;
        if (chance() < 0.1) await Promise.resolve();
        yield memory.subarray(0, part.length);
      }
    } finally {
      isClosed = true;
    }
  }
  const iterator = frames(source(), subject.codec);
  const batches = iterator.batches();
  const got: unknown[] = [];
  let failure: Found | undefined;
  try {
    for (;;) {
      if (chance() < 0.5) {
        const { done, value } = await iterator.next();
        if (done) break;
        got.push(value);
      } else {
        const { done, value } = await batches.next();
        if (done) break;
        assertLessOrEqual(value.length, MAX_BATCH);
        got.push(...value);
      }
    }
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    failure = ofError("error", error);
  }
  assert(isClosed || stream === "");
  // The first fault ends it.
  const end = trial.expected.findIndex(({ kind }) => kind === "fault" || kind === "error");
  const until = end === -1 ? trial.expected : trial.expected.slice(0, end);
  const expectedFrames = until.filter(({ kind }) => kind === "frame").map(({ value }) => value);
  assertEquals(got.map(valueOf), expectedFrames, subject.description);
  const last = end === -1 ? undefined : { ...trial.expected[end]!, kind: "error" as const };
  assertEquals(failure, last, `${subject.description} on ${JSON.stringify(stream)}`);
}

/** What is encoded is what the reference reads, and only what it would not read so is refused. */
function encode(chance: Chance): void {
  const { codec, encoded, message, reference, description } = randomMessage(chance);
  const expected: Found[] = [{ kind: "frame", start: 0, end: encoded.length, value: message }];
  let stream: string;
  try {
    stream = stringOfBytes(codec.encode(bytesOfString(message)));
  } catch (error) {
    assert(error instanceof FrameError, String(error));
    assertNotEquals(reference(encoded), expected, `${description} on ${JSON.stringify(message)}`);
    return;
  }
  const found = reference(stream);
  const told = `${description} on ${JSON.stringify(message)}`;
  assertEquals(found, [{ ...expected[0]!, end: stream.length }], told);
}

randomTest("random: what is encoded against the references", ({ chance }) => {
  for (let i = 0; i < STREAMS; i++) encode(chance);
}, { seconds: 1, share: 0.2 });

randomTest("random: decoders against the references", ({ chance }) => {
  for (let i = 0; i < STREAMS; i++) drive(chance);
}, { seconds: 2 });

randomTest("random: batches against the references", ({ chance }) => {
  for (let i = 0; i < STREAMS; i++) driveBatches(chance);
}, { seconds: 1.5 });

randomTest("random: iterators against the references", async ({ chance }) => {
  for (let i = 0; i < STREAMS; i++) await driveIterator(chance);
}, { seconds: 1.5 });
