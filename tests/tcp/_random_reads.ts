/**
 * Every way to read a connection, chosen at random, against a stream of which every byte is known: a
 * call gives exactly what comes next, or gives up without taking anything.
 */
import { type Framed, FrameError, LimitError, type TcpConnection } from "../../mod.ts";
import { between } from "../_util/random.ts";
import { isGivenUp, type Limits, Log, microtasks, pause, pickLimits } from "./_random_log.ts";
import { find, lineAt, type Message, pickReference, type Reference } from "./_random_stream.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What came of a call. */
type Outcome<T> = { value: T } | { error: unknown } | "gave up";

/** Reads a connection to its end in every way there is. */
export class RandomReads {
  readonly #conn: TcpConnection;
  readonly #stream: Uint8Array;
  readonly #chance: () => number;
  readonly #log = new Log();
  #at = 0; // what was taken so far
  #cancelled = false; // the web stream

  constructor(conn: TcpConnection, stream: Uint8Array, chance: () => number) {
    this.#conn = conn;
    this.#stream = stream;
    this.#chance = chance;
  }

  /** Takes everything, checks it, and checks that the end is the end for each way of reading. */
  async run(): Promise<void> {
    this.#log.add(`a stream of ${this.#stream.length} bytes`);
    while (this.#at < this.#stream.length) {
      const ways = [
        () => this.#read(),
        () => this.#readExactly(),
        () => this.#readUntil(),
        () => this.#readLine(),
        () => this.#iterate(),
        () => this.#readTwice(),
        () => this.#readStream(),
        () => this.#readByob(),
        () => this.#iterateStream(),
        () => this.#readFramed(),
        () => this.#readFramed(),
      ];
      try {
        await (ways[between(this.#chance, 0, ways.length - 1)] as () => Promise<void>)();
      } catch (error) {
        this.#log.fail(`at byte ${this.#at} of ${this.#stream.length}: ${error}`, error);
      }
      await pause(this.#chance);
    }
    await this.#checkEnd();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(between(this.#chance, 1, this.#chance() < 0.2 ? 9_000 : 40));
    const limits = pickLimits(this.#chance);
    this.#log.add(`read(${buffer.length})${limits.name}`);
    const outcome = await this.#attempt(this.#conn.read(buffer, limits.options), limits);
    if (outcome === "gave up") return;
    const n = valueOf(outcome);
    if (n === null) throw new Error("read() says that this is the end");
    this.#take(buffer.subarray(0, n));
  }

  async #readExactly(): Promise<void> {
    const length = between(this.#chance, 0, this.#chance() < 0.1 ? 20_000 : 100);
    const limits = pickLimits(this.#chance);
    this.#log.add(`readExactly(${length})${limits.name}`);
    const outcome = await this.#attempt(this.#conn.readExactly(length, limits.options), limits);
    if (outcome === "gave up") return;
    if (this.#at + length > this.#stream.length) return checkThrows(outcome, unexpectedEof);
    const bytes = valueOf(outcome);
    if (bytes?.length !== length) throw new Error(`gave ${bytes?.length} bytes of ${length}`);
    this.#take(bytes);
  }

  async #readUntil(): Promise<void> {
    const word = ["\n", ",", "\r\n", "9,", "00", "~"][between(this.#chance, 0, 5)] as string;
    const maxLength = this.#chance() < 0.2 ? between(this.#chance, 1, 200) : 65_536;
    const limits = pickLimits(this.#chance);
    this.#log.add(`readUntil(${JSON.stringify(word)}, ${maxLength})${limits.name}`);
    const options = { ...limits.options, maxLength };
    const outcome = await this.#attempt(this.#conn.readUntil(word, options), limits);
    if (outcome === "gave up") return;
    const found = find(this.#stream, encoder.encode(word), this.#at);
    const length = (found < 0 ? this.#stream.length : found) - this.#at;
    if (length > maxLength) return checkThrows(outcome, tooLong);
    if (found < 0) return checkThrows(outcome, unexpectedEof);
    const bytes = valueOf(outcome);
    if (bytes?.length !== length + word.length) {
      throw new Error(`gave ${bytes?.length} bytes, the delimiter ends after ${length} and itself`);
    }
    this.#take(bytes);
  }

  async #readLine(): Promise<void> {
    const maxLength = this.#chance() < 0.2 ? between(this.#chance, 1, 200) : 65_536;
    const limits = pickLimits(this.#chance);
    this.#log.add(`readLine(${maxLength})${limits.name}`);
    const call = this.#conn.readLine({ ...limits.options, maxLength });
    const outcome = await this.#attempt(call, limits);
    if (outcome === "gave up") return;
    this.#takeLine(outcome, maxLength);
  }

  /** Chunk by chunk, left early. */
  async #iterate(): Promise<void> {
    let left = between(this.#chance, 1, 4);
    this.#log.add(`for await (chunk of conn), ${left} times`);
    for await (const chunk of this.#conn) {
      this.#take(chunk);
      if (--left === 0) break;
      if (this.#chance() < 0.3) await pause(this.#chance);
    }
  }

  /** Two calls at once: the second is refused, or comes after the first. */
  async #readTwice(): Promise<void> {
    const limits = pickLimits(this.#chance);
    const delay = between(this.#chance, 0, 8);
    this.#log.add(`readLine()${limits.name}, and after ${delay} microtasks read()`);
    const first = this.#attempt(this.#conn.readLine(limits.options), limits);
    await microtasks(delay);
    const buffer = new Uint8Array(8);
    const none: Limits = { name: "", options: { timeout: 0 }, done() {} };
    const second = this.#attempt(this.#conn.read(buffer, none.options), none);
    const [line, bytes] = await Promise.all([first, second]);
    if (line !== "gave up") this.#takeLine(line, 65_536);
    if (bytes === "gave up") return;
    if ("error" in bytes) return checkThrows(bytes, isBusy);
    if (bytes.value === null) {
      if (this.#at < this.#stream.length) throw new Error("read() says that this is the end");
      return;
    }
    this.#take(buffer.subarray(0, bytes.value));
  }

  /** The web stream with a reader that is released, once with a read still waiting. */
  async #readStream(): Promise<void> {
    if (this.#cancelled) return;
    let reads = between(this.#chance, 1, 3);
    this.#log.add(`conn.readable, ${reads} reads`);
    let reader = this.#conn.readable.getReader();
    if (this.#chance() < 0.3) {
      this.#log.add("released with a read waiting");
      const abandoned = reader.read().then(
        ({ value }) => value && this.#take(value),
        (error) => checkThrows({ error }, (each) => each instanceof TypeError),
      );
      await microtasks(between(this.#chance, 0, 8));
      reader.releaseLock();
      await abandoned;
      // What the abandoned read brings belongs to the stream, so it is read from there.
      reader = this.#conn.readable.getReader();
    }
    while (reads-- > 0 && this.#at < this.#stream.length) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the web stream says that this is the end");
      this.#take(value);
    }
    if (this.#chance() < 0.1) await this.#cancel(reader);
    reader.releaseLock();
  }

  async #cancel(reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>): Promise<void> {
    this.#cancelled = true;
    const waiting = this.#chance() < 0.7 ? reader.read() : undefined;
    await microtasks(between(this.#chance, 0, 6));
    this.#log.add(`the web stream is cancelled${waiting ? ", with a read waiting" : ""}`);
    await reader.cancel();
    const { value } = await waiting ?? {};
    if (value !== undefined) this.#take(value);
  }

  async #readByob(): Promise<void> {
    if (this.#cancelled) return;
    let reads = between(this.#chance, 1, 3);
    this.#log.add(`conn.readable, byob, ${reads} reads`);
    const reader = this.#conn.readable.getReader({ mode: "byob" });
    while (reads-- > 0 && this.#at < this.#stream.length) {
      const { value, done } = await reader.read(new Uint8Array(between(this.#chance, 1, 300)));
      if (done) throw new Error("the web stream says that this is the end");
      this.#take(value);
    }
    reader.releaseLock();
  }

  async #iterateStream(): Promise<void> {
    if (this.#cancelled) return;
    let left = between(this.#chance, 1, 3);
    const preventCancel = this.#chance() < 0.9;
    this.#log.add(`for await (chunk of conn.readable.values({ preventCancel: ${preventCancel} }))`);
    for await (const chunk of this.#conn.readable.values({ preventCancel })) {
      this.#take(chunk);
      if (--left === 0 || this.#at === this.#stream.length) break;
    }
    this.#cancelled = !preventCancel;
  }

  async #readFramed(): Promise<void> {
    let reference = pickReference(this.#chance);
    this.#log.add(`framed(${reference.name})`);
    let framed = this.#conn.framed(reference.codec());
    for (let steps = between(this.#chance, 1, 8); steps > 0; steps--) {
      const available = this.#available(reference);
      if (available === 0) break;
      const way = between(this.#chance, 0, 9);
      if (way < 3) await this.#receive(framed, reference);
      else if (way === 3) await this.#iterateFramed(framed, reference, available);
      else if (way === 4) await this.#batches(framed, reference);
      else if (way === 5) await this.#receiveTwice(framed, reference);
      else if (way === 6) await this.#request(framed, reference, available);
      else if (way === 7) await this.#readWhileFramed();
      else {
        reference = pickReference(this.#chance);
        this.#log.add(`switchTo(${reference.name})`);
        framed = framed.switchTo(reference.codec());
      }
      if (this.#chance() < 0.4) await pause(this.#chance);
    }
    this.#log.add("release()");
    framed.release();
  }

  /** How many whole messages are to come, as far as it matters. */
  #available(reference: Reference): number {
    let count = 0;
    let next = reference.next(this.#stream, this.#at);
    while (next !== undefined && ++count < 8) next = reference.next(this.#stream, next.after);
    return count;
  }

  async #receive(framed: Framed<Message>, reference: Reference): Promise<void> {
    const limits = pickLimits(this.#chance);
    this.#log.add(`receive()${limits.name}`);
    const outcome = await this.#attempt(framed.receive(limits.options), limits);
    if (outcome !== "gave up") this.#takeMessage(valueOf(outcome), reference);
  }

  async #iterateFramed(
    framed: Framed<Message>,
    reference: Reference,
    available: number,
  ): Promise<void> {
    let left = between(this.#chance, 1, available);
    this.#log.add(`for await (message of framed), ${left} times`);
    for await (const message of framed) {
      this.#takeMessage(message, reference);
      if (--left === 0) return;
      if (this.#chance() < 0.2) await pause(this.#chance);
    }
    throw new Error("the loop ended before the stream");
  }

  async #batches(framed: Framed<Message>, reference: Reference): Promise<void> {
    this.#log.add("batches(), one");
    for await (const batch of framed.batches()) {
      if (batch.length === 0) throw new Error("an empty batch");
      for (const message of batch) this.#takeMessage(message, reference);
      return;
    }
    throw new Error("the loop ended before the stream");
  }

  async #receiveTwice(framed: Framed<Message>, reference: Reference): Promise<void> {
    const limits = pickLimits(this.#chance);
    const delay = between(this.#chance, 0, 10);
    this.#log.add(`receive()${limits.name}, and after ${delay} microtasks receive() timeout 0`);
    const first = this.#attempt(framed.receive(limits.options), limits);
    await microtasks(delay);
    const none: Limits = { name: "", options: { timeout: 0 }, done() {} };
    const second = this.#attempt(framed.receive(none.options), none);
    const [one, two] = await Promise.all([first, second]);
    if (one !== "gave up") this.#takeMessage(valueOf(one), reference);
    if (two === "gave up") return;
    if ("value" in two) {
      if (two.value === null && this.#at >= this.#stream.length) return;
      return this.#takeMessage(two.value, reference);
    }
    // With no whole message left, what comes next is either not there or broken off.
    if (reference.next(this.#stream, this.#at) === undefined) {
      return checkThrows(two, (error) => isBusy(error) || error instanceof FrameError);
    }
    checkThrows(two, isBusy);
  }

  /** Several requests at once, whose answers are the next messages; one that gave up drops its own. */
  async #request(
    framed: Framed<Message>,
    reference: Reference,
    available: number,
  ): Promise<void> {
    const count = between(this.#chance, 1, Math.min(available, 4));
    const question = reference.next(this.#stream, this.#at)?.message ?? new Uint8Array(0);
    const message = reference.name.startsWith("text") ? decoder.decode(question) : question;
    const asked: { limits: Limits; answer: Promise<Outcome<Message>>; sent: boolean }[] = [];
    for (let i = 0; i < count; i++) {
      const limits = pickLimits(this.#chance);
      this.#log.add(`request()${limits.name}`);
      const sent = limits.options?.signal?.aborted !== true;
      asked.push({
        limits,
        sent,
        answer: this.#attempt(framed.request(message, limits.options), limits),
      });
      if (this.#chance() < 0.3) await pause(this.#chance);
    }
    // The calls are settled first: a place is only known once all before it are.
    const outcomes = await Promise.all(asked.map(({ answer }) => answer));
    outcomes.forEach((outcome, i) => {
      if (outcome === "gave up") {
        if (asked[i]?.sent) this.#skipMessage(reference);
      } else this.#takeMessage(valueOf(outcome), reference);
    });
    // A late answer is dropped by the next receiver, before the codec changes.
    if (!outcomes.includes("gave up")) return;
    if (this.#available(reference) === 0) return this.#flushDropped(framed);
    this.#log.add("receive() after requests that gave up");
    this.#takeMessage(await framed.receive(), reference);
  }

  /** Takes the rest as messages until nothing is left that a request could still drop. */
  async #flushDropped(framed: Framed<Message>): Promise<void> {
    this.#log.add("receive() after the last whole message");
    const rest = this.#stream.length - this.#at;
    const outcome = await framed.receive().then((value) => ({ value }), (error) => ({ error }));
    if (rest > 0) return checkThrows(outcome, (error) => error instanceof FrameError);
    if (valueOf(outcome) !== null) throw new Error("a message after the last");
  }

  /** A plain read while a codec has the stream: refused, and nothing is taken. */
  async #readWhileFramed(): Promise<void> {
    const way = between(this.#chance, 0, 2);
    this.#log.add(`${["read(4)", "readLine()", "readExactly(3)"][way]} while framed`);
    const options = { timeout: 5 };
    const call: Promise<unknown> = way === 0
      ? this.#conn.read(new Uint8Array(4), options)
      : way === 1
      ? this.#conn.readLine(options)
      : this.#conn.readExactly(3, options);
    const refused = await call.then(() => false, () => true);
    if (!refused) throw new Error("a plain read got bytes that belong to the messages");
  }

  async #checkEnd(): Promise<void> {
    this.#log.add("the end");
    const conn = this.#conn;
    const ends: (number | string | Uint8Array | Message | null)[] = [
      await conn.read(new Uint8Array(4)),
      await conn.readLine(),
      await conn.readExactly(3),
      await conn.readUntil(","),
    ];
    const { reference, framed } = this.#frameAtEnd();
    ends.push(await framed.receive());
    framed.release();
    if (ends.some((end) => end !== null)) {
      this.#log.fail(`after the end there was ${JSON.stringify(ends)} (${reference})`);
    }
    for await (const chunk of conn) this.#log.fail(`after the end there was ${chunk}`);
  }

  #frameAtEnd(): { reference: string; framed: Framed<Message> } {
    const { name, codec } = pickReference(this.#chance);
    return { reference: name, framed: this.#conn.framed(codec()) };
  }

  async #attempt<T>(call: Promise<T>, limits: Limits): Promise<Outcome<T>> {
    try {
      return { value: await call };
    } catch (error) {
      return isGivenUp(error, limits) ? "gave up" : { error };
    } finally {
      limits.done();
    }
  }

  #takeLine(outcome: { value: string | null } | { error: unknown }, maxLength: number): void {
    const line = lineAt(this.#stream, this.#at);
    if (line === undefined) throw new Error("there was a line to read");
    // Whether the CR of a CR LF counts is told only by what comes after it.
    if (line.message.length > maxLength) return checkThrows(outcome, tooLong);
    const value = valueOf(outcome);
    if (value !== decoder.decode(line.message)) {
      throw new Error(`gave ${JSON.stringify(value)}, not the line that is next`);
    }
    this.#at = line.after;
  }

  #takeMessage(message: Message | null, reference: Reference): void {
    const next = reference.next(this.#stream, this.#at);
    const expected = next && decoder.decode(next.message);
    const given = message instanceof Uint8Array ? decoder.decode(message) : message;
    if (given !== expected) {
      throw new Error(
        `gave ${JSON.stringify(given)}, expected ${JSON.stringify(expected)} (${reference.name})`,
      );
    }
    this.#at = next?.after ?? this.#at;
  }

  #skipMessage(reference: Reference): void {
    this.#at = reference.next(this.#stream, this.#at)?.after ?? this.#at;
  }

  #take(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] === this.#stream[this.#at + i]) continue;
      throw new Error(`gave ${JSON.stringify(decoder.decode(bytes))}: byte ${i} is wrong`);
    }
    this.#at += bytes.length;
  }
}

function valueOf<T>(outcome: { value: T } | { error: unknown }): T {
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

function checkThrows(
  outcome: { value: unknown } | { error: unknown },
  isRight: (error: unknown) => boolean,
): void {
  if ("value" in outcome) throw new Error(`gave ${outcome.value}, expected an error`);
  if (!isRight(outcome.error)) throw outcome.error;
}

function unexpectedEof(error: unknown): boolean {
  return error instanceof Deno.errors.UnexpectedEof;
}

function tooLong(error: unknown): boolean {
  return error instanceof LimitError && error.code === "read_buffer";
}

function isBusy(error: unknown): boolean {
  return error instanceof Deno.errors.Busy;
}
