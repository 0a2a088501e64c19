/**
 * Remembering requests, so that each is handled once.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { checkCount, checkTimeout } from "../common/options.ts";
import { type Sweepable, unwatch, watch } from "../common/sweep.ts";
import { canAnswer, senderKey } from "./_address.ts";
import { fingerprint } from "./_fingerprint.ts";
import type { DedupOptions } from "./server_options.ts";

/** A longer key is remembered by its fingerprint: senders choose what is in it. */
const MAX_KEY_LENGTH = 256;
/** So many answers to one request are kept: empty ones take memory, too. */
const MAX_ANSWERS = 64;

const encoder = new TextEncoder();

/** A request that was seen, and what was answered. */
export interface Seen {
  readonly key: string;
  /** When it is forgotten; `Infinity` while it is being handled. */
  until: number;
  readonly answers: Uint8Array[];
}

/**
 * What became of a datagram: a new request, a known one, one that cannot be told from others and is
 * always handled, or one for which there is no room because so many are being handled.
 */
export type Sighting = { kind: "new" | "known"; seen: Seen } | { kind: "unknown" | "full" };

/** The requests of the last while. */
export class Dedup implements Sweepable {
  readonly #window: number;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #key: ((data: Uint8Array) => string | undefined) | undefined;
  /** Requests that are being handled. If one were forgotten, it would be handled twice. */
  readonly #active = new Map<string, Seen>();
  readonly #done = new Map<string, Seen>(); // the oldest first
  #bytes = 0;
  #lastSeen = 0; // when the last datagram came

  constructor(given: true | number | DedupOptions) {
    const options: DedupOptions = given === true
      ? {}
      : typeof given === "object"
      ? given
      : { window: given };
    const { window = 30_000, maxEntries = 16_384, maxBytes = 16_777_216, key } = options;
    this.#window = checkTimeout("dedup.window", window);
    this.#maxEntries = checkCount("dedup.maxEntries", maxEntries, 1);
    this.#maxBytes = checkCount("dedup.maxBytes", maxBytes);
    this.#key = key;
  }

  /** Looks a datagram up, and remembers it if it is new: then `finish` must follow. */
  see(data: Uint8Array, from: SocketAddress): Sighting {
    // Senders without an address cannot be told apart, and get no answer in any case.
    if (!canAnswer(from)) return { kind: "unknown" };
    const given = this.#key === undefined ? fingerprint(data) : this.#key(data);
    if (given === undefined) return { kind: "unknown" };
    if (typeof given === "object") throw asynchronousKey(given);
    const isLong = typeof given === "string" && given.length > MAX_KEY_LENGTH;
    const id = isLong ? `long ${fingerprint(encoder.encode(given))}` : given;
    const key = `${senderKey(from)} ${id}`;
    this.#lastSeen = performance.now();
    this.#forget(this.#lastSeen);
    const known = this.#active.get(key) ?? this.#done.get(key);
    if (known !== undefined) return { kind: "known", seen: known };
    if (this.#active.size >= this.#maxEntries) return { kind: "full" };
    if (this.#active.size + this.#done.size >= this.#maxEntries) this.#dropOldest();
    const seen: Seen = { key, until: Infinity, answers: [] };
    this.#active.set(key, seen);
    return { kind: "new", seen };
  }

  /** Keeps a copy of an answer for the duplicates that may come, if there is room for it. */
  keep(seen: Seen, answer: Uint8Array): void {
    if (this.#active.get(seen.key) !== seen && this.#done.get(seen.key) !== seen) return; // forgotten
    const { length } = answer;
    if (length > this.#maxBytes || seen.answers.length >= MAX_ANSWERS) return;
    while (this.#bytes + length > this.#maxBytes && this.#done.size > 0) this.#dropOldest();
    if (this.#bytes + length > this.#maxBytes) return; // those that are being handled have them all
    seen.answers.push(Uint8Array.from(answer));
    this.#bytes += length;
  }

  /**
   * Notes that a request was handled: from now on it may be forgotten.
   *
   * @param atOnce Whether it was the last that came: then the clock need not be read again.
   */
  finish(seen: Seen, atOnce: boolean): void {
    if (!this.#active.delete(seen.key)) return;
    seen.until = (atOnce ? this.#lastSeen : performance.now()) + this.#window;
    if (this.#done.size === 0) watch(this, seen.until);
    this.#done.set(seen.key, seen);
  }

  /** Forgets what is over, so that an idle server keeps nothing. */
  sweep(now: number): number {
    this.#forget(now);
    for (const { until } of this.#done.values()) return until;
    unwatch(this);
    return Infinity;
  }

  /** Forgets everything. */
  clear(): void {
    this.#active.clear();
    this.#done.clear();
    this.#bytes = 0;
    unwatch(this);
  }

  #forget(now: number): void {
    for (const seen of this.#done.values()) {
      if (seen.until > now) return;
      this.#drop(seen);
    }
  }

  #dropOldest(): void {
    for (const seen of this.#done.values()) return this.#drop(seen);
  }

  #drop(seen: Seen): void {
    this.#done.delete(seen.key);
    for (const answer of seen.answers) this.#bytes -= answer.length;
  }
}

function asynchronousKey(given: unknown): TypeError {
  if (given instanceof Promise) given.catch(() => {});
  return new TypeError('Cannot use option "dedup.key": it must answer with a string, at once');
}
