/**
 * Every way to write to a connection, chosen at random. What was accepted is remembered in the order of
 * the calls; what the peer gets is compared with it.
 */
import { type Framed, FrameError, LimitError, lines, type TcpConnection, text } from "../../mod.ts";
import { between } from "../_util/random.ts";
import { Log, microtasks, pause } from "./_random_log.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** How a connection comes to its end. */
export const endings = ["closeWrite", "close", "close at once", "abort", "peer aborts"] as const;
export type Ending = typeof endings[number];

/** What the peer has seen. */
export interface Seen {
  readonly bytes: Uint8Array;
  /** What its last read failed with; `undefined` for an orderly end. */
  readonly error: unknown;
}

/** One call: several lines for `sendAll`, one for all others. */
interface Call {
  readonly name: string;
  readonly parts: Uint8Array[];
  readonly awaited: boolean;
  /** The least that waited before it, and with how many calls. */
  readonly waiting: number;
  readonly calls: number;
  error?: unknown;
  isSettled: boolean;
}

/** Writes in every way there is, and checks what came of it. */
export class RandomWrites {
  readonly log = new Log();
  readonly #conn: TcpConnection;
  readonly #maxWriteQueue: number;
  readonly #chance: () => number;
  readonly #calls: Call[] = [];
  readonly #running: Promise<void>[] = [];
  #framed: Framed<string> | undefined;
  #accepted = 0;
  #lastEmpty = 0; // the call before which nothing waited
  #streamFailed = false;
  #failure: unknown;

  constructor(conn: TcpConnection, maxWriteQueue: number, chance: () => number) {
    this.#conn = conn;
    this.#maxWriteQueue = maxWriteQueue;
    this.#chance = chance;
  }

  /** Writes so many times, or until the connection has failed. */
  async run(steps: number): Promise<void> {
    const chance = this.#chance;
    for (let step = 0; step < steps; step++) {
      const way = between(chance, 0, 13);
      if (way < 3) await this.#write();
      else if (way < 6) await this.#send();
      else if (way === 6) await this.#sendAll();
      else if (way === 7) await this.#flush();
      else if (way === 8) await this.#stream();
      else if (way === 9) await this.#sendBroken();
      else if (way === 10) this.#burst();
      else if (way === 11) this.#release();
      else await pause(chance);
    }
  }

  /** After everything has gone out, the next message is accepted: a full queue is no dead socket. */
  async writeLast(): Promise<void> {
    await Promise.all(this.#running);
    this.log.add("flush(), then the last message");
    await this.#messages.flush();
    await this.#call(
      "send",
      [this.#line(10)],
      true,
      (parts) => this.#messages.send(parts[0] ?? ""),
    );
    await this.#messages.flush();
    const last = this.#calls.at(-1);
    if (last?.error !== undefined) this.log.fail("the last message was refused", last.error);
  }

  /** Brings the connection to its end. */
  async end(ending: Ending): Promise<void> {
    this.log.add(ending);
    if (ending === "closeWrite") await this.#conn.closeWrite();
    else if (ending === "close") await this.#conn.close();
    else if (ending === "close at once") await this.#conn.close({ linger: 0 });
    else if (ending === "abort") this.#conn.abort();
  }

  /** Compares. Every call must have settled by now or soon, because the connection has ended. */
  async check(seen: Seen, ending: Ending): Promise<void> {
    await Promise.all(this.#running);
    if (this.#failure !== undefined) this.log.fail(`${this.#failure}`, this.#failure);
    const unsettled = this.#calls.find((call) => !call.isSettled);
    if (unsettled) this.log.fail(`${unsettled.name} has not settled`);
    const isOrderly = ending === "closeWrite" || ending === "close";
    const missing = this.#match(seen.bytes);
    if (isOrderly && seen.error !== undefined) this.log.fail("the peer saw an error", seen.error);
    if (missing > 0 && seen.error === undefined && this.#canReset && ending !== "peer aborts") {
      this.log.fail(`the peer saw a clean end ${missing} bytes too early`);
    }
    if (!isOrderly) return;
    const failed = this.#calls.find(({ error }) => error !== undefined && !isRefusal(error));
    if (failed) this.log.fail(`${failed.name} failed`, failed.error);
  }

  /** Whether a cut shows as one. On a unix socket the system knows no reset from this side. */
  get #canReset(): boolean {
    return this.#conn.transport !== "unix";
  }

  get #messages(): Framed<string> {
    return this.#framed ??= this.#conn.framed(text(lines({ maxLength: 1_000_000 })));
  }

  #release(): void {
    if (this.#framed === undefined) return;
    this.log.add("release()");
    this.#framed.release();
    this.#framed = undefined;
  }

  /** The next message: its number and so many letters. */
  #line(length: number): string {
    return `${this.#calls.length}:${"abcdefghij".repeat(Math.ceil(length / 10)).slice(0, length)}`;
  }

  #length(): number {
    const kind = this.#chance();
    return between(this.#chance, 0, kind < 0.05 ? 300_000 : kind < 0.2 ? 9_000 : 60);
  }

