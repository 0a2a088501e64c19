/**
 * Datagram servers.
 *
 * @module
 */
import { ClosedError, type SocketAddress } from "../errors.ts";
import { formatAddr } from "../common/address.ts";
import { splitArguments } from "../common/options.ts";
import { spend, whenTurn } from "../common/turn_budget.ts";
import { ServerHooks } from "../_internal/server_hooks.ts";
import { Shutdown, type ShutdownOptions } from "../_internal/shutdown.ts";
import { Answers, HandledDatagram, type HandlerLimits, handlerLimits } from "./_answers.ts";
import type { Consumer } from "./_dispatcher.ts";
import { LazySignal } from "./_lazy_signal.ts";
import type { Seen } from "./_dedup.ts";
import { promiseOf } from "./_outgoing.ts";
import { DatagramQueue } from "./_queue.ts";
import { own } from "./_slab.ts";
import { bind } from "./bind.ts";
import { type Datagram, type DatagramData, toBytes } from "./datagram.ts";
import { socketOf, UdpEndpoint } from "./endpoint.ts";
import { DEFAULTS } from "./options.ts";
import type { UdpServer, UdpServerStats } from "./server_handle.ts";
import {
  SERVER_NAMES,
  type UdpHandler,
  type UdpServerBaseOptions,
  type UdpServerOptions,
  type UnixDatagramServerOptions,
} from "./server_options.ts";

/**
 * Serves datagrams: one call of `handler` for each, and what it returns is the answer.
 *
 * A handler that returns at once costs next to nothing. One that returns a promise runs at the same time
 * as others, up to `concurrency`.
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
export function serveUdp(
  handler: UdpHandler<Deno.NetAddr>,
): Promise<UdpServer<Deno.NetAddr>>;
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
 * @throws {Deno.errors.NotSupported} With `backend: "deno"`, if the runtime was started without
 * `--unstable-net`.
 * @throws {RangeError | TypeError} If an option is out of range, or does not exist.
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
 * const options = { samePort: true }; // from the same port each time
 * const first = await client.request("ticket for Ann", server.addr, options);
 * const again = await client.request("ticket for Ann", server.addr, options);
 * assertEquals(first.text(), "ticket 1");
 * assertEquals(again.data, first.data);
 * ```
 */
export function serveUdp(
  options: UdpServerOptions | undefined,
  handler: UdpHandler<Deno.NetAddr>,
): Promise<UdpServer<Deno.NetAddr>>;
/**
 * Serves the datagrams of a unix socket: one call of `handler` for each.
 *
 * @param options The path, limits and hooks.
 * @param handler What to do with one datagram.
 * @returns The server, which is bound and receiving.
 * @throws {Deno.errors.AddrInUse} If the path exists.
 * @throws {Deno.errors.NotSupported} If the runtime was started without `--unstable-net`.
 */
export function serveUdp(
  options: UnixDatagramServerOptions,
  handler: UdpHandler<Deno.UnixAddr>,
): Promise<UdpServer<Deno.UnixAddr>>;
/**
 * Serves datagrams wherever the options say: one call of `handler` for each.
 *
 * @param options Where to bind, limits and hooks.
 * @param handler What to do with one datagram.
 * @returns The server, which is bound and receiving.
 */
