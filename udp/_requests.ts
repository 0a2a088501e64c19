/**
 * Requests that wait for their answers: sending again, matching, and recognising answers that come
 * too late.
 *
 * @module
 */
import { LimitError, type SocketAddress } from "../errors.ts";
import { type Sweepable, unwatch, watch } from "../_internal/sweep.ts";
import { netError, type OperationContext } from "../_internal/translate.ts";
import { isSame } from "./_address.ts";
import { fingerprint } from "./_fingerprint.ts";
import type { Datagram } from "./datagram.ts";

/** How long answers to a finished request are recognised as late, in milliseconds. */
const LATE_WINDOW = 10_000;
/** So many finished requests are remembered for that. */
const MAX_FINISHED = 1_024;
/**
 * How long an answer is suspected to be a copy of the one before, in milliseconds, if that request did
 * not take longer itself: an answer to its last try will not have been on its way for longer.
 */
const COPY_WINDOW = 1_000;
/** How much of each wait but the last is drawn by chance. */
const JITTER = 0.25;

/** Decides whether a datagram is the answer. */
export type Matcher = (data: Uint8Array, from: SocketAddress) => boolean;

/** A request as it is made. */
export interface RequestInit {
  readonly data: Uint8Array;
  readonly to: SocketAddress;
  /** Milliseconds to wait after the first try. */
  readonly timeout: number;
  /** The longest wait, in milliseconds. */
  readonly maxTimeout: number;
  /** How often to send at most. */
  readonly tries: number;
  readonly match: Matcher | undefined;
  readonly anySource: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What requests need from their socket. */
export interface Requester {
  /** Sends; rejects with a translated error. */
  transmit(data: Uint8Array, to: SocketAddress): Promise<void>;
  context(operation: "request", to: SocketAddress): OperationContext;
}

class Pending {
  tries = 1;
  wait: number;
  sendAt: number;
  readonly startedAt = performance.now();
  readonly init: RequestInit;
  readonly resolve: (answer: Datagram) => void;
  readonly reject: (reason: unknown) => void;
  onAbort: (() => void) | undefined;
  /** An answer that may as well be a copy of an earlier request's; the last of them, and how many. */
  suspect: Datagram | undefined;
  suspects = 0;

  constructor(
    init: RequestInit,
    resolve: (answer: Datagram) => void,
    reject: (reason: unknown) => void,
  ) {
    this.init = init;
    this.resolve = resolve;
    this.reject = reject;
    this.wait = Math.min(init.timeout, init.maxTimeout);
    this.sendAt = this.startedAt + this.jittered();
  }

  /** The wait for this try: the last one lasts in full, for nothing is sent after it. */
  jittered(): number {
    return this.tries === this.init.tries ? this.wait : this.wait * (1 - JITTER * Math.random());
  }

  comesFrom(from: SocketAddress): boolean {
    return this.init.anySource || isSame(this.init.to, from);
  }
}

/** A request that is over, as far as late answers to it can be told. */
interface Finished {
  readonly to: SocketAddress;
  readonly match: Matcher | undefined;
  readonly anySource: boolean;
  /** The answer's fingerprint, `null` if there was none. */
  readonly answer: number | null;
  readonly until: number;
  /** Until when a copy may be on its way. */
  readonly copiesUntil: number;
  /** How many more copies of that answer to expect: those that retransmits brought, and one more. */
  copies: number;
  /** How many more other answers to expect: one for each try that was not answered. */
  others: number;
}

/** The requests of one socket. */
export class Requests implements Sweepable {
  /** Answers that came late or twice and were dropped. */
  late = 0;
  /** Datagrams that were sent again. */
  retransmits = 0;
  readonly #requester: Requester;
  readonly #limit: number;
  readonly #pending = new Set<Pending>();
  #finished: Finished[] = [];

  constructor(requester: Requester, limit: number) {
    this.#requester = requester;
    this.#limit = limit;
  }

  /** How many wait for their answers. */
  get size(): number {
    return this.#pending.size;
  }

  /** Whether a datagram could be an answer at all. */
  get idle(): boolean {
    return this.#pending.size === 0 && this.#finished.length === 0;
  }

