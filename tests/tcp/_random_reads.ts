/**
 * Every way to read a connection, chosen at random, against a stream of which every byte is known: a
 * call gives exactly what comes next, or gives up without taking anything.
 */
import { type Framed, FrameError, type TcpConnection } from "../../mod.ts";
import { between } from "../_util/random.ts";
import { type Limits, Log, microtasks, pause, pickLimits } from "./_random_log.ts";
import { RandomMessages } from "./_random_messages.ts";
import {
  attempt,
  checkThrows,
  isBusy,
  tooLong,
  unexpectedEof,
  valueOf,
} from "./_random_outcome.ts";
import { Place } from "./_random_place.ts";
import { find, type Message, pickReference } from "./_random_stream.ts";

const encoder = new TextEncoder();

/** Reads a connection to its end in every way there is. */
export class RandomReads {
  readonly #conn: TcpConnection;
  readonly #chance: () => number;
  readonly #log = new Log();
  readonly #place: Place;
  readonly #messages: RandomMessages;
  #cancelled = false; // the web stream

  constructor(
    conn: TcpConnection,
    stream: Uint8Array,
    chance: () => number,
  ) {
    this.#conn = conn;
    this.#chance = chance;
    this.#place = new Place(stream);
    this.#messages = new RandomMessages({
      conn,
      place: this.#place,
      log: this.#log,
      chance,
    });
  }

  /**
   * Takes everything and checks it. With `isBroken`, the connection is broken off at some time: then it
   * stops at the first error that `isBroken` knows, and checks that all other calls reject too.
   */
  async run(isBroken?: (error: unknown) => boolean): Promise<void> {
    this.#log.add(`a stream of ${this.#place.stream.length} bytes`);
    while (!this.#place.isEnd) {
      try {
        await this.#step();
      } catch (error) {
        if (isBroken?.(error)) break;
        this.#log.fail(
          `at byte ${this.#place.at} of ${this.#place.stream.length}: ${error}`,
          error,
        );
      }
      await pause(this.#chance);
    }
    if (isBroken) await this.#checkBroken(isBroken);
    else await this.#checkEnd();
  }

  async #step(): Promise<void> {
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
      () => this.#messages.run(),
      () => this.#messages.run(),
    ];
    await (ways[between(this.#chance, 0, ways.length - 1)] as () => Promise<void>)();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(between(this.#chance, 1, this.#chance() < 0.2 ? 9_000 : 40));
    const limits = pickLimits(this.#chance);
    this.#log.add(`read(${buffer.length})${limits.name}`);
    const outcome = await attempt(this.#conn.read(buffer, limits.options), limits);
    if (outcome === "gave up") return;
    const n = valueOf(outcome);
    if (n === null) throw new Error("read() says that this is the end");
    this.#place.take(buffer.subarray(0, n));
  }

  async #readExactly(): Promise<void> {
    const length = between(this.#chance, 0, this.#chance() < 0.1 ? 20_000 : 100);
    const limits = pickLimits(this.#chance);
    this.#log.add(`readExactly(${length})${limits.name}`);
    const outcome = await attempt(this.#conn.readExactly(length, limits.options), limits);
    if (outcome === "gave up") return;
    if (this.#place.at + length > this.#place.stream.length) {
      return checkThrows(outcome, unexpectedEof);
    }
    const bytes = valueOf(outcome);
    if (bytes?.length !== length) throw new Error(`gave ${bytes?.length} bytes of ${length}`);
    this.#place.take(bytes);
  }

  async #readUntil(): Promise<void> {
    const word = ["\n", ",", "\r\n", "9,", "00", "~"][between(this.#chance, 0, 5)] as string;
    const maxLength = this.#chance() < 0.2 ? between(this.#chance, 1, 200) : 65_536;
    const limits = pickLimits(this.#chance);
    this.#log.add(`readUntil(${JSON.stringify(word)}, ${maxLength})${limits.name}`);
    const options = { ...limits.options, maxLength };
    const outcome = await attempt(this.#conn.readUntil(word, options), limits);
    if (outcome === "gave up") return;
    const found = find(this.#place.stream, encoder.encode(word), this.#place.at);
    const length = (found < 0 ? this.#place.stream.length : found) - this.#place.at;
    if (length > maxLength) return checkThrows(outcome, tooLong);
    if (found < 0) return checkThrows(outcome, unexpectedEof);
    const bytes = valueOf(outcome);
    if (bytes?.length !== length + word.length) {
      throw new Error(`gave ${bytes?.length} bytes, the delimiter ends after ${length} and itself`);
    }
    this.#place.take(bytes);
  }

  async #readLine(): Promise<void> {
    const maxLength = this.#chance() < 0.2 ? between(this.#chance, 1, 200) : 65_536;
    const limits = pickLimits(this.#chance);
    this.#log.add(`readLine(${maxLength})${limits.name}`);
    const call = this.#conn.readLine({ ...limits.options, maxLength });
    const outcome = await attempt(call, limits);
    if (outcome === "gave up") return;
    this.#place.takeLine(outcome, maxLength);
  }

  /** Chunk by chunk, left early. */
  async #iterate(): Promise<void> {
    let left = between(this.#chance, 1, 4);
    this.#log.add(`for await (chunk of conn), ${left} times`);
    for await (const chunk of this.#conn) {
      this.#place.take(chunk);
      if (--left === 0) break;
      if (this.#chance() < 0.3) await pause(this.#chance);
    }
  }

  /** Two calls at once: the second is refused, or comes after the first. */
  async #readTwice(): Promise<void> {
    const limits = pickLimits(this.#chance);
    const delay = between(this.#chance, 0, 8);
    this.#log.add(`readLine()${limits.name}, and after ${delay} microtasks read()`);
    const first = attempt(this.#conn.readLine(limits.options), limits);
    await microtasks(delay);
    const buffer = new Uint8Array(8);
    const none: Limits = { name: "", options: { timeout: 0 }, done() {} };
    const second = attempt(this.#conn.read(buffer, none.options), none);
    const [line, bytes] = await Promise.all([first, second]);
    if (line !== "gave up") this.#place.takeLine(line, 65_536);
    if (bytes === "gave up") return;
    if ("error" in bytes) return checkThrows(bytes, isBusy);
    if (bytes.value === null) {
      if (!this.#place.isEnd) throw new Error("read() says that this is the end");
      return;
    }
    this.#place.take(buffer.subarray(0, bytes.value));
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
        ({ value }) => value && this.#place.take(value),
        (error) => checkThrows({ error }, (each) => each instanceof TypeError),
      );
      await microtasks(between(this.#chance, 0, 8));
      reader.releaseLock();
      await abandoned;
      // What the abandoned read brings belongs to the stream, so it is read from there.
      reader = this.#conn.readable.getReader();
    }
    while (reads-- > 0 && !this.#place.isEnd) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the web stream says that this is the end");
      this.#place.take(value);
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
    if (value !== undefined) this.#place.take(value);
  }

  async #readByob(): Promise<void> {
    if (this.#cancelled) return;
    let reads = between(this.#chance, 1, 3);
    this.#log.add(`conn.readable, byob, ${reads} reads`);
    const reader = this.#conn.readable.getReader({ mode: "byob" });
    while (reads-- > 0 && !this.#place.isEnd) {
      const { value, done } = await reader.read(new Uint8Array(between(this.#chance, 1, 300)));
      if (done) throw new Error("the web stream says that this is the end");
      this.#place.take(value);
    }
    reader.releaseLock();
  }

  async #iterateStream(): Promise<void> {
    if (this.#cancelled) return;
    let left = between(this.#chance, 1, 3);
    const preventCancel = this.#chance() < 0.9;
    this.#log.add(`for await (chunk of conn.readable.values({ preventCancel: ${preventCancel} }))`);
    for await (const chunk of this.#conn.readable.values({ preventCancel })) {
      this.#place.take(chunk);
      if (--left === 0 || this.#place.isEnd) break;
    }
    this.#cancelled = !preventCancel;
  }

  /** After the connection was broken off, what has arrived may still be read, and then all calls fail. */
  async #checkBroken(isBroken: (error: unknown) => boolean): Promise<void> {
    this.#log.add("broken off");
    const buffer = new Uint8Array(1_000);
    for (let left = this.#place.stream.length; left >= 0; left--) {
      try {
        const call = this.#messages.current
          ? this.#messages.current.receive()
          : this.#conn.read(buffer);
        if (await call !== null) continue;
      } catch (error) {
        if (isBroken(error) || error instanceof FrameError) return;
        this.#log.fail(`failed with ${error}`, error);
      }
      this.#log.fail("a clean end of what was broken off");
    }
    this.#log.fail("more bytes than were sent");
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
}
