/**
 * Requests that wait for their answers: sending again, matching, and recognising answers that come
 * too late.
 *
 * @module
 */
import { LimitError, type SocketAddress } from "../errors.ts";
import { type Sweepable, unwatch, watch } from "../common/sweep.ts";
import { netError, type OperationContext } from "../common/net_error.ts";
import { isSame } from "./_address.ts";
import { fingerprint } from "./_fingerprint.ts";
import type { SendDone } from "./_outgoing.ts";
import type { Datagram } from "./datagram.ts";

/** How long answers to a finished request are recognised as late, in milliseconds. */
const LATE_WINDOW = 10_000;
/** So many finished requests are remembered for that. */
const MAX_FINISHED = 1_024;
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
  /** `undefined` if whatever comes to its socket is the answer. */
  readonly match: Matcher | undefined;
  /** Whether the answer comes to the endpoint's own socket. */
  readonly samePort: boolean;
  readonly anySource: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Sends one try. */
export type Transmit = (data: Uint8Array, to: SocketAddress, done: SendDone) => void;

/** A request that waits for its answer. */
export class Pending {
  tries = 1;
  /** Tries that the system has not refused: so many answers there can be. */
  sent = 0;
  wait: number;
  sendAt: number;
  isOver = false;
  readonly startedAt = performance.now();
  readonly init: RequestInit;
  readonly transmit: Transmit;
  readonly resolve: (answer: Datagram) => void;
  readonly reject: (reason: unknown) => void;
  onAbort: (() => void) | undefined;