export function serveUdp(
  options: UdpServerOptions | UnixDatagramServerOptions | undefined,
  handler: UdpHandler,
): Promise<UdpServer>;
export async function serveUdp(first: unknown, second?: unknown): Promise<UdpServer> {
  const args = splitArguments<ServeOptions, UdpHandler>("serveUdp", SERVER_NAMES, first, second);
  const [options, handler] = args;
  const limits = handlerLimits(options);
  // The server closes the socket itself when the signal aborts, after it has told its handlers.
  const { signal, ...bindOptions } = options;
  signal?.throwIfAborted();
  const endpoint = new UdpEndpoint(await bind(bindOptions));
  try {
    signal?.throwIfAborted();
    return new DatagramServer(endpoint, options, handler, limits);
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}

/** The options of any server; where it is bound decides on the addresses that its hooks are given. */
type ServeOptions = (UdpServerOptions | UnixDatagramServerOptions) & UdpServerBaseOptions;

class DatagramServer implements UdpServer, Consumer {
  readonly endpoint: UdpEndpoint;
  readonly addr: SocketAddress;
  readonly finished: Promise<void>;

  readonly #handler: UdpHandler;
  readonly #hooks: ServerHooks<Datagram>;
  readonly #limits: HandlerLimits;
  readonly #answers: Answers;
  readonly #queue: DatagramQueue<HandledDatagram>;
  readonly #context = new LazySignal();
  readonly #stopping: Shutdown;
  #active = 0; // handlers that run, and answers on their way to the system
  #dropped = 0;
  #handlerErrors = 0;
  #isWaitingForTurn = false; // to take from the queue

  constructor(
    endpoint: UdpEndpoint,
    options: ServeOptions,
    handler: UdpHandler,
    limits: HandlerLimits,
  ) {
    this.endpoint = endpoint;
    this.addr = endpoint.addr;
    this.#handler = handler;
    this.#hooks = new ServerHooks(options, ({ from }) => from);
    this.#limits = limits;
    this.#answers = new Answers(endpoint, limits);
    this.#queue = new DatagramQueue(
      options.maxQueue ?? DEFAULTS.maxQueue,
      options.maxQueueBytes ?? DEFAULTS.maxQueueBytes,
    );
    this.#stopping = new Shutdown({
      stopAccepting: () => this.#dropped += this.#queue.takeAll().length,
      drain: () => this.#context.abort(() => this.#drainingError()),
      abort: (reason) => {
        this.#context.abort(() => reason ?? this.#drainingError());
        this.endpoint.close();
      },
      isIdle: () => this.#active === 0,
      release: async () => {
        this.#limits.dedup?.clear();
        this.#hooks.close();
        await this.endpoint.close();
      },
    });
    this.finished = this.#stopping.finished;
    this.#hooks.announce(this.addr);
    socketOf(endpoint).takeOver(this);
    this.#stopping.watch(options.signal);
  }

  stats(): UdpServerStats {
    const endpoint = this.endpoint.stats();
    return {
      ...endpoint,
      ...this.#answers.counts,
      active: this.#active,
      queued: this.#queue.size,
      bytesQueued: this.#queue.bytes,
      dropped: this.#dropped + endpoint.dropped,
      handlerErrors: this.#handlerErrors,
    };
  }

  shutdown(options?: ShutdownOptions): Promise<void> {
    return this.#stopping.shutdown(options);
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
    this.#hooks.noteSuccess();
    const isBusy = this.#active >= this.#limits.concurrency || this.#queue.size > 0; // others came before
    if (this.#stopping.isStopping || (isBusy && !this.#queue.fits(view.length))) {
      this.#dropped++;
      return;
    }
    const { dedup } = this.#limits;
    let seen: Seen | undefined;
    if (dedup !== undefined) {
      try {
        const found = dedup.see(view, from);
        if (found.kind === "known") {
          // A duplicate gets what the first one got.
          return this.#answers.repeat(
            found.seen,
            view.length,
            from,
            () => this.#active++,
            this.#done,
          );
        }
        if (found.kind === "full") {
          this.#dropped++;
          return;
        }
        if (found.kind === "new") seen = found.seen;
      } catch (error) {
        this.#hooks.report(error, new HandledDatagram(own(view), from, truncated, this));
        return;
      }
    }
    const datagram = new HandledDatagram(own(view), from, truncated, this);
    datagram.seen = seen;
    datagram.isNew = !isBusy;
    if (isBusy) this.#queue.push(datagram);
    else this.#handle(datagram);
  }

  failed(error: unknown): void {
    this.#hooks.reportFailure(error);
  }

  /** The socket is closed: handlers can no longer answer. */
  closed(): void {
    this.#stopping.abort();
  }

  sendReply(datagram: Datagram, data: DatagramData): Promise<void> {
    return promiseOf((done) =>
      this.#answers.send(datagram as HandledDatagram, toBytes(data), done)
    );
  }

  #handle(datagram: HandledDatagram): void {
    try {
      const answer = this.#handler(datagram, this.#context);
      if (isPromise(answer)) this.#handleLater(datagram, answer);
      else this.#answer(datagram, answer);
    } catch (error) {
      this.#handlerFailed(error, datagram);
    }
  }

  async #handleLater(
    datagram: HandledDatagram,
    answer: Promise<DatagramData | void>,
  ): Promise<void> {
    this.#active++;
    datagram.isNew = false;
    try {
      this.#answer(datagram, await answer);
    } catch (error) {
      this.#handlerFailed(error, datagram);
    }
    this.#done();
  }

  /** Sends what a handler returned. It counts as active until the system has taken it. */
  #answer(datagram: HandledDatagram, answer: DatagramData | void): void {
    if (answer !== undefined) {
      const bytes = toBytes(answer);
      // The handler may use its buffer again at once. What it has received is no one else's.
      const isOwned = typeof answer === "string" || answer === datagram.data;
      this.#active++;
      try {
        this.#answers.send(datagram, isOwned ? bytes : own(bytes), (error) => {
          if (error !== undefined) this.#hooks.report(error, datagram);
          this.#done();
        });
      } catch (error) {
        this.#active--;
        throw error;
      }
    }
    this.#finishSeen(datagram);
  }

  #handlerFailed(error: unknown, datagram: HandledDatagram): void {
    this.#handlerErrors++;
    this.#finishSeen(datagram);
    this.#hooks.report(error, datagram);
  }

  #finishSeen({ seen, isNew }: HandledDatagram): void {
    if (seen !== undefined) this.#limits.dedup?.finish(seen, isNew);
  }

  /** A handler has ended, or an answer is sent: the next one may begin. */
  readonly #done = (): void => {
    this.#active--;
    this.#takeFromQueue();
    this.#stopping.finishIfIdle();
  };

  #takeFromQueue(): void {
    if (this.#isWaitingForTurn) return;
    while (this.#queue.size > 0 && this.#active < this.#limits.concurrency) {
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

  #drainingError(): ClosedError {
    const message = `Cannot serve: the server on ${formatAddr(this.addr)} is shutting down`;
    return new ClosedError("draining", message, socketOf(this.endpoint).state.context("receive"));
  }
}

function isPromise<T>(value: DatagramData | void | Promise<T>): value is Promise<T> {
  return !(value instanceof Uint8Array) && typeof (value as Promise<T>)?.then === "function";
}