  /** Sends a request and waits for its answer. */
  make(init: RequestInit): Promise<Datagram> {
    if (this.#pending.size >= this.#limit) {
      const message = `Cannot make another request: ${this.#limit} wait for their answers already`;
      const context = { ...this.#requester.context("request", init.to), limit: this.#limit };
      return Promise.reject(new LimitError("requests", message, context));
    }
    return new Promise((resolve, reject) => {
      const pending = new Pending(init, resolve, reject);
      const { signal } = init;
      if (signal !== undefined) {
        pending.onAbort = () => this.#fail(pending, signal.reason);
        signal.addEventListener("abort", pending.onAbort);
      }
      this.#pending.add(pending);
      watch(this, pending.sendAt);
      this.#requester.transmit(init.data, init.to).catch((error) => this.#fail(pending, error));
    });
  }

  /** Whether `datagram` was an answer, whether or not somebody still waited for it. */
  take(datagram: Datagram): boolean {
    const { data, from } = datagram;
    let isSuspect = false;
    for (const pending of this.#pending) {
      if (!pending.comesFrom(from)) continue;
      try {
        const { match } = pending.init;
        if (match !== undefined && !match(data, from)) continue;
        if (match === undefined && this.#isCopy(data, from)) {
          if (!isSuspect) {
            pending.suspect = datagram;
            pending.suspects++;
          }
          isSuspect = true;
          continue;
        }
      } catch (error) {
        this.#fail(pending, error);
        continue;
      }
      this.#end(pending, fingerprint(data));
      pending.resolve(datagram);
      return true;
    }
    return this.#finished.length > 0 && this.#isLate(data, from);
  }

  /** Sends again what has waited long enough. */
  sweep(now: number): number {
    let next = Infinity;
    for (const pending of this.#pending) {
      if (pending.sendAt <= now) this.#again(pending, now);
      if (this.#pending.has(pending)) next = Math.min(next, pending.sendAt);
    }
    this.#forget(now);
    const [oldest] = this.#finished;
    if (oldest !== undefined) next = Math.min(next, oldest.until);
    if (this.idle) unwatch(this);
    return next;
  }

  /** Rejects all of them: the socket is closed. */
  close(reason: unknown): void {
    for (const pending of [...this.#pending]) this.#fail(pending, reason);
    this.#finished = [];
    unwatch(this);
  }

  #again(pending: Pending, now: number): void {
    const { data, to, tries, maxTimeout } = pending.init;
    if (pending.tries >= tries) {
      if (pending.suspect !== undefined) { // and nothing else came: so it was the answer
        this.#end(pending, fingerprint(pending.suspect.data));
        pending.resolve(pending.suspect);
        return;
      }
      const ms = Math.round(now - pending.startedAt);
      const reason = `no answer to ${tries === 1 ? "1 try" : `${tries} tries`} over ${ms} ms`;
      const context = this.#requester.context("request", to);
      this.#fail(pending, netError(Deno.errors.TimedOut, "ETIMEDOUT", reason, context));
      return;
    }
    pending.tries++;
    this.retransmits++;
    pending.wait = Math.min(pending.wait * 2, maxTimeout);
    pending.sendAt = now + pending.jittered();
    this.#requester.transmit(data, to).catch(() => {
      // The first try worked; if the network is away for a moment, the next one may work again.
    });
  }

  #fail(pending: Pending, reason: unknown): void {
    if (this.#end(pending, null)) pending.reject(reason);
  }

  #end(pending: Pending, answer: number | null): boolean {
    if (!this.#pending.delete(pending)) return false;
    const { init, tries, onAbort, startedAt, suspect, suspects } = pending;
    const { to, match, anySource } = init;
    const now = performance.now();
    // If what was suspected was the same, it rather was an answer to a try of this request: without
    // that, one datagram that was lost would make each of the same answers after it a suspect.
    const wasSuspected = suspect !== undefined && fingerprint(suspect.data) === answer;
    if (onAbort !== undefined) init.signal?.removeEventListener("abort", onAbort);
    if (this.#finished.length >= MAX_FINISHED) this.#finished.shift();
    this.#finished.push({
      to,
      match,
      anySource,
      answer,
      until: now + LATE_WINDOW,
      copiesUntil: now + Math.max(COPY_WINDOW, now - startedAt),
      copies: answer === null ? 0 : Math.max(1, wasSuspected ? tries - suspects : tries),
      others: answer === null ? tries : tries - 1,
    });
    return true;
  }

  /**
   * Whether `data` may answer a retransmit of an earlier request rather than the one that waits. Only
   * for requests without `match`; and only if there were retransmits, for otherwise two requests
   * with the same answer are likelier than a network that doubles.
   */
  #isCopy(data: Uint8Array, from: SocketAddress): boolean {
    const now = performance.now();
    let print: number | undefined;
    for (const { answer, copies, copiesUntil, match, to } of this.#finished) {
      if (answer === null || copies < 2 || copiesUntil <= now) continue;
      if (match !== undefined || !isSame(to, from)) continue;
      if (answer === (print ??= fingerprint(data))) return true;
    }
    return false;
  }

  #isLate(data: Uint8Array, from: SocketAddress): boolean {
    this.#forget(performance.now());
    let print: number | undefined;
    for (const finished of this.#finished) {
      const { answer } = finished;
      if (!finished.anySource && !isSame(finished.to, from)) continue;
      if (answer !== null && finished.copies > 0 && answer === (print ??= fingerprint(data))) {
        finished.copies--;
      } else if (finished.others > 0 && couldAnswer(finished, data, from)) {
        finished.others--;
      } else {
        continue;
      }
      this.late++;
      return true;
    }
    return false;
  }

  #forget(now: number): void {
    let over = 0;
    while (over < this.#finished.length && this.#finished[over]!.until <= now) over++;
    if (over > 0) this.#finished.splice(0, over);
  }
}

/** Without a `match`, other bytes after the answer may as well be a message in its own right. */
function couldAnswer({ match, answer }: Finished, data: Uint8Array, from: SocketAddress): boolean {
  try {
    return match === undefined ? answer === null : match(data, from);
  } catch {
    return false;
  }
}
