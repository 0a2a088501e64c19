/**
 * Datagram servers.
 *
 * @module
 */
import { ClosedError, type SocketAddress } from "../errors.ts";
import { formatAddr } from "../common/address.ts";
import { deadline } from "../common/deadline.ts";
import { checkCount, checkTimeout } from "../common/options.ts";
import { PeerReport } from "../common/peer_report.ts";
import { isPeerFault } from "../_internal/translate.ts";
import { spend, whenTurn } from "../common/turn_budget.ts";
import { unattended } from "../common/unattended.ts";
import { canAnswer } from "./_address.ts";
import { Context } from "./_context.ts";
import { Dedup, type Seen } from "./_dedup.ts";
import { callHook } from "./_hook.ts";
import { LoopGuard } from "./_loop_guard.ts";
import type { SendDone } from "./_outgoing.ts";
import { DatagramQueue } from "./_queue.ts";
import { own } from "./_slab.ts";
import { type Datagram, type DatagramData, ReceivedDatagram, toBytes } from "./datagram.ts";
import { bind } from "./bind.ts";
import { type Consumer, takeOver, transmit, type UdpEndpoint } from "./endpoint.ts";
import { DEFAULTS } from "./options.ts";
import type { UdpServer, UdpServerStats, UdpShutdownOptions } from "./server_handle.ts";
import {
  DEFAULT_CONCURRENCY,
  DEFAULT_LOOP_GUARD,
  type UdpHandler,
  type UdpServerOptions,
  type UnixDatagramServerOptions,
} from "./server_options.ts";

/** How long `shutdown()` lets handlers finish, unless said otherwise. */
const SHUTDOWN_TIMEOUT = 10_000;

/** How long an aborted handler may take to notice before the server stops waiting for it. */
const FORCE_GRACE = 1_000;

/**
 * Serves datagrams: one call of `handler` for each, and what it returns is the answer.
 *
 * A handler that returns at once costs next to nothing. One that returns a promise runs beside
 * others, up to `concurrency`.
 *
 * @param handler What to do with one datagram.
 * @returns The server, which is bound and receiving.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 *
 * @example An echo server in one line
 * ```ts
 * import { serveUdp } from "@tincan/net/udp";
 *
 * await using server = await serveUdp(({ data }) => data);
 * ```
 */
export function serveUdp(handler: UdpHandler): Promise<UdpServer>;
/**
 * Serves datagrams with options: one call of `handler` for each, and what it returns is the answer.
 *
 * @param options Where to bind, limits and hooks.
 * @param handler What to do with one datagram.
 * @returns The server, which is bound and receiving.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 * @throws {Deno.errors.AddrNotAvailable} If the address is not one of this machine's.
 * @throws {Deno.errors.NotFound} If the host has no address.
 * @throws {Deno.errors.NotCapable} Without the permission to bind there.
 * @throws {Deno.errors.NotSupported} With `path` or `backend: "deno"`, if the runtime was started
 * without `--unstable-net`.
 * @throws {RangeError | TypeError} If an option is out of range.
 *
 * @example Each request once, however often it is sent
 * ```ts
 * import { bindUdp, serveUdp } from "@tincan/net/udp";
 * import { assertEquals } from "@std/assert";
 *
 * let tickets = 0;
 * await using server = await serveUdp(
 *   { port: 0, dedup: true, maxReplyRatio: 2, onListen() {} },
 *   async () => `ticket ${++tickets}`,
 * );
 *
 * await using client = await bindUdp();
 * const to = server.addr as Deno.NetAddr;
 * const options = { samePort: true }; // from the same port each time
 * const first = await client.request("ticket for Ann", to, options);
 * const again = await client.request("ticket for Ann", to, options);
 * assertEquals(new TextDecoder().decode(first.data), "ticket 1");
 * assertEquals(again.data, first.data);
 * ```
 */
