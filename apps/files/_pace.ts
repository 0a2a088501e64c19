/**
 * Ends transfers that do not come forward.
 *
 * @module
 */
import type { TcpConnection } from "../../tcp/connection.ts";
import { checkCount, checkTimeout } from "../../_internal/guard.ts";
import { FileTransferError } from "./errors.ts";

/** How slow a transfer may be before it is ended. */
export interface PaceOptions {
  /**
   * Milliseconds without a single byte; then the transfer is ended with the code `too_slow`. 0 and
   * `Infinity` mean "no limit".
   *
   * @default {60_000} a network that is silent for a minute is not coming back soon
   */
  stallTimeout?: number;
  /**
   * Bytes per second, on average since the beginning, below which a transfer is ended with the code
   * `too_slow`, once it has gone on for `stallTimeout`. Against peers that send or take a byte now
   * and then to keep their place. 0 means "no limit".
   *
   * @default {128} a tenth of the slowest mobile network
   */
  minRate?: number;
}

/** How slow a disk may be that the other side must read once more before it goes on, in bytes per
 * second. */
const SLOWEST_DISK = 10_000_000;

/** How often the pace is looked at, at least, in milliseconds. */
const LOOK_EVERY = 1_000;

/** Watches one transfer over one connection, from its making until `stop`. */
export class Pace implements Disposable {
  readonly #conn: TcpConnection;
  readonly #action: string;
  readonly #stallTimeout: number;
  readonly #minRate: number;
  readonly #interval: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #from = performance.now(); // when it had to begin
  #last = this.#from; // when the last bytes came through
  #seen = 0; // bytes that `#last` is about
  #bytes = 0;
  #patience = 0;

  constructor(conn: TcpConnection, action: string, options: PaceOptions) {
    const { stallTimeout = 60_000, minRate = 128 } = options;
    this.#conn = conn;
    this.#action = action;
    this.#stallTimeout = checkTimeout("stallTimeout", stallTimeout);
    this.#minRate = checkCount("minRate", minRate);
    this.#interval = Math.min(LOOK_EVERY, this.#stallTimeout / 4);
    this.#timer = setInterval(() => this.#look(), this.#interval);
  }

  /** Bytes that went through. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts bytes that went through. */
  count(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Makes allowance for the time that reading `bytes` from a disk takes. */
  allow(bytes: number): void {
    this.#patience = bytes / SLOWEST_DISK * 1_000;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    if (this.#bytes !== this.#seen) {
      if (this.#seen === 0) {
        this.#from = now - this.#interval;
        this.#patience = 0;
      }
      this.#seen = this.#bytes;
      this.#last = now;
    }
    if (now - this.#last > this.#stallTimeout + this.#patience) {
      return this.#end(`nothing came through for ${this.#stallTimeout + this.#patience} ms`);
    }
    const elapsed = now - this.#from - this.#patience;
    const rate = this.#bytes / elapsed * 1_000;
    if (elapsed > this.#stallTimeout && rate < this.#minRate) {
      this.#end(`${Math.round(rate)} bytes a second came through, less than ${this.#minRate}`);
    }
  }

  #end(reason: string): void {
    clearInterval(this.#timer);
    this.#conn.abort(new FileTransferError("too_slow", `${this.#action}: ${reason}`));
  }
}
