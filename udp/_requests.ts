/**
 * Requests: sending them again while no answer comes, and finding the one that a datagram answers.
 *
 * | state    | kept in       | its answer comes  | its time comes                          | aborted or closed    |
 * | -------- | ------------- | ----------------- | --------------------------------------- | -------------------- |
 * | reserved | `#reserved`   | not sent yet      | has no time yet                         | gives its place back |
 * | waiting  | `#waiting`    | resolves → over   | sent again; after the last try rejects → over | rejects → over |
 * | over     | `#late`       | dropped, counted  | forgotten                               | forgotten            |
 *
 * Only a request from the endpoint's own port is kept once it is over: others have had a socket that was
 * theirs alone (see `_request_sockets.ts`).
 *
 * @module
 */
import { LimitError, type SocketAddress } from "../errors.ts";
import { type Sweepable, unwatch, watch } from "../common/sweep.ts";
import { afterLook } from "../common/after_look.ts";
import {
  checkCount,
  checkOptions,
  checkTimeout,
  namesOf,
  type OptionNames,
} from "../common/options.ts";
import { netError } from "../common/net_error.ts";
import { isSame } from "./_address.ts";
import { isMatch, LateAnswers, type Matcher } from "./_late_answers.ts";
import type { Outgoing } from "./_outgoing.ts";
import type { Datagram } from "./datagram.ts";
import type { SocketState } from "./_socket_state.ts";
import { DEFAULTS, type UdpRequestOptions } from "./options.ts";

/** How much of each wait but the last is drawn by chance. */
const JITTER = 0.25;

const REQUEST_NAMES: OptionNames<UdpRequestOptions> = {
  ...namesOf("timeout", "maxTimeout", "retries", "match", "samePort", "anySource", "signal"),
};

/** How to make a request, checked. */
export interface RequestPlan {
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
  readonly signal: AbortSignal | undefined;
}

/** A request. */
export interface UdpRequest extends RequestPlan {
  readonly data: Uint8Array;
  readonly to: SocketAddress;
  readonly anySource: boolean;
}

/** Checks the options of a request and fills in their defaults. */
export function planRequest(options: UdpRequestOptions): RequestPlan {
  checkOptions("request", options, REQUEST_NAMES);
  const { match, samePort = false, signal } = options;
  const timeout = checkTimeout("timeout", options.timeout ?? DEFAULTS.timeout);
  const longest = options.maxTimeout ?? Math.max(DEFAULTS.maxTimeout, timeout);
  const maxTimeout = checkTimeout("maxTimeout", longest);
  const retries = checkCount("retries", options.retries ?? DEFAULTS.retries);
  // Without a wait there is no time after which to send again.
  const tries = timeout === 0 || maxTimeout === 0 ? 1 : retries + 1;
  return { timeout, maxTimeout, tries, match, samePort: match !== undefined || samePort, signal };
}

/** A request that was sent and waits for its answer. */
export class WaitingRequest {
  readonly request: UdpRequest;
  readonly outgoing: Outgoing;
  readonly settle = Promise.withResolvers<Datagram>();
  readonly startedAt = performance.now();
  /** How often it was sent. */
  tries = 1;
  /** Tries that the system has not refused: so many answers there can be. */
  sent = 1;
  /** When it is sent again or given up, on the clock of `performance.now()`. */
  sendAt: number;
  onAbort: (() => void) | undefined;

  constructor(request: UdpRequest, outgoing: Outgoing) {
    this.request = request;
    this.outgoing = outgoing;
    this.sendAt = this.startedAt + this.wait();
  }

  /** The wait after this try: the last one lasts in full, for nothing is sent after it. */
  wait(): number {
    const { timeout, maxTimeout, tries } = this.request;
    const wait = Math.min(timeout * 2 ** (this.tries - 1), maxTimeout);
    return this.tries === tries ? wait : wait * (1 - JITTER * Math.random());
  }

  /** Whether a datagram to the endpoint's own socket answers it. */
  isAnsweredBy({ data, from }: Datagram): boolean {
    const { to, match, samePort, anySource } = this.request;
    if (!samePort || !(anySource || isSame(to, from))) return false;
    return match === undefined || isMatch(match, data, from);
  }
}

/** The requests of one endpoint. */
export class PendingRequests implements Sweepable {
  readonly #state: SocketState;
  readonly #waiting = new Set<WaitingRequest>(); // the oldest first
  readonly #late = new LateAnswers();
  #reserved = 0;
  #onEndpoint = 0; // so many of them get their answers at the endpoint's own socket

  constructor(state: SocketState) {
    this.#state = state;
  }

  /** How many wait for their answers, or to be sent. */
  get size(): number {
    return this.#waiting.size + this.#reserved;
  }

  /** Whether no datagram to the endpoint's own socket can be an answer. */
  get isIdle(): boolean {
    return this.#onEndpoint === 0 && this.#late.nextAt === Infinity;
  }

  /** Whether a request still waits for its answer. */
  isWaiting(waiting: WaitingRequest): boolean {
    return this.#waiting.has(waiting);
  }

