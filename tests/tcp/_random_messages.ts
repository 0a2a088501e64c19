/** Every way to receive the messages of a connection, chosen at random. */
import { type Framed, FrameError, type TcpConnection } from "../../mod.ts";
import { between } from "../_util/random.ts";
import { type Limits, type Log, microtasks, pause, pickLimits } from "./_random_log.ts";
import { attempt, checkThrows, isBusy, type Outcome, valueOf } from "./_random_outcome.ts";
import type { Place } from "./_random_place.ts";
import { type Message, pickReference, type Reference } from "./_random_stream.ts";

const decoder = new TextDecoder();

/** What the ways share. */
export interface RandomMessagesInit {
  readonly conn: TcpConnection;
  readonly place: Place;
  readonly log: Log;
  readonly chance: () => number;
}

/** Receives messages from wherever the stream is, with one codec after the other. */
export class RandomMessages {
  /** The messages, while the connection has a codec. */
  current: Framed<Message> | undefined;
  readonly #conn: TcpConnection;
  readonly #place: Place;
  readonly #log: Log;
  readonly #chance: () => number;

  constructor({ conn, place, log, chance }: RandomMessagesInit) {
    this.#conn = conn;
    this.#place = place;
    this.#log = log;
    this.#chance = chance;
  }

  /** Takes some messages and gives the connection back. */
  async run(): Promise<void> {
    let reference = pickReference(this.#chance);
    this.#log.add(`framed(${reference.name})`);
    let framed = this.current = this.#conn.framed(reference.codec());
    for (let steps = between(this.#chance, 1, 8); steps > 0; steps--) {
      const available = this.#place.available(reference);
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
        framed = this.current = framed.switchTo(reference.codec());
      }
      if (this.#chance() < 0.4) await pause(this.#chance);
    }
    this.#log.add("release()");
    framed.release();
    this.current = undefined;
  }

  async #receive(framed: Framed<Message>, reference: Reference): Promise<void> {
    const limits = pickLimits(this.#chance);
    this.#log.add(`receive()${limits.name}`);
    const outcome = await attempt(framed.receive(limits.options), limits);
    if (outcome !== "gave up") this.#place.takeMessage(valueOf(outcome), reference);
  }

  async #iterateFramed(
    framed: Framed<Message>,
    reference: Reference,
    available: number,
  ): Promise<void> {
    let left = between(this.#chance, 1, available);
    this.#log.add(`for await (message of framed), ${left} times`);
    for await (const message of framed) {
      this.#place.takeMessage(message, reference);
      if (--left === 0) return;
      if (this.#chance() < 0.2) await pause(this.#chance);
    }
    throw new Error("the loop ended before the stream");
  }

  async #batches(framed: Framed<Message>, reference: Reference): Promise<void> {
    this.#log.add("batches(), one");
    for await (const batch of framed.batches()) {
      if (batch.length === 0) throw new Error("an empty batch");
      for (const message of batch) this.#place.takeMessage(message, reference);
      return;
    }
    throw new Error("the loop ended before the stream");
  }

  async #receiveTwice(framed: Framed<Message>, reference: Reference): Promise<void> {
    const limits = pickLimits(this.#chance);
    const delay = between(this.#chance, 0, 10);
    this.#log.add(`receive()${limits.name}, and after ${delay} microtasks receive() timeout 0`);
    const first = attempt(framed.receive(limits.options), limits);
    await microtasks(delay);
    const none: Limits = { name: "", options: { timeout: 0 }, done() {} };
    const second = attempt(framed.receive(none.options), none);
    const [one, two] = await Promise.all([first, second]);
    if (one !== "gave up") this.#place.takeMessage(valueOf(one), reference);
    if (two === "gave up") return;
    if ("value" in two) {
      if (two.value === null && this.#place.isEnd) return;
      return this.#place.takeMessage(two.value, reference);
    }
    // With no whole message left, what comes next is either not there or broken off.
    if (reference.next(this.#place.stream, this.#place.at) === undefined) {
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
    const question = reference.next(this.#place.stream, this.#place.at)?.message ??
      new Uint8Array(0);
    const message = reference.name.startsWith("text") ? decoder.decode(question) : question;
    const asked: { limits: Limits; answer: Promise<Outcome<Message>>; sent: boolean }[] = [];
    for (let i = 0; i < count; i++) {
      const limits = pickLimits(this.#chance);
      this.#log.add(`request()${limits.name}`);
      const sent = limits.options?.signal?.aborted !== true;
      asked.push({
        limits,
        sent,
        answer: attempt(framed.request(message, limits.options), limits),
      });
      if (this.#chance() < 0.3) await pause(this.#chance);
    }
    // The calls are settled first: a place is only known once all before it are.
    const outcomes = await Promise.all(asked.map(({ answer }) => answer));
    outcomes.forEach((outcome, i) => {
      if (outcome === "gave up") {
        if (asked[i]?.sent) this.#place.skipMessage(reference);
      } else this.#place.takeMessage(valueOf(outcome), reference);
    });
    // A late answer is dropped by the next receiver, before the codec changes.
    if (!outcomes.includes("gave up")) return;
    if (this.#place.available(reference) === 0) return this.#flushDropped(framed);
    this.#log.add("receive() after requests that gave up");
    this.#place.takeMessage(await framed.receive(), reference);
  }

  /** Takes the rest as messages until nothing is left that a request could still drop. */
  async #flushDropped(framed: Framed<Message>): Promise<void> {
    this.#log.add("receive() after the last whole message");
    const rest = this.#place.stream.length - this.#place.at;
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
}
