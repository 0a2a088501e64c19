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
import { senderKey } from "./_address.ts";

/** Sources are counted together in so many buckets; only those of a busy bucket are told apart. */
const BUCKETS = 4_096;
/** Answers are left out until so much time has passed since the first, in milliseconds. */
const PAUSE = 1_000;
/** Fewer answers a second are harmless, in a loop too. */
const HARMLESS_RATE = 100;
/** Sources of busy buckets that are counted one by one; at this number counting starts over. */
const MAX_SOURCES = 4_096;

/** The answers to one source. */
interface Count {
  answers: number;
  /** When the first of them was sent. */
  readonly since: number;
}

/** Counts the answers to each source. The clock is read only when a count is full. */
export class LoopGuard {
  /** From so many answers on, a bucket is busy. */
  readonly #busy: number;
  /** So many more one source of a busy bucket may have. */
  readonly #limit: number;
  readonly #buckets = new Uint32Array(BUCKETS);
  readonly #sources = new Map<string, Count>();
  #since = performance.now(); // when the buckets were empty

  constructor(limit: number) {
    this.#busy = Math.floor(limit / 2);
    this.#limit = limit - this.#busy;
  }

  /** Whether one more answer to `to` may be sent. */
  allows(to: SocketAddress): boolean {
    if ("path" in to) return true; // a unix sender cannot be forged
    const bucket = to.port % BUCKETS;
    const count = this.#buckets[bucket]!;
    if (count < this.#busy) {
      this.#buckets[bucket] = count + 1;
      return true;
    }
    const source = senderKey(to);
    const known = this.#sources.get(source);
    if (known === undefined) return this.#begin(source);
    if (known.answers < this.#limit) {
      known.answers++;
      return true;
    }
    const elapsed = performance.now() - known.since;
    if (elapsed >= PAUSE) this.#sources.delete(source);
    return isHarmless(known.answers, elapsed);
  }

  /** Starts to count one source by itself, or all of them again if they were slow. */
  #begin(source: string): boolean {
    const now = performance.now();
    if (isHarmless(this.#busy, now - this.#since) || this.#sources.size >= MAX_SOURCES) {
      this.#buckets.fill(0);
      this.#sources.clear();
      this.#since = now;
    } else {
      this.#sources.set(source, { answers: 1, since: now });
    }
    return true;
  }
}

function isHarmless(answers: number, elapsed: number): boolean {
  return answers < elapsed * HARMLESS_RATE / 1_000;
}
