/**
 * Encoded messages on their way out: collected during a turn, written at its end.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { othersWait } from "../common/turn_budget.ts";
import { unattended } from "../common/unattended.ts";
import type { Codec } from "../framing/codec.ts";
import { encodeInto } from "../framing/encode.ts";
import { OutputBuffer } from "../framing/output_buffer.ts";
import type { Link } from "./_link.ts";
import { queueFull } from "./_errors.ts";
import type { WriteDone, Writer } from "./_writer.ts";

/** Bytes that may wait before a sender is made to wait: about what one write of the socket takes. */
const HIGH_WATER_MARK = 64 * 1024;
/** Memory that is kept for the next messages when all are written. */
const MAX_KEPT = 16 * 1024;

const DONE: Promise<void> = Promise.resolve();

/** Collects messages and writes them, many at a time. */
export class Outbox {
  readonly #link: Link;
  readonly #writer: Writer;
  /** Where messages are collected, and where those collected before are being written from. */
  #collecting = new OutputBuffer();
  #leaving = new OutputBuffer();
  #announced = false; // a flush at the end of this turn
  #writing = false;
  #handed = 0; // bytes ever given to the writer
  #written = 0; // bytes of them that the system has taken
  #failure: unknown;
  #progress: PromiseWithResolvers<void> | undefined; // when the write under way has ended

  constructor(link: Link, writer: Writer) {
    this.#link = link;
    this.#writer = writer;
    writer.outbox = this;
  }

  /** Why nothing more can be sent; `undefined` while it can. */
  get refusal(): unknown {
    return this.#failure ?? this.#writer.refusal;
  }

  /** Collects one message, or throws and leaves everything as it was. */
  add<Out>(codec: Codec<unknown, Out>, message: Out): void {
    const { refusal } = this;
    if (refusal !== undefined) throw refusal;
    const collecting = this.#collecting;
    const before = collecting.atLeast;
    if (before > 0 && before + this.#writer.plainBytes > this.#link.maxWriteQueue) {
      throw queueFull(this.#link, "send", before + this.#writer.plainBytes);
    }
    encodeInto(codec, message, collecting);
    if (!this.#announced) {
      this.#announced = true;
      if (collectedNow.push(this) === 1) setImmediate(endTurn);
    }
    if (collecting.atLeast >= HIGH_WATER_MARK) this.flushNow();
  }

  /** Bytes collected that were not given to the writer yet. */
  get collectedBytes(): number {
    return this.#collecting.length;
  }

  /** Settles when little enough waits that more may be added. */
  room(): Promise<void> {
    return this.#waiting < HIGH_WATER_MARK
      ? DONE
      : unattended(this.#until(() => this.#waiting < HIGH_WATER_MARK));
  }

  /** Writes what was collected in this turn, if it has not left already. */
  endTurn(): void {
    this.#announced = false;
    this.flushNow();
  }

  /**
   * Writes what was collected before this side waits for an answer. While others are about to send, their
   * messages are written together with these: each write wakes a peer, and many at once wake it once.
   */
  flushBeforeWait(): void {
    if (othersWait()) return; // the last of them does it, or the end of the turn
    if (collectedNow.length > 1) endTurn();
    else this.flushNow();
  }

  /** Writes what was collected, unless a write is under way: then it follows by itself. */
  flushNow(): void {
    if (this.#writing || this.#collecting.atLeast === 0) return;
    const leaving = this.#collecting;
    this.#collecting = this.#leaving;
    this.#leaving = leaving;
    this.#writing = true;
    const bytes = leaving.bytes.subarray(0, leaving.length);
    this.#handed += bytes.length;
    this.#writer.writeAccepted(bytes, this.#done);
  }

  /** Gives everything collected to the writer now: whatever is written next comes after it. */
  handOver(): void {
    if (!this.#writing) return this.flushNow();
    if (this.#collecting.atLeast === 0) return;
    const bytes = this.#collecting.take();
    this.#handed += bytes.length;
    this.#writer.writeAccepted(bytes, {
      resolve: () => {
        this.#written += bytes.length;
        this.#report();
      },
      reject: this.#done.reject,
    });
  }

  /** Settles when everything collected so far was taken by the system; rejects if it was not. */
  flushed(): Promise<void> {
    this.flushNow();
    const all = this.#handed + this.#collecting.length;
    return unattended(this.#until(() => this.#written >= all));
  }

  get #waiting(): number {
    return this.#handed - this.#written + this.#collecting.atLeast;
  }

  async #until(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      if (this.#failure !== undefined) throw this.#failure;
      await (this.#progress ??= Promise.withResolvers()).promise;
    }
  }

  /** Of the write of what is leaving. */
  readonly #done: WriteDone = {
    resolve: () => {
      this.#writing = false;
      this.#written += this.#leaving.length;
      if (this.#leaving.length > MAX_KEPT) this.#leaving.take();
      this.#leaving.clear();
      this.flushNow();
      this.#report();
    },
    reject: (error) => {
      this.#writing = false;
      this.#failure ??= error;
      this.#collecting.take();
      this.#leaving.take();
      this.#report();
    },
  };

  #report(): void {
    this.#progress?.resolve();
    this.#progress = undefined;
  }
}

let collectedNow: Outbox[] = []; // those that have collected messages in this turn

function endTurn(): void {
  const all = collectedNow;
  collectedNow = [];
  for (const outbox of all) outbox.endTurn();
}