  /**
   * Takes a place for a request that needs a socket first; the function that is returned gives it back.
   *
   * @throws {LimitError} If `maxRequests` wait already.
   */
  reserve(to: SocketAddress): () => void {
    const limit = this.#state.limits.maxRequests;
    if (this.size >= limit) {
      const message = `Cannot make another request: ${limit} wait for their answers already`;
      throw new LimitError("requests", message, { ...this.#state.context("request", to), limit });
    }
    this.#reserved++;
    let isHeld = true;
    return () => {
      if (isHeld) this.#reserved--;
      isHeld = false;
    };
  }

  /** Sends a request. The caller has reserved its place and gives that back now. */
  begin(request: UdpRequest, outgoing: Outgoing): WaitingRequest {
    const waiting = new WaitingRequest(request, outgoing);
    const { signal, data, to } = request;
    if (signal !== undefined) {
      waiting.onAbort = () => this.fail(waiting, signal.reason);
      signal.addEventListener("abort", waiting.onAbort);
    }
    this.#waiting.add(waiting);
    if (request.samePort) this.#onEndpoint++;
    watch(this, waiting.sendAt);
    outgoing.send(data, to, (error) => {
      if (error === undefined) return;
      waiting.sent--;
      this.fail(waiting, error);
    });
    if (waiting.wait() === 0) this.#giveUp(waiting, waiting.startedAt);
    return waiting;
  }

  /** Whether `datagram` was an answer, whether or not its request still waited for it. */
  take(datagram: Datagram): boolean {
    for (const waiting of this.#waiting) {
      try {
        if (!waiting.isAnsweredBy(datagram)) continue;
      } catch (error) {
        this.fail(waiting, error);
        continue;
      }
      this.answer(waiting, datagram);
      return true;
    }
    const isLate = this.#late.recognise(datagram.data, datagram.from);
    if (isLate) this.#state.counts.lateAnswers++;
    return isLate;
  }

  /** Ends a request with its answer. */
  answer(waiting: WaitingRequest, datagram: Datagram): void {
    const { match, to, anySource, samePort, tries } = waiting.request;
    const { data, from } = datagram;
    if (!this.#waiting.has(waiting)) return;
    if (samePort) {
      // Others that were asked too answer in their own right, even with the same bytes.
      const isAlone = match !== undefined && !anySource && isSame(to, from);
      const others = isAlone ? tries - 1 : 0;
      const copies = Math.max(1, waiting.sent);
      this.#late.expect({ match, source: from, answer: data, copies, others });
    }
    this.#end(waiting);
    waiting.settle.resolve(datagram);
  }

  /** Ends a request without an answer. */
  fail(waiting: WaitingRequest, reason: unknown): void {
    if (!this.#waiting.has(waiting)) return;
    const { match, to, anySource } = waiting.request;
    const { sent } = waiting;
    if (match !== undefined && !anySource && sent > 0) {
      this.#late.expect({ match, source: to, answer: null, copies: 0, others: sent });
    }
    this.#end(waiting);
    waiting.settle.reject(reason);
  }

  /** Sends again what has waited long enough. */
  sweep(now: number): number {
    this.#late.forget(now);
    let next = this.#late.nextAt;
    for (const waiting of this.#waiting) {
      if (waiting.sendAt <= now) this.#again(waiting, now);
      if (this.#waiting.has(waiting)) next = Math.min(next, waiting.sendAt);
    }
    next = Math.min(next, this.#late.nextAt);
    if (this.#waiting.size === 0 && next === Infinity) unwatch(this);
    return next;
  }

  /** Rejects all of them: the socket is closed. */
  close(reason: unknown): void {
    for (const waiting of [...this.#waiting]) this.fail(waiting, reason);
    this.#late.clear();
    unwatch(this);
  }

  #again(waiting: WaitingRequest, now: number): void {
    const { data, to, tries } = waiting.request;
    if (waiting.tries >= tries) {
      waiting.sendAt = Infinity;
      // An answer that has arrived is in time, also if the program was busy.
      afterLook(() => this.#giveUp(waiting, performance.now()));
      return;
    }
    waiting.tries++;
    waiting.sent++;
    waiting.sendAt = now + waiting.wait();
    this.#state.counts.retransmits++;
    waiting.outgoing.send(data, to, (error) => {
      // The first try worked; if the network is away for a moment, the next one may work again.
      if (error !== undefined) waiting.sent--;
    });
  }

  #giveUp(waiting: WaitingRequest, now: number): void {
    const { to, tries } = waiting.request;
    const ms = Math.round(now - waiting.startedAt);
    const reason = `no answer to ${tries === 1 ? "1 try" : `${tries} tries`} over ${ms} ms`;
    const context = this.#state.context("request", to);
    this.fail(waiting, netError(Deno.errors.TimedOut, "ETIMEDOUT", reason, context));
  }

  #end(waiting: WaitingRequest): void {
    this.#waiting.delete(waiting);
    const { onAbort, request } = waiting;
    if (request.samePort) this.#onEndpoint--;
    if (onAbort !== undefined) request.signal?.removeEventListener("abort", onAbort);
    const { nextAt } = this.#late;
    if (nextAt < Infinity) watch(this, nextAt);
    else if (this.#waiting.size === 0) unwatch(this);
  }
}
