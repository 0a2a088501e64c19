/**
 * Remembering requests, so that each is handled once.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { checkCount, checkTimeout } from "../_internal/guard.ts";
import { type Sweepable, unwatch, watch } from "../_internal/sweep.ts";
import { fingerprint } from "./_fingerprint.ts";
import {
  type DedupOptions,
  DEFAULT_DEDUP_BYTES,
  DEFAULT_DEDUP_ENTRIES,
  DEFAULT_DEDUP_WINDOW,
} from "./server_options.ts";

/** A longer key is remembered by its fingerprint: senders choose what is in it. */
const MAX_KEY_LENGTH = 256;

const encoder = new TextEncoder();

/** A request that was seen, and what was answered. */
export interface Seen {
  readonly key: string;
  readonly until: number;
  readonly answers: Uint8Array[];
}

/** The requests of the last while. */
export class Dedup implements Sweepable {
  readonly #window: number;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #key: ((data: Uint8Array) => string | undefined) | undefined;
  readonly #seen = new Map<string, Seen>(); // the oldest first
  #bytes = 0;

  constructor(given: true | number | DedupOptions) {
    const options: DedupOptions = given === true
      ? {}
      : typeof given === "number"
      ? { window: given }
      : given;
    const { window = DEFAULT_DEDUP_WINDOW, maxEntries = DEFAULT_DEDUP_ENTRIES } = options;
    const { maxBytes = DEFAULT_DEDUP_BYTES } = options;
    this.#window = checkTimeout("dedup.window", window);
    this.#maxEntries = checkCount("dedup.maxEntries", maxEntries, 1);
    this.#maxBytes = checkCount("dedup.maxBytes", maxBytes);
    this.#key = options.key;
  }

  /**
   * Looks a datagram up.
   *
   * @returns `null` if it is no request, otherwise what is known of it, and whether it is new.
   */
  see(data: Uint8Array, from: SocketAddress): { seen: Seen; isNew: boolean } | null {
    const given = this.#key === undefined ? fingerprint(data) : this.#key(data);
    if (given === undefined) return null;
    const isLong = typeof given === "string" && given.length > MAX_KEY_LENGTH;
    const id = isLong ? `long ${fingerprint(encoder.encode(given))}` : given;
    const sender = "path" in from ? from.path : `${from.hostname} ${from.port}`;
    const key = `${sender} ${id}`;
    const now = performance.now();
    this.#forget(now);
    const known = this.#seen.get(key);
    if (known !== undefined) return { seen: known, isNew: false };
    if (this.#seen.size >= this.#maxEntries) this.#dropOldest();
    const seen: Seen = { key, until: now + this.#window, answers: [] };
    if (this.#seen.size === 0) watch(this, seen.until);
    this.#seen.set(key, seen);
    return { seen, isNew: true };
  }

  /** Keeps a copy of an answer for the duplicates that may come. */
  keep(seen: Seen, answer: Uint8Array): void {
    if (this.#seen.get(seen.key) !== seen) return; // forgotten meanwhile
    seen.answers.push(Uint8Array.from(answer));
    this.#bytes += answer.length;
    while (this.#bytes > this.#maxBytes) this.#dropOldest();
  }

  /** Forgets what is over, so that an idle server keeps nothing. */
  sweep(now: number): number {
    this.#forget(now);
    for (const { until } of this.#seen.values()) return until;
    unwatch(this);
    return Infinity;
  }

  /** Forgets everything. */
  clear(): void {
    this.#seen.clear();
    this.#bytes = 0;
    unwatch(this);
  }

  #forget(now: number): void {
    for (const seen of this.#seen.values()) {
      if (seen.until > now) return;
      this.#drop(seen);
    }
  }

  #dropOldest(): void {
    for (const seen of this.#seen.values()) {
      this.#drop(seen);
      return;
    }
  }

  #drop(seen: Seen): void {
    this.#seen.delete(seen.key);
    for (const answer of seen.answers) this.#bytes -= answer.length;
  }
}
