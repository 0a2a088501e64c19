/**
 * Datagrams on their way to the system.
 *
 * The runtime sends what was handed to it in one turn of the event loop in reverse order. So a socket
 * hands over one datagram at a time, and the others wait here, in their order and bounded.
 *
 * @module
 */
import { LimitError, type SocketAddress } from "../errors.ts";
import { deadline } from "../common/deadline.ts";
import { type OperationContext } from "../common/net_error.ts";
import { translate } from "../_internal/translate.ts";
import { unattended } from "../common/unattended.ts";
import type { Driver } from "./_driver.ts";

/** How long closing waits for what was sent before, in milliseconds: a unix receiver may be full. */
const CLOSE_GRACE = 1_000;
/** So many places that are free again are worth moving the rest. */
const COMPACT_FROM = 1_024;

/** What was counted on the way out, by all sockets of an endpoint. */
export interface SendCounts {
  sent: number;
  bytesSent: number;
  sendErrors: number;
}

/** Told when the system has taken a datagram (`undefined`), or why it has not. */
export type SendDone = (error: unknown) => void;

/** What sending depends on. */
export interface OutgoingInit {
  readonly driver: Driver;
  readonly counts: SendCounts;
  /** Datagrams that may wait. */
  readonly maxCount: number;
  /** Bytes that may wait. */
  readonly maxBytes: number;
  readonly context: (operation: "send", to: SocketAddress) => OperationContext;
  /** The error of a send after the close. */
  readonly closedError: (operation: "send", to: SocketAddress) => unknown;
}

/** A datagram that is sent or waits to be. */
interface Item {
  readonly data: Uint8Array;
  readonly to: SocketAddress;
  readonly done: SendDone;
}

/** The datagrams that one socket sends, in order. */
export class Outgoing {
  readonly #init: OutgoingInit;
  /** What waits; the first `#first` places are free again. */
  #items: (Item | undefined)[] = [];
  #first = 0;
  #bytes = 0;
  #inFlight = 0;
  /** What is sent now, where one at a time is. */
  #current: Item | undefined;
  #isClosing = false;
  #whenIdle: (() => void) | undefined;

  constructor(init: OutgoingInit) {
    this.#init = init;
  }

  /** Datagrams that the system has not taken yet. */
  get size(): number {
    return this.#items.length - this.#first + this.#inFlight;
  }

  /** Sends a datagram after those that were sent before. `data` must stay as it is until `done`. */
  send(data: Uint8Array, to: SocketAddress, done: SendDone): void {
    const { driver, maxCount, maxBytes, closedError } = this.#init;
    if (this.#isClosing) return done(closedError("send", to));
    const isFree = this.#inFlight === 0 || driver.ordersSends;
    if (this.size >= maxCount || (!isFree && this.#bytes + data.length > maxBytes)) {
      return done(this.#full(to));
    }
    const item: Item = { data, to, done };
    if (isFree) {
      this.#start(item);
    } else {
      this.#items.push(item);
      this.#bytes += data.length;
    }
  }

  /** Sends a datagram; a failure that no one looks at ends nothing. */
  post(data: Uint8Array, to: SocketAddress): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.send(data, to, (error) => {
      if (error === undefined) return resolve();
      unattended(promise);
      reject(error);
    });
    return promise;
  }

  /**
   * Takes no more, and waits until what was sent before has left, for a bounded time.
   *
   * @returns `undefined` if nothing is on its way.
   */
  close(): Promise<void> | undefined {
    this.#isClosing = true;
    if (this.size === 0) return undefined;
    return new Promise((resolve) => {
      const cancel = deadline(CLOSE_GRACE, resolve);
      this.#whenIdle = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Gives up what still waits. */
  abandon(): void {
    this.#isClosing = true;
    const items = this.#items.slice(this.#first);
    this.#items = [];
    this.#first = 0;
    this.#bytes = 0;
    for (const item of items) item?.done(this.#init.closedError("send", item.to));
  }

  #start(item: Item): void {
    const { driver, counts } = this.#init;
    this.#inFlight++;
    counts.sent++;
    counts.bytesSent += item.data.length;
    if (driver.ordersSends) {
      driver.send(item.data, item.to).then(
        () => this.#settled(item, undefined),
        (error) => this.#failed(item, error),
      );
    } else {
      this.#current = item;
      driver.send(item.data, item.to).then(this.#currentSent, this.#currentFailed);
    }
  }

  readonly #currentSent = (): void => this.#settled(this.#current!, undefined);

  readonly #currentFailed = (error: unknown): void => this.#failed(this.#current!, error);

  #failed(item: Item, error: unknown): void {
    const { counts, context, closedError } = this.#init;
    counts.sent--;
    counts.bytesSent -= item.data.length;
    counts.sendErrors++;
    const isClosed = this.#isClosing && error instanceof Deno.errors.BadResource;
    this.#settled(
      item,
      isClosed ? closedError("send", item.to) : translate(error, context("send", item.to)),
    );
  }

  #settled(item: Item, error: unknown): void {
    this.#inFlight--;
    const next = this.#items[this.#first];
    if (next !== undefined) {
      this.#items[this.#first++] = undefined;
      this.#bytes -= next.data.length;
      if (this.#first === this.#items.length) {
        this.#items.length = 0;
        this.#first = 0;
      } else if (this.#first >= COMPACT_FROM && this.#first * 2 > this.#items.length) {
        this.#items = this.#items.slice(this.#first);
        this.#first = 0;
      }
      this.#start(next);
    }
    item.done(error);
    if (this.#whenIdle !== undefined && this.size === 0) this.#whenIdle();
  }

  #full(to: SocketAddress): LimitError {
    const { maxCount, maxBytes, context } = this.#init;
    const isCount = this.size >= maxCount;
    const limit = isCount ? maxCount : maxBytes;
    const [name, unit] = isCount
      ? ["maxSendQueue", "datagrams"] as const
      : ["maxSendQueueBytes", "bytes"] as const;
    return new LimitError(
      "write_queue",
      `Cannot send: ${limit} ${unit} wait to be sent already, the limit of "${name}"`,
      { ...context("send", to), limit },
    );
  }
}
