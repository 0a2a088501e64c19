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
import type { Source } from "./_source.ts";
import type { Writer } from "./_writer.ts";

/** How often within its length a timeout is looked at. */
const LOOKS = 8;

/** The timeouts that end a connection, in milliseconds. */
export interface WatchdogLimits {
  idle: number;
  write: number;
  lifetime: number;
}

/** Which timeout has passed, and how long it was. */
export type Expiry = (which: keyof WatchdogLimits, after: number) => void;

/** Watches over one connection. */
export class Watchdog implements Sweepable {
  readonly #received: Pick<Source, "bytesReceived">;
  readonly #sent: Pick<Writer, "bytesSent" | "active">;
  readonly #limits: WatchdogLimits;
  readonly #expire: Expiry;
  readonly #openedAt = performance.now();
  #movedBytes = 0;
  #movedAt = this.#openedAt;
  #sentBytes = 0;
  #stuckSince: number | undefined; // when a write was first seen under way with these bytes sent

  /** Begins to watch. */
  constructor(
    received: Pick<Source, "bytesReceived">,
    sent: Pick<Writer, "bytesSent" | "active">,
    limits: WatchdogLimits,
    expire: Expiry,
  ) {
    this.#received = received;
    this.#sent = sent;
    this.#limits = limits;
    this.#expire = expire;
    const next = Math.min(limits.idle / LOOKS, limits.write / LOOKS, limits.lifetime);
    if (next < Infinity) watch(this, this.#openedAt + next);
  }

  /** Watches no more. */
  stop(): void {
    unwatch(this);
  }

  sweep(now: number): number {
    const { idle, write, lifetime } = this.#limits;
    const sent = this.#sent;
    const moved = this.#received.bytesReceived + sent.bytesSent;
    if (moved !== this.#movedBytes) {
      this.#movedBytes = moved;
      this.#movedAt = now;
    }
    if (!sent.active) {
      this.#stuckSince = undefined;
    } else if (this.#stuckSince === undefined || sent.bytesSent !== this.#sentBytes) {
      this.#stuckSince = now; // or since a moment after the last look: counting from then were early
      this.#sentBytes = sent.bytesSent;
    }
    const ends = [
      ["lifetime", this.#openedAt + lifetime],
      ["write", (this.#stuckSince ?? Infinity) + write],
      ["idle", this.#movedAt + idle],
    ] as const;
    for (const [which, end] of ends) {
      if (now < end) continue;
      this.stop();
      this.#expire(which, this.#limits[which]);
      return Infinity;
    }
    return Math.min(now + Math.min(idle, write) / LOOKS, ...ends.map(([, end]) => end));
  }
}