  constructor(
    init: RequestInit,
    transmit: Transmit,
    { resolve, reject }: PromiseWithResolvers<Datagram>,
  ) {
    this.init = init;
    this.transmit = transmit;
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

/** A request from the endpoint's own socket that is over, as far as late answers to it can be told. */
interface Finished {
  readonly match: Matcher | undefined;
  /** The only one whose datagrams may be late answers. */
  readonly source: SocketAddress;
  /** The answer's fingerprint, `null` if there was none. */
  readonly answer: number | null;
  readonly until: number;
  /** How many more copies of that answer to expect: those that other tries brought, and one more. */
  copies: number;
  /** How many more other answers to expect: one for each try that was not answered. */
  others: number;
}

/** The requests of one endpoint. */
export class Requests implements Sweepable {
  /** Answers that came late or twice and were dropped. */
  late = 0;
  /** Datagrams that were sent again. */
  retransmits = 0;
  readonly #context: (operation: "request", to: SocketAddress) => OperationContext;
  readonly #limit: number;
  /** Those whose answers come to the endpoint's own socket. */
  readonly #onEndpoint = new Set<Pending>();
  readonly #pending = new Set<Pending>();
  #reserved = 0;
  #finished: Finished[] = [];

  constructor(
    context: (operation: "request", to: SocketAddress) => OperationContext,
    limit: number,
  ) {
    this.#context = context;
    this.#limit = limit;
  }

  /** How many wait for their answers, or to be sent. */
  get size(): number {
    return this.#pending.size + this.#reserved;
  }

  /** Whether a datagram to the endpoint's own socket could be an answer at all. */
  get idle(): boolean {
    return this.#onEndpoint.size === 0 && this.#finished.length === 0;
  }

  /**
   * Takes a place for a request that needs a socket first; the function that is returned gives it back.
   *
   * @throws {LimitError} If `maxRequests` wait already.
   */
  reserve(to: SocketAddress): () => void {
    if (this.size >= this.#limit) {
      const message = `Cannot make another request: ${this.#limit} wait for their answers already`;
      throw new LimitError("requests", message, {
        ...this.#context("request", to),
        limit: this.#limit,
      });
    }
    this.#reserved++;
    let isHeld = true;
    return () => {
      if (isHeld) this.#reserved--;
      isHeld = false;
    };
  }

  /**
   * Sends a request. The caller has reserved its place and gives that back now.
   *
   * @param settle Gets the answer.
   */
  begin(
    init: RequestInit,
    transmit: Transmit,
    settle: PromiseWithResolvers<Datagram>,
  ): Pending {
    const pending = new Pending(init, transmit, settle);
    const { signal } = init;
    if (signal !== undefined) {
      pending.onAbort = () => this.fail(pending, signal.reason);
      signal.addEventListener("abort", pending.onAbort);
    }
    this.#pending.add(pending);
    if (init.samePort) this.#onEndpoint.add(pending);
    watch(this, pending.sendAt);
    pending.sent++;
    transmit(init.data, init.to, (error) => {
      if (error === undefined) return;
      pending.sent--;
      this.fail(pending, error);
    });
    return pending;
  }

  /** Whether `datagram` was an answer, whether or not a caller still waited for it. */
  take(datagram: Datagram): boolean {
    const { data, from } = datagram;
    for (const pending of this.#onEndpoint) {
      if (!pending.comesFrom(from)) continue;
      const { match } = pending.init;
      try {
        if (match !== undefined && !isMatch(match, data, from)) continue;
      } catch (error) {
        this.fail(pending, error);
        continue;
      }
      this.answer(pending, datagram);
      return true;
    }
    return this.#finished.length > 0 && this.#isLate(data, from);
  }

  /** Ends a request with its answer. */
  answer(pending: Pending, datagram: Datagram): void {
    if (!this.#end(pending)) return;
    const { match, to, anySource, samePort } = pending.init;
    const { sent, tries } = pending;
    if (samePort) {
      this.#remember({
        match,
        source: datagram.from,
        answer: fingerprint(datagram.data),
        until: performance.now() + LATE_WINDOW,
        copies: Math.max(1, sent),
        // Others who were asked too answer in their own right, even with the same bytes.
        others: match === undefined || anySource || !isSame(to, datagram.from) ? 0 : tries - 1,
      });
    }
    pending.resolve(datagram);
  }

  /** Ends a request without an answer. */
  fail(pending: Pending, reason: unknown): void {
    if (!this.#end(pending)) return;
    const { match, to, anySource } = pending.init;
    const { sent } = pending;
    if (match !== undefined && !anySource && sent > 0) {
      const until = performance.now() + LATE_WINDOW;
      this.#remember({ match, source: to, answer: null, until, copies: 0, others: sent });
    }
    pending.reject(reason);
  }

  /** Sends again what has waited long enough. */
  sweep(now: number): number {
    let next = Infinity;
    for (const pending of this.#pending) {
      if (pending.sendAt <= now) this.#again(pending, now);
      if (!pending.isOver) next = Math.min(next, pending.sendAt);
    }
    this.#forget(now);
    const [oldest] = this.#finished;
    if (oldest !== undefined) next = Math.min(next, oldest.until);
    if (this.#pending.size === 0 && this.#finished.length === 0) unwatch(this);
    return next;
  }

  /** Rejects all of them: the socket is closed. */
  close(reason: unknown): void {
    for (const pending of [...this.#pending]) this.fail(pending, reason);
    this.#finished = [];
    unwatch(this);
  }

  #again(pending: Pending, now: number): void {
    const { data, to, tries, maxTimeout } = pending.init;
    if (pending.tries >= tries) {
      const ms = Math.round(now - pending.startedAt);
      const reason = `no answer to ${tries === 1 ? "1 try" : `${tries} tries`} over ${ms} ms`;
      const context = this.#context("request", to);
      this.fail(pending, netError(Deno.errors.TimedOut, "ETIMEDOUT", reason, context));
      return;
    }
    pending.tries++;
    this.retransmits++;
    pending.wait = Math.min(pending.wait * 2, maxTimeout);
    pending.sendAt = now + pending.jittered();
    pending.sent++;
    pending.transmit(data, to, (error) => {
      // The first try worked; if the network is away for a moment, the next one may work again.
      if (error !== undefined) pending.sent--;
    });
  }

  #end(pending: Pending): boolean {
    if (pending.isOver) return false;
    pending.isOver = true;
    this.#pending.delete(pending);
    this.#onEndpoint.delete(pending);
    const { onAbort, init } = pending;
    if (onAbort !== undefined) init.signal?.removeEventListener("abort", onAbort);
    if (this.#pending.size === 0 && this.#finished.length === 0) unwatch(this);
    return true;
  }

  #remember(finished: Finished): void {
    if (this.#finished.length >= MAX_FINISHED) this.#finished.shift();
    this.#finished.push(finished);
    watch(this, finished.until);
  }

  #isLate(data: Uint8Array, from: SocketAddress): boolean {
    this.#forget(performance.now());
    let print: number | undefined;
    for (const finished of this.#finished) {
      const { answer, source, match } = finished;
      if (!isSame(source, from)) continue;
      if (answer !== null && finished.copies > 0 && answer === (print ??= fingerprint(data))) {
        finished.copies--;
      } else if (finished.others > 0 && couldMatch(match, data, from)) {
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

function isMatch(match: Matcher, data: Uint8Array, from: SocketAddress): boolean {
  const answer: unknown = match(data, from);
  if (!(answer instanceof Promise)) return Boolean(answer);
  answer.catch(() => {});
  throw new TypeError('Cannot use option "match": it must answer at once, not with a promise');
}

function couldMatch(match: Matcher | undefined, data: Uint8Array, from: SocketAddress): boolean {
  try {
    return match !== undefined && isMatch(match, data, from);
  } catch {
    return false;
  }
}
