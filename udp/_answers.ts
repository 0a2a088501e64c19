/**
 * The answers that a server sends: which of them, and what duplicates get.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { checkCount, checkRange } from "../common/options.ts";
import { canAnswer } from "./_address.ts";
import { Dedup, type Seen } from "./_dedup.ts";
import { LoopGuard } from "./_loop_guard.ts";
import type { SendDone } from "./_outgoing.ts";
import { ReceivedDatagram } from "./datagram.ts";
import { socketOf, type UdpEndpoint } from "./endpoint.ts";
import type { UdpServerBaseOptions } from "./server_options.ts";

/** A datagram that a server handles. */
export class HandledDatagram extends ReceivedDatagram {
  /** Bytes of answers so far. */
  answered = 0;
  /** What is remembered of it, if duplicates are told apart. */
  seen: Seen | undefined;
  /** Whether its handler was called when it arrived. */
  isNew = true;
}

/** The limits of handlers and their answers, checked. */
export interface HandlerLimits {
  readonly concurrency: number;
  readonly maxReplyRatio: number;
  readonly guard: LoopGuard | undefined;
  readonly dedup: Dedup | undefined;
}

/** Checks the options that limit handlers and answers, and fills in the defaults. */
export function handlerLimits(options: UdpServerBaseOptions): HandlerLimits {
  const { concurrency = 1_024, maxReplyRatio = Infinity } = options;
  const { loopGuard = 10_000, dedup = false } = options;
  checkCount("loopGuard", loopGuard, 1);
  return {
    concurrency: checkCount("concurrency", concurrency, 1),
    maxReplyRatio: checkRange("maxReplyRatio", maxReplyRatio, 0),
    guard: loopGuard === Infinity ? undefined : new LoopGuard(loopGuard),
    dedup: dedup === false ? undefined : new Dedup(dedup),
  };
}

/** Sends the answers of one server, within its limits. */
export class Answers {
  readonly counts = { duplicates: 0, refusedReplies: 0, unanswerable: 0 };
  readonly #endpoint: UdpEndpoint;
  readonly #limits: HandlerLimits;

  constructor(endpoint: UdpEndpoint, limits: HandlerLimits) {
    this.#endpoint = endpoint;
    this.#limits = limits;
  }

  /**
   * Answers a datagram. An answer that is not sent counts as done.
   *
   * @throws {RangeError} If there are too many bytes.
   */
  send(datagram: HandledDatagram, bytes: Uint8Array, done: SendDone): void {
    const { data, from, seen } = datagram;
    if (!canAnswer(from)) {
      this.counts.unanswerable++;
      return done(undefined);
    }
    datagram.answered += bytes.length;
    if (datagram.answered > data.length * this.#limits.maxReplyRatio) {
      datagram.answered -= bytes.length;
      this.counts.refusedReplies++;
      return done(undefined);
    }
    this.#transmit(bytes, from, done);
    if (seen !== undefined) this.#limits.dedup?.keep(seen, bytes);
  }

  /**
   * Answers a duplicate of `length` bytes with what the first one got.
   *
   * @param begin Called before each answer that is sent, `done` after it.
   */
  repeat(seen: Seen, length: number, from: SocketAddress, begin: () => void, done: SendDone): void {
    this.counts.duplicates++;
    let allowed = length * this.#limits.maxReplyRatio;
    for (const answer of seen.answers) {
      allowed -= answer.length;
      if (allowed < 0) {
        this.counts.refusedReplies++;
        return;
      }
      begin();
      this.#transmit(answer, from, done);
    }
  }

  #transmit(bytes: Uint8Array, to: SocketAddress, done: SendDone): void {
    const { guard } = this.#limits;
    if (guard === undefined || guard.allows(to)) {
      return socketOf(this.#endpoint).outgoing.send(bytes, to, done);
    }
    this.counts.refusedReplies++;
    done(undefined);
  }
}
