/**
 * Ends transfers that make no progress.
 *
 * @module
 */
import type { TcpConnection } from "../../tcp/connection.ts";
import { checkCount, checkTimeout } from "../../common/options.ts";
import { FileTransferError } from "./errors.ts";

/** How slow a transfer may be before it is ended. */
export interface PaceOptions {
  /**
   * Milliseconds without a single byte; then the transfer is ended with the code `too_slow`. 0 and
   * `Infinity` mean "no limit".
   *
   * The side that receives sees every byte. The side that sends learns of progress only in lumps of up
   * to 2 MiB, because the system reports room in its send buffer only after a third of it is free. So
   * it allows as much more time as such a lump takes at `minRate`, as long as no one else waits for
   * the place.
   *
   * @default {60_000} a network that is silent for a minute is not coming back soon
   */
  stallTimeout?: number;
  /**
   * Bytes per second, on average over a few times `stallTimeout`, below which a transfer is ended with
   * the code `too_slow`. Against peers that send or take a byte now and then to keep their place. 0
   * means "no limit".
   *
   * @default {128} a tenth of the slowest mobile network
   */
  minRate?: number;
}

/** Whether no place is left for others: then a sender gets no more time than `stallTimeout`. */
export interface Crowd {
  isCrowded(): boolean;
}

/** What a sender cannot see: a third of the largest send buffer of Linux (4 MiB), and some more for
 * systems that have a larger one. */
const HIDDEN = 2 * 1024 * 1024;

/** Over how many times `stallTimeout` the average is taken: a fast beginning pays for no longer rest. */
const AVERAGED_OVER = 4;

/** How slow a disk may be that the other side must read once more before it resumes, in bytes per
 * second. */
const SLOWEST_DISK = 10_000_000;

/** How often the pace is looked at, at least, in milliseconds. */
const LOOK_EVERY = 1_000;

/**
 * Watches one transfer over one connection. It rests until it is told which way the bytes go.
 *
 * The average is kept as a balance of time: each byte earns the time that it may take at `minRate`, up
 * to a limit, and time that passes is paid from it.
 */
export class Pace implements Disposable {
  readonly #conn: TcpConnection;
  readonly #action: string;
  readonly #stallTimeout: number;
  readonly #minRate: number;
  readonly #crowd: Crowd | undefined;
  readonly #timer: ReturnType<typeof setInterval>;
  #way: "none" | "in" | "out" = "none";
  #counted = 0; // bytes that the transfer has counted
  #base = 0; // the connection's counter when this way began
  #seen = 0; // bytes at the last look
  #movedAt = 0; // when the last bytes moved
  #lookedAt = 0;
  #balance = 0;
  #allowance = 0;

  constructor(conn: TcpConnection, action: string, options: PaceOptions & { crowd?: Crowd }) {
    const { stallTimeout = 60_000, minRate = 128, crowd } = options;
    this.#conn = conn;
    this.#action = action;
    this.#stallTimeout = checkTimeout("stallTimeout", stallTimeout);
    this.#minRate = checkCount("minRate", minRate);
    this.#crowd = crowd;
    const interval = Math.min(LOOK_EVERY, this.#stallTimeout / 4);
    this.#timer = setInterval(() => this.#look(), interval);
  }

  /** Bytes of the file that went through. */
  get bytes(): number {
    return this.#counted;
  }

  /** Counts bytes of the file that went through. */
  count(bytes: number): void {
    this.#counted += bytes;
  }

  /** From now on bytes come in, and are counted with {@linkcode count}. */
  receives(): void {
    this.#begin("in");
  }

  /** From now on bytes go out; the connection counts what the system takes of them. */
  sends(): void {
    this.#begin("out");
  }

  /** From now on nothing has to move, because this side works. */
  rests(): void {
    this.#begin("none");
  }

  /** Allows the time that reading `bytes` from a disk takes, until the first byte moves. */
  allow(bytes: number): void {
    this.#allowance = bytes / SLOWEST_DISK * 1_000;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #begin(way: "none" | "in" | "out"): void {
    this.#way = way;
    this.#base = this.#counter();
    this.#seen = 0;
    this.#movedAt = this.#lookedAt = performance.now();
    this.#balance = this.#stallTimeout;
    this.#allowance = 0;
  }

  #counter(): number {
    return this.#way === "out" ? this.#conn.stats().bytesSent : this.#counted;
  }

  #look(): void {
    if (this.#way === "none") return;
    const now = performance.now();
    const moved = this.#counter() - this.#base;
    const fresh = moved - this.#seen;
    const elapsed = now - this.#lookedAt;
    this.#lookedAt = now;
    if (fresh > 0) {
      if (this.#seen > 0) this.#balance -= elapsed; // the first bytes start the clock
      this.#seen = moved;
      this.#movedAt = now;
      this.#allowance = 0;
      this.#earn(fresh);
    } else if (moved > 0) {
      this.#balance -= elapsed;
    }
    const longest = this.#stallTimeout + this.#allowance + this.#hiddenTime(moved);
    if (now - this.#movedAt > longest) {
      return this.#end(`nothing came through for ${Math.round(longest)} ms`);
    }
    if (this.#minRate > 0 && this.#balance < 0) {
      this.#end(`fewer than ${this.#minRate} bytes a second came through`);
    }
  }

  #earn(bytes: number): void {
    if (this.#minRate === 0) return;
    const most = AVERAGED_OVER * this.#stallTimeout + this.#hiddenTime(HIDDEN);
    this.#balance = Math.min(most, this.#balance + bytes / this.#minRate * 1_000);
  }

  /** How long bytes may move without being seen, in milliseconds, after `moved` bytes. */
  #hiddenTime(moved: number): number {
    if (this.#way !== "out" || this.#minRate === 0 || this.#crowd?.isCrowded()) return 0;
    return Math.min(moved, HIDDEN) / this.#minRate * 1_000;
  }

  #end(reason: string): void {
    clearInterval(this.#timer);
    this.#conn.abort(new FileTransferError("too_slow", `${this.#action}: ${reason}`));
  }
}