  #write(): Promise<void> {
    const asText = this.#chance() < 0.3;
    return this.#call("write", [this.#line(this.#length())], this.#isAwaited(), (parts) => {
      const data = `${parts[0]}\n`;
      return this.#conn.write(asText ? data : encoder.encode(data));
    });
  }

  #send(): Promise<void> {
    const parts = [this.#line(this.#length())];
    return this.#call("send", parts, this.#isAwaited(), () => this.#messages.send(parts[0] ?? ""));
  }

  #sendAll(): Promise<void> {
    const count = between(this.#chance, 0, 5);
    const parts = Array.from({ length: count }, (_, i) => `${this.#line(this.#length())};${i}`);
    return this.#call("sendAll", parts, this.#isAwaited(), () => this.#messages.sendAll(parts));
  }

  /** The web stream, awaited: it hands on what it gets in a later microtask. */
  async #stream(): Promise<void> {
    if (this.#streamFailed) return;
    await this.#call("writable", [this.#line(this.#length())], true, async (parts) => {
      const writer = this.#conn.writable.getWriter();
      try {
        await writer.write(encoder.encode(`${parts[0]}\n`));
      } catch (error) {
        this.#streamFailed = true; // a web stream ends with its first failure
        throw error;
      } finally {
        writer.closed.catch(() => {}); // releasing the lock rejects it
        writer.releaseLock();
      }
    });
  }

  /** Many small messages that no one awaits. */
  #burst(): void {
    const count = between(this.#chance, 1, 60);
    const plain = this.#chance() < 0.5;
    for (let i = 0; i < count; i++) {
      const parts = [this.#line(between(this.#chance, 0, 30))];
      this.#call(
        plain ? "write" : "send",
        parts,
        false,
        () => plain ? this.#conn.write(`${parts[0]}\n`) : this.#messages.send(parts[0] ?? ""),
      );
    }
  }

  async #flush(): Promise<void> {
    const awaited = this.#isAwaited();
    this.log.add(awaited ? "await flush()" : "flush()");
    const flushed = this.#messages.flush();
    if (awaited) await flushed.catch(() => {});
  }

  /** A message that is no line: refused, and nothing of it is sent. */
  async #sendBroken(): Promise<void> {
    const awaited = this.#isAwaited();
    const message = this.#chance() < 0.5 ? "a line chosen by a client\r" : "two\nlines";
    this.log.add(`${awaited ? "await " : ""}send(${JSON.stringify(message)})`);
    const sent = this.#messages.send(message);
    if (!awaited) return;
    const error = await sent.then(() => undefined, (reason) => reason);
    if (error === undefined) this.log.fail("a message that is no line was sent");
  }

  #isAwaited(): boolean {
    return this.#chance() < 0.4;
  }

  async #call(
    name: string,
    texts: string[],
    awaited: boolean,
    begin: (texts: string[]) => Promise<void>,
  ): Promise<void> {
    const parts = texts.map((each) => encoder.encode(`${each}\n`));
    const waiting = this.#accepted - this.#conn.stats().bytesSent;
    if (waiting <= 0) this.#lastEmpty = this.#calls.length;
    const calls = this.#calls.length - this.#lastEmpty;
    const call: Call = { name, parts, awaited, waiting, calls, isSettled: false };
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    this.log.add(`${awaited ? "await " : ""}${name} #${this.#calls.length}, ${size} bytes`);
    this.#calls.push(call);
    this.#accepted += size;
    const settled = begin(texts).then(() => {
      call.isSettled = true;
    }, (error) => {
      call.isSettled = true;
      call.error = error;
      if (isRefusal(error)) this.#refused(call, size, error);
    });
    this.#running.push(settled);
    if (awaited) await settled;
    else if (this.#chance() < 0.1) await microtasks(between(this.#chance, 1, 5));
  }

  #refused(call: Call, size: number, error: unknown): void {
    // What stood before the refusal in sendAll() is counted as waiting: never too little.
    if (call.name !== "sendAll") this.#accepted -= size;
    const atLeast = this.#maxWriteQueue - 1024 * (call.calls + 1);
    if (call.waiting + size >= atLeast || error instanceof FrameError) return;
    this.#failure ??= new Error(`${call.name} was refused with ${call.waiting} bytes waiting`, {
      cause: error,
    });
  }

  /** Walks through what the peer got, call by call; says how many accepted bytes it did not get. */
  #match(seen: Uint8Array): number {
    let at = 0;
    let missing = 0;
    for (const [number, { name, parts, error }] of this.#calls.entries()) {
      const isPartial = isRefusal(error) && name === "sendAll";
      if (isRefusal(error) && !isPartial) continue;
      for (const part of parts) {
        const there = seen.subarray(at, at + part.length);
        const same = there.every((byte, i) => byte === part[i]);
        if (same && there.length === part.length && missing === 0) at += part.length;
        else if (isPartial && there.length === 0) break;
        else if (same && at + there.length === seen.length) {
          missing += part.length - there.length;
          at = seen.length;
        } else if (isPartial) break;
        else {
          const given = JSON.stringify(decoder.decode(there.subarray(0, 40)));
          this.log.fail(`${name} #${number} should be at byte ${at}, but there is ${given}`);
        }
      }
    }
    if (at < seen.length) this.log.fail(`${seen.length - at} bytes too many`);
    return missing;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof LimitError || error instanceof FrameError;
}
