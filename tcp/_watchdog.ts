/**
 * The timeouts of one connection, looked after by the sweep timer.
 *
 * Idle and write timeouts are noticed by comparing byte counters, so that reading and writing need
 * no clock. What happened between two looks counts as if it had happened at the second: so they expire
 * up to an eighth of their length late, never early.
 *
 * @module
 */
import { type Sweepable, unwatch, watch } from "../common/sweep.ts";
import type { Reader } from "./_reader.ts";
import type { Writer } from "./_writer.ts";

/** How often within its length a time-out is looked at. */
const LOOKS = 8;

/** The time-outs that end a connection, in milliseconds. */
export interface WatchdogLimits {
  idle: number;
  write: number;
  lifetime: number;
}

/** Which time-out has passed, and how long it was. */
export type Expiry = (which: keyof WatchdogLimits, after: number) => void;

/** Watches over one connection. */
export class Watchdog implements Sweepable {
  #reader: Reader | undefined;
  #writer: Writer | undefined;
  readonly #limits: WatchdogLimits;
  readonly #expire: Expiry;
  readonly #end: number;
  #movedBytes = 0;
  #movedAt: number;
  #writtenBytes = 0;
  #stuckSince: number | undefined; // when a write was first seen under way with these bytes written

  constructor(limits: WatchdogLimits, expire: Expiry) {
    const now = performance.now();
    this.#limits = limits;
    this.#expire = expire;
    this.#end = now + limits.lifetime;
    this.#movedAt = now;
  }

  /** Begins to watch. */
  start(reader: Reader, writer: Writer): void {
    this.#reader = reader;
    this.#writer = writer;
    const next = Math.min(this.#nextLook(this.#movedAt), this.#end);
    if (next < Infinity) watch(this, next);
  }

  /** Looks at the reader's deadline no later than `at`. */
  schedule(at: number): void {
    watch(this, at);
  }

  /** Watches no more. */
  stop(): void {
    unwatch(this);
  }

  sweep(now: number): number {
    const { idle, write, lifetime } = this.#limits;
    const reader = this.#reader;
    const writer = this.#writer;
    if (reader === undefined || writer === undefined) return Infinity;
    reader.expire(now);
    const written = writer.bytesWritten;
    const moved = reader.bytesRead + written;
    if (moved !== this.#movedBytes) {
      this.#movedBytes = moved;
      this.#movedAt = now;
    }
    if (!writer.active) {
      this.#stuckSince = undefined;
    } else if (this.#stuckSince === undefined || written !== this.#writtenBytes) {
      this.#stuckSince = now; // or since a moment after the last look: counting from then were early
      this.#writtenBytes = written;
    }
    const writeEnd = (this.#stuckSince ?? Infinity) + write;
    if (now >= this.#end) return this.#over("lifetime", lifetime);
    if (now >= writeEnd) return this.#over("write", write);
    if (now >= this.#movedAt + idle) return this.#over("idle", idle);
    return Math.min(
      this.#nextLook(now),
      this.#end,
      this.#movedAt + idle,
      writeEnd,
      reader.deadline,
    );
  }

  #nextLook(now: number): number {
    return now + Math.min(this.#limits.idle, this.#limits.write) / LOOKS;
  }

  #over(which: keyof WatchdogLimits, after: number): number {
    this.stop();
    this.#expire(which, after);
    return Infinity;
  }
}
