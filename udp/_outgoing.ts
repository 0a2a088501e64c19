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
import type { OperationContext } from "../common/net_error.ts";
import { translate } from "../_internal/translate.ts";
import { unattended } from "../common/unattended.ts";
import { Fifo } from "../common/fifo.ts";
import { canAnswer } from "./_address.ts";
import type { Driver } from "./_driver.ts";
import { checkSize } from "./_targets.ts";
import { type Datagram, type DatagramData, type Replier, toBytes } from "./datagram.ts";
import type { EndpointCounts } from "./endpoint_stats.ts";
import type { SocketLimits } from "./options.ts";

/** How long closing waits for what was sent before, in milliseconds: a unix receiver may be full. */
const CLOSE_GRACE = 1_000;
/** Told when the system has taken a datagram (`undefined`), or why it has not. */
export type SendDone = (error: unknown) => void;

/** What sending depends on. */
export interface OutgoingInit {
  readonly driver: Driver;
  readonly counts: EndpointCounts;
  readonly limits: SocketLimits;
  readonly context: (operation: "send", to: SocketAddress) => OperationContext;
  /** The error of a send after the close. */
  readonly closedError: (operation: "send", to: SocketAddress) => unknown;
}

/** A datagram that is sent or waits to be. */
interface OutgoingDatagram {
  readonly data: Uint8Array;
  readonly to: SocketAddress;
  readonly done: SendDone;
}

/** The datagrams that one socket sends, in order. */
export class Outgoing implements Replier {
  readonly #init: OutgoingInit;
  readonly #items = new Fifo<OutgoingDatagram>(); // that wait
  #bytes = 0;
  #inFlight = 0;
  /** What is sent now, where one at a time is. */
  #current: OutgoingDatagram | undefined;
  #isClosing = false;
  #whenIdle: (() => void) | undefined;

  constructor(init: OutgoingInit) {
    this.#init = init;
  }

  /** Datagrams that the system has not taken yet. */
  get size(): number {
    return this.#items.size + this.#inFlight;
  }

  /** Sends a datagram after those that were sent before. `data` must stay as it is until `done`. */
  send(data: Uint8Array, to: SocketAddress, done: SendDone): void {
    const { driver, limits, closedError } = this.#init;
    if (this.#isClosing) return done(closedError("send", to));
    const isFree = this.#inFlight === 0 || driver.ordersSends;
    const isOver = !isFree && this.#bytes + data.length > limits.maxSendQueueBytes;
    if (this.size >= limits.maxSendQueue || isOver) {
      return done(this.#full(to));
    }
    const item: OutgoingDatagram = { data, to, done };
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

  /** Sends an answer; one that no address takes is counted instead. */
  sendReply({ from }: Datagram, data: DatagramData): Promise<void> {
    try {
      const bytes = toBytes(data);
      checkSize(bytes.length, from);
      if (canAnswer(from)) return this.post(bytes, from);
      this.#init.counts.unanswerable++;
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(error);
    }
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
    this.#bytes = 0;
    for (const { done, to } of this.#items.takeAll()) done(this.#init.closedError("send", to));
  }

  #start(item: OutgoingDatagram): void {
    const { driver, counts } = this.#init;
    this.#inFlight++;
    counts.datagramsSent++;
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

  #failed(item: OutgoingDatagram, error: unknown): void {
    const { counts, context, closedError } = this.#init;
    counts.datagramsSent--;
    counts.bytesSent -= item.data.length;
    counts.sendErrors++;
    const isClosed = this.#isClosing && error instanceof Deno.errors.BadResource;
    this.#settled(
      item,
      isClosed ? closedError("send", item.to) : translate(error, context("send", item.to)),
    );
  }

  #settled(item: OutgoingDatagram, error: unknown): void {
    this.#inFlight--;
    const next = this.#items.shift();
    if (next !== undefined) {
      this.#bytes -= next.data.length;
      this.#start(next);
    }
    item.done(error);
    if (this.#whenIdle !== undefined && this.size === 0) this.#whenIdle();
  }

  #full(to: SocketAddress): LimitError {
    const { limits, context } = this.#init;
    const [name, unit] = this.size >= limits.maxSendQueue
      ? ["maxSendQueue", "datagrams"] as const
      : ["maxSendQueueBytes", "bytes"] as const;
    const limit = limits[name];
    return new LimitError(
      "write_queue",
      `Cannot send: ${limit} ${unit} wait to be sent already, the limit of "${name}"`,
      { ...context("send", to), limit },
    );
  }
}
