/**
 * Ends transfers that make no progress.
 *
 * @module
 */
import { MinRate } from "../../common/min_rate.ts";
import { checkCount, checkTimeout } from "../../common/options.ts";
import type { TcpConnection } from "../../tcp/mod.ts";
import { FileTransferError } from "./errors.ts";

/** How slow a transfer may be before it is ended; docs/files.md has the reasons. */
export interface PaceOptions {
  /** Milliseconds without a single byte. */
  stall?: number | undefined;
  /** Bytes per second, on average over four times `stall`; 0 for no minimum. */
  minRate?: number | undefined;
  /** Whether no place is left for others: then a sender gets no more time than `stall`. */
  isCrowded?: (() => boolean) | undefined;
}

/** Which way bytes have to move; `none` while this side works. */
type PaceWay = "none" | "in" | "out";

/** What a sender cannot see: a third of the largest send buffer of Linux (4 MiB), and some more for
 * systems that have a larger one. */
const HIDDEN = 2 * 1024 * 1024;

/** How slow a disk may be that the other side must read once more before it resumes, in bytes per
 * second. */
const SLOWEST_DISK = 10_000_000;

/** How often the pace is looked at, at least, in milliseconds. */
const LOOK_EVERY = 1_000;

/**
 * Watches one transfer over one connection. It rests until a direction is set.
 *
 * The side that receives sees every byte. The side that sends learns of progress only in lumps, because
 * the system reports room in its send buffer only after a third of it is free. So a sender allows as
 * much more time as such a lump takes at the lowest rate, as long as no one else waits for the place.
 */
export class Pace implements Disposable {
  /** Bytes of the file that went through: counted by what moves them. */
  bytes = 0;
  readonly #conn: TcpConnection;
  readonly #action: string;
  readonly #stall: number;
  readonly #minRate: number;
  readonly #rate: MinRate;
  readonly #isCrowded: () => boolean;
  readonly #timer: ReturnType<typeof setInterval>;
  #way: PaceWay = "none";
  #base = 0; // the connection's counter when this way began
  #seen = 0; // bytes at the last look
  #movedAt = 0; // when the last bytes moved
  #lookedAt = 0;
  #allowance = 0;

  constructor(
    conn: TcpConnection,
    action: string,
    { stall = 60_000, minRate = 128, isCrowded = () => false }: PaceOptions,
  ) {
    this.#conn = conn;
    this.#action = action;
    this.#stall = stall;
    this.#minRate = minRate;
    this.#rate = new MinRate(minRate, stall);
    this.#isCrowded = isCrowded;
    this.#timer = setInterval(() => this.#look(), Math.min(LOOK_EVERY, stall / 4));
  }

  /** Checks what a constructor will be given. */
  static check({ stall, minRate }: PaceOptions): void {
    if (stall !== undefined) checkTimeout("timeouts.stall", stall);
    if (minRate !== undefined) checkCount("limits.minRate", minRate);
  }

  /**
   * Sets which way bytes have to move from now on. For those that come in, {@linkcode bytes} shows the
   * progress; for those that go out, the connection does, which knows what the system took of them.
   *
   * @param readFirst Bytes of a disk that the other side reads before it sends the first one.
   */
  begin(way: PaceWay, readFirst = 0): void {
    this.#way = way;
    this.#base = this.#counter();
    this.#seen = 0;
    this.#movedAt = this.#lookedAt = performance.now();
    this.#rate.reset();
    this.#allowance = readFirst / SLOWEST_DISK * 1_000;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #counter(): number {
    return this.#way === "out" ? this.#conn.stats().bytesSent : this.bytes;
  }

  #look(): void {
    if (this.#way === "none") return;
    const now = performance.now();
    const moved = this.#counter() - this.#base;
    const fresh = moved - this.#seen;
    const elapsed = now - this.#lookedAt;
    this.#lookedAt = now;
    if (fresh > 0) {
      if (this.#seen > 0) this.#rate.pay(elapsed); // the first bytes start the clock
      this.#seen = moved;
      this.#movedAt = now;
      this.#allowance = 0;
      this.#rate.earn(fresh, this.#hiddenTime(HIDDEN));
    } else if (moved > 0) {
      this.#rate.pay(elapsed);
    }
    const longest = this.#stall + this.#allowance + this.#hiddenTime(moved);
    if (now - this.#movedAt > longest) {
      return this.#end(`nothing came through for ${Math.round(longest)} ms`);
    }
    if (this.#rate.isTooSlow) {
      this.#end(`fewer than ${this.#minRate} bytes a second came through`);
    }
  }

  /** How long bytes may move without being seen, in milliseconds, after `moved` bytes. */
  #hiddenTime(moved: number): number {
    if (this.#way !== "out" || this.#isCrowded()) return 0;
    return this.#rate.timeFor(Math.min(moved, HIDDEN));
  }

  #end(reason: string): void {
    clearInterval(this.#timer);
    this.#conn.abort(new FileTransferError("too_slow", `${this.#action}: ${reason}`));
  }
}