export function serveUdp(
  options: UdpServerOptions | UnixDatagramServerOptions,
  handler: UdpHandler,
): Promise<UdpServer>;
export async function serveUdp(
  first: UdpServerOptions | UnixDatagramServerOptions | UdpHandler,
  second?: UdpHandler,
): Promise<UdpServer> {
  const [options, handler] = typeof first === "function" ? [{}, first] : [first, second];
  if (typeof handler !== "function") {
    throw new TypeError(`Cannot serve: the handler must be a function, not ${typeof handler}`);
  }
  const limits = checkLimits(options);
  // The server closes the socket itself when the signal aborts, after it has told its handlers.
  const { signal, ...bindOptions } = options;
  signal?.throwIfAborted();
  const endpoint = await bind(bindOptions);
  try {
    signal?.throwIfAborted();
    return new Server(endpoint, options, handler, limits);
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}

type ServerOptions = UdpServerOptions | UnixDatagramServerOptions;

/** The limits of a server, checked. */
interface Limits {
  readonly concurrency: number;
  readonly maxReplyRatio: number;
  readonly guard: LoopGuard | undefined;
  readonly dedup: Dedup | undefined;
}

function checkLimits(options: ServerOptions): Limits {
  const { concurrency = DEFAULT_CONCURRENCY, maxReplyRatio = Infinity, dedup = false } = options;
  checkCount("concurrency", concurrency, 1);
  const { loopGuard = DEFAULT_LOOP_GUARD } = options;
  checkCount("loopGuard", loopGuard, 1);
  if (typeof maxReplyRatio !== "number" || !(maxReplyRatio >= 0)) {
    throw new RangeError(
      `Cannot use option "maxReplyRatio": expected a number from 0, current value is ${maxReplyRatio}`,
    );
  }
  const guard = loopGuard === Infinity ? undefined : new LoopGuard(loopGuard);
  return {
    concurrency,
    maxReplyRatio,
    guard,
    dedup: dedup === false ? undefined : new Dedup(dedup),
  };
}

/** A datagram on its way through a server. */
class Request extends ReceivedDatagram {
  /** Bytes of answers so far. */
  answered = 0;
  seen: Seen | undefined;
  /** Whether its handler was called just now. */
  isNew = true;
}

class Server implements UdpServer, Consumer {
  readonly endpoint: UdpEndpoint;
  readonly addr: SocketAddress;
  readonly finished: Promise<void>;

  readonly #options: ServerOptions;
  readonly #handler: UdpHandler;
  readonly #concurrency: number;
  readonly #maxReplyRatio: number;
  readonly #guard: LoopGuard | undefined;
  readonly #dedup: Dedup | undefined;
  readonly #queue: DatagramQueue<Request>;
  readonly #context: Context = new Context();
  readonly #errors = new PeerReport();
  readonly #done = Promise.withResolvers<void>();
  #active = 0;
  #dropped = 0;
  #duplicates = 0;
  #refusedReplies = 0;
  #unanswerable = 0;
  #handlerErrors = 0;
  #stopping = false;
  #over = false;
  #complained = false;
  #isWaitingForTurn = false; // to take from the queue
  #cancelForce: (() => void) | undefined;

  constructor(endpoint: UdpEndpoint, options: ServerOptions, handler: UdpHandler, limits: Limits) {
    this.endpoint = endpoint;
    this.addr = endpoint.addr;
    this.finished = this.#done.promise;
    this.#options = options;
    this.#handler = handler;
    this.#concurrency = limits.concurrency;
    this.#maxReplyRatio = limits.maxReplyRatio;
    this.#guard = limits.guard;
    this.#dedup = limits.dedup;
    this.#queue = new DatagramQueue(
      options.maxQueue ?? DEFAULTS.maxQueue,
      options.maxQueueBytes ?? DEFAULTS.maxQueueBytes,
    );
    this.#announce();
    options.signal?.addEventListener("abort", this.#abort);
    takeOver(endpoint, this);
  }

  stats(): UdpServerStats {
    const endpoint = this.endpoint.stats();
    return {
      datagramsReceived: endpoint.datagramsReceived,
      datagramsSent: endpoint.datagramsSent,
      bytesReceived: endpoint.bytesReceived,
      bytesSent: endpoint.bytesSent,
      active: this.#active,
      queued: this.#queue.size,
      bytesQueued: this.#queue.bytes,
      dropped: this.#dropped + endpoint.dropped,
      truncated: endpoint.truncated,
      duplicates: this.#duplicates,
      refusedReplies: this.#refusedReplies,
      unanswerable: this.#unanswerable,
      handlerErrors: this.#handlerErrors,
      receiveErrors: endpoint.receiveErrors,
      sendErrors: endpoint.sendErrors,
    };
  }

  shutdown(options: UdpShutdownOptions = {}): Promise<void> {
    const { timeout = SHUTDOWN_TIMEOUT } = options;
    if (timeout !== 0) checkTimeout("timeout", timeout);
    if (this.#over) return this.finished;
    this.#stop(undefined);
    this.#cancelForce?.();
    if (timeout === 0) this.#finish();
    else this.#cancelForce = deadline(timeout, () => this.#finish());
    this.#finishIfIdle();
    return this.finished;
  }

  ref(): void {
    this.endpoint.ref();
  }

  unref(): void {
    this.endpoint.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  consume(view: Uint8Array, from: SocketAddress, truncated: boolean): void {
    this.#complained = false;
    if (this.#stopping) {
      this.#dropped++;
      return;
    }
    const isBusy = this.#active >= this.#concurrency || this.#queue.size > 0; // others came before
    if (isBusy && !this.#queue.fits(view.length)) {
      this.#dropped++;
      return;
    }
    let seen: Seen | undefined;
    if (this.#dedup !== undefined) {
      try {
        const found = this.#dedup.see(view, from);
        if (found.kind === "known") return this.#repeat(found.seen, view.length, from);
        if (found.kind === "full") {
          this.#dropped++;
          return;
        }
        if (found.kind === "new") seen = found.seen;
      } catch (error) {
        this.#report(error, new Request(own(view), from, truncated, this));
        return;
      }
    }
    const request = new Request(own(view), from, truncated, this);
    request.seen = seen;
    request.isNew = !isBusy;
    if (isBusy) this.#queue.push(request);
    else this.#handle(request);
  }

  failed(error: unknown): void {
    if (!this.#complained) this.#report(error);
    this.#complained = true; // until something works again
  }

  closed(): void {
    if (this.#over) return;
    this.#stop(undefined);
    this.#giveUpSoon();
  }

  sendReply(datagram: Datagram, data: DatagramData): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    try {
      this.#reply(datagram as Request, toBytes(data), (error) => {
        if (error === undefined) return resolve();
        unattended(promise); // what a peer or the network does ends nothing
        reject(error);
      });
    } catch (error) {
      reject(error);
    }
    return promise;
  }

  #handle(request: Request): void {
    try {
      const answer = this.#handler(request, this.#context);
      if (isPromise(answer)) {
        this.#active++;
        request.isNew = false;
        answer.then((answer) => {
          try {
            this.#answer(request, answer);
          } catch (error) {
            this.#handlerFailed(error, request);
          }
          this.#release();
        }, (error) => {
          this.#handlerFailed(error, request);
          this.#release();
        });
      } else {
        this.#answer(request, answer);
      }
    } catch (error) {
      this.#handlerFailed(error, request);
    }
  }

  /** Sends what a handler returned. It counts as active until the system has taken it. */
  #answer(request: Request, answer: DatagramData | void): void {
    if (answer !== undefined) {
      const bytes = toBytes(answer);
      // The handler may use its buffer again at once. What it has received is no one else's.
      const isOwned = typeof answer === "string" || answer === request.data;
      this.#active++;
      try {
        this.#reply(request, isOwned ? bytes : own(bytes), (error) => {
          if (error !== undefined) this.#report(error, request);
          this.#release();
        });
      } catch (error) {
        this.#active--;
        throw error;
      }
    }
    if (request.seen !== undefined) this.#dedup?.finish(request.seen, request.isNew);
  }

  #reply(request: Request, bytes: Uint8Array, done: SendDone): void {
    const { data, from, seen } = request;
    if (!canAnswer(from)) {
      this.#unanswerable++;
      return done(undefined);
    }
    request.answered += bytes.length;
    if (request.answered > data.length * this.#maxReplyRatio) {
      request.answered -= bytes.length;
      this.#refusedReplies++;
      return done(undefined);
    }
    this.#transmit(bytes, from, done);
    if (seen !== undefined) this.#dedup?.keep(seen, bytes);
  }

  #transmit(bytes: Uint8Array, to: SocketAddress, done: SendDone): void {
    if (this.#guard === undefined || this.#guard.allows(to)) {
      return transmit(this.endpoint, bytes, { to, done });
    }
    this.#refusedReplies++;
    done(undefined);
  }

  /** Answers a duplicate with what the first one got. */
  #repeat(seen: Seen, length: number, from: SocketAddress): void {
    this.#duplicates++;
    let allowed = length * this.#maxReplyRatio;
    for (const answer of seen.answers) {
      allowed -= answer.length;
      if (allowed < 0) {
        this.#refusedReplies++;
        return;
      }
      this.#active++;
      this.#transmit(answer, from, this.#release);
    }
  }

  /** A handler is done, or an answer is sent: the next one may begin. */
  readonly #release = (): void => {
    this.#active--;
    this.#takeFromQueue();
    if (this.#stopping) this.#finishIfIdle();
  };

  #takeFromQueue(): void {
    if (this.#isWaitingForTurn) return;
    while (this.#queue.size > 0 && this.#active < this.#concurrency) {
      if (spend()) {
        this.#isWaitingForTurn = true;
        return whenTurn(() => {
          this.#isWaitingForTurn = false;
          this.#takeFromQueue();
        });
      }
      const next = this.#queue.shift();
      if (next !== undefined) this.#handle(next);
    }
  }

  #handlerFailed(error: unknown, request: Request): void {
    this.#handlerErrors++;
    if (request.seen !== undefined) this.#dedup?.finish(request.seen, request.isNew);
    this.#report(error, request);
  }

  readonly #abort = (): void => {
    this.#stop(this.#options.signal?.reason);
    this.endpoint.close();
    this.#giveUpSoon();
  };

  /** The socket is gone: handlers that do not notice are not waited for. */
  #giveUpSoon(): void {
    this.#cancelForce?.();
    this.#cancelForce = deadline(FORCE_GRACE, () => this.#finish());
    this.#finishIfIdle();
  }

  #stop(reason: unknown): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#dropped += this.#queue.size;
    this.#queue.clear();
    const message = `Cannot go on: the server on ${formatAddr(this.addr)} is shutting down`;
    this.#context.abort(
      reason ?? new ClosedError("draining", message, {
        operation: "receive",
        transport: "path" in this.addr ? "unixpacket" : "udp",
        localAddr: this.addr,
      }),
    );
  }

  #finishIfIdle(): void {
    if (this.#stopping && this.#active === 0) this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelForce?.();
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#dedup?.clear();
    this.#errors.close();
    this.endpoint.close().then(() => this.#done.resolve());
  }

  #announce(): void {
    const { onListen } = this.#options;
    if (onListen === undefined) return console.error(`listening on ${formatAddr(this.addr)}`);
    const result: unknown = onListen(this.addr);
    if (result instanceof Promise) result.catch((error) => this.#report(error));
  }

  #report(error: unknown, datagram?: Datagram): void {
    const { onError } = this.#options;
    if (onError !== undefined) {
      callHook(() => onError(error, datagram), (thrown) => this.#errors.mistake(thrown));
    } else if (!this.#isExpected(error)) {
      this.#errors.report(error, datagram?.from);
    }
  }

  /** What peers and networks do, and what follows from the server's own end. */
  #isExpected(error: unknown): boolean {
    return isPeerFault(error) || error instanceof ClosedError ||
      error instanceof Deno.errors.ConnectionRefused ||
      (this.#options.signal?.aborted === true && error === this.#options.signal.reason);
  }
}

function isPromise<T>(value: DatagramData | void | Promise<T>): value is Promise<T> {
  return !(value instanceof Uint8Array) && typeof (value as Promise<T>)?.then === "function";
}
