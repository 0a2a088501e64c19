/**
 * The socket, as far as it is read: one read at a time, how much came, and how it ended.
 *
 * The runtime cannot take back a read: once begun, it will swallow the next bytes. So at most one read
 * is ever outstanding.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { translate } from "../_internal/translate.ts";
import { noteError } from "../_internal/unhandled.ts";
import { CROWD } from "../_internal/turns.ts";
import { nextTurn, spend } from "../common/turn_budget.ts";
import { contextOf, type Link } from "./_link.ts";
import { linkError, RESET } from "./_errors.ts";
import type { Writer } from "./_writer.ts";

/** How many turns of the event loop after a read a write under way may be told of a reset. */
const TURNS_FOR_A_RESET = 4;

/** Reads one socket. */
export class Source {
  /** Bytes received so far. */
  bytesReceived = 0;
  /** Whether the peer has ended its side. */
  ended = false;
  /** Why the socket can no longer be read; `undefined` while it can. */
  failure: unknown;
  /** Whether a read is outstanding. */
  isReading = false;

  readonly #link: Link;
  readonly #writer: Writer;
  readonly #onSettled: (n: number | null) => void;
  #waiting: (() => void)[] | undefined; // for the outstanding read to settle

  /**
   * @param onSettled Is called when a read has settled: with the number of bytes, or with `null` if the
   * stream has ended or failed.
   */
  constructor(link: Link, writer: Writer, onSettled: (n: number | null) => void) {
    this.#link = link;
    this.#writer = writer;
    this.#onSettled = onSettled;
  }

  /** Begins a read. None may be outstanding. */
  read(into: Uint8Array): void {
    this.isReading = true;
    this.#link.socket.read(into).then(this.#onRead, this.#onFailure);
  }

  /** Settles when no read is outstanding. */
  settled(): Promise<void> {
    if (!this.isReading) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting ??= []).push(resolve));
  }

  /** Discards what arrives, until the peer has ended its side or the socket has failed. */
  async discard(): Promise<void> {
    await this.settled();
    discarding++;
    while (!this.ended && this.failure === undefined) {
      try {
        const n = await this.#link.socket.read(discarded ??= new Uint8Array(DISCARDED_AT_ONCE));
        if (n === null) {
          this.ended = true;
        } else {
          this.bytesReceived += n;
          await pauseAfter(n);
        }
      } catch (error) {
        this.failure = error;
      }
    }
    discarding--;
  }

  readonly #onRead = (n: number | null): void => {
    if (n === null) return this.#endAfter(this.#writer.active ? TURNS_FOR_A_RESET : 0);
    this.bytesReceived += n;
    this.#settle(n);
  };

  /** The system tells of a reset once: to this read, or, some turns later, to a write under way. */
  #endAfter(turns: number): void {
    const { reset } = this.#writer;
    if (reset !== undefined) {
      return this.#onFailure(
        linkError(this.#link, "read", RESET, "connection reset by the peer", reset),
      );
    }
    if (turns > 0) return void setImmediate(() => this.#endAfter(turns - 1));
    this.ended = true;
    this.#settle(null);
  }

  readonly #onFailure = (error: unknown): void => {
    const failure = translate(error, contextOf(this.#link, "read"));
    this.failure ??= noteError(failure, this.#link.onUnhandled);
    this.#settle(null);
  };

  #settle(n: number | null): void {
    this.isReading = false;
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      for (const resolve of waiting) resolve();
    }
    this.#onSettled(n);
  }
}

/** Where all closing connections put the bytes that they discard. */
let discarded: Uint8Array | undefined;
const DISCARDED_AT_ONCE = 256 * 1024;
/**
 * How often all closing connections together read in a millisecond, once they are more than the runtime
 * serves fairly: what they discard must not keep others from being read.
 */
const DISCARDS_PER_MS = 4;
/** No closing connection waits longer than this between two reads, in milliseconds. */
const MAX_PAUSE = 100;
let discarding = 0; // connections

/** Settles when a closing connection that has discarded `n` bytes may read again. */
async function pauseAfter(n: number): Promise<void> {
  if (discarding > CROWD) {
    const pause = Math.min(discarding / DISCARDS_PER_MS, MAX_PAUSE);
    await new Promise((resolve) => setTimeout(resolve, pause));
  } else if (spend(n)) {
    await nextTurn();
  }
}
