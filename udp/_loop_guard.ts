/**
 * An end to loops of servers that answer each other.
 *
 * One datagram with a forged sender makes two servers answer each other forever. A loop does not
 * survive an answer that is left out; a client asks again. So after a number of answers to one source
 * the next is left out, and so are all others until a second has passed since the first of them: that
 * stops any number of datagrams that circulate between the two.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";

/** Sources are counted together in so many buckets; only those of a busy bucket are told apart. */
const BUCKETS = 4_096;
/** From so many answers on, a bucket is busy. */
const BUSY = 256;
/** Answers are left out until so much time has passed since the first, in milliseconds. */
const PAUSE = 1_000;
/** Fewer answers a second are harmless, in a loop too. */
const HARMLESS_RATE = 100;
/** So many sources of busy buckets are told apart; then counting begins anew. */
const MAX_SOURCES = 4_096;

/** The answers to one source. */
interface Count {
  answers: number;
  /** When the first of them was sent. */
  readonly since: number;
}

/** Counts the answers to each source. */
export class LoopGuard {
  readonly #limit: number;
  readonly #buckets = new Uint16Array(BUCKETS);
  readonly #sources = new Map<string, Count>();
  #since = performance.now(); // when the buckets were empty

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether one more answer to `to` may be sent. */
  allows(to: SocketAddress): boolean {
    if ("path" in to) return true; // a unix sender cannot be forged
    const bucket = to.port % BUCKETS;
    const count = this.#buckets[bucket]!;
    if (count < BUSY) {
      this.#buckets[bucket] = count + 1;
      return true;
    }
    const now = performance.now();
    if (this.#isQuiet(BUSY, now - this.#since)) {
      this.#reset(now);
      return true;
    }
    return this.#allowsSource(`${to.hostname} ${to.port}`, now);
  }

  #allowsSource(source: string, now: number): boolean {
    const known = this.#sources.get(source);
    if (known === undefined || this.#isQuiet(known.answers, now - known.since)) {
      if (known === undefined && this.#sources.size >= MAX_SOURCES) this.#reset(now);
      this.#sources.set(source, { answers: 1, since: now });
      return true;
    }
    if (known.answers < this.#limit) {
      known.answers++;
      return true;
    }
    if (now - known.since >= PAUSE) this.#sources.delete(source);
    return false;
  }

  #isQuiet(answers: number, elapsed: number): boolean {
    return elapsed > PAUSE && answers < elapsed * HARMLESS_RATE / 1_000;
  }

  #reset(now: number): void {
    this.#buckets.fill(0);
    this.#sources.clear();
    this.#since = now;
  }
}
