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
import { translate } from "../_internal/translate.ts";
import { unattended } from "../common/unattended.ts";
import { canAnswer } from "./_address.ts";
import type { Driver } from "./_driver.ts";
import { DatagramQueue } from "./_queue.ts";
import type { SocketState } from "./_socket_state.ts";
import { checkSize } from "./_targets.ts";
import { type Datagram, type DatagramData, type Replier, toBytes } from "./datagram.ts";

/** How long closing waits for what was sent before, in milliseconds: a unix receiver may be full. */
const CLOSE_GRACE = 1_000;
/** Told when the system has taken a datagram (`undefined`), or why it has not. */
export type SendDone = (error: unknown) => void;

/** A datagram that is sent or waits to be. */
interface OutgoingDatagram {
  readonly data: Uint8Array;
  readonly to: SocketAddress;
  readonly done: SendDone;
}

/** The datagrams that one socket sends, in order. */
export class Outgoing implements Replier {
  readonly #driver: Driver;
  readonly #state: SocketState;
  readonly #waiting: DatagramQueue<OutgoingDatagram>;
  #inFlight = 0;
  /** What is sent now, where one at a time is. */
  #current: OutgoingDatagram | undefined;
  #isClosing = false;
  #whenIdle: (() => void) | undefined;

  constructor(driver: Driver, state: SocketState) {
    this.#driver = driver;
    this.#state = state;
    this.#waiting = new DatagramQueue(state.limits.maxSendQueue, state.limits.maxSendQueueBytes);
  }

  /** Datagrams that the system has not taken yet. */
  get size(): number {
    return this.#waiting.size + this.#inFlight;
  }

  /**
   * Sends a datagram after those that were sent before. `data` must stay as it is until `done`.
   *
   * @throws {RangeError} If there are too many bytes.
   */
  send(data: Uint8Array, to: SocketAddress, done: SendDone): void {
    checkSize(data.length, to);
    if (this.#isClosing) return done(this.#state.closedError("send", to));
    const isFree = this.#inFlight === 0 || this.#driver.ordersSends;
    const isFull = this.size >= this.#state.limits.maxSendQueue ||
      (!isFree && !this.#waiting.fits(data.length));
    if (isFull) return done(this.#full(to));
    const item: OutgoingDatagram = { data, to, done };
    if (isFree) this.#start(item);
    else this.#waiting.push(item);
  }

  /** Sends an answer; one that no address takes is counted instead. */
  sendReply({ from }: Datagram, data: DatagramData): Promise<void> {
    return promiseOf((done) => {
      const bytes = toBytes(data);
      if (canAnswer(from)) return this.send(bytes, from, done);
      this.#state.counts.unanswerable++;
      done(undefined);
    });
  }

  /** Takes no more, and closes the socket when what was sent before has left, or its time is over. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = deadline(CLOSE_GRACE, resolve);
        this.#whenIdle = () => {
          cancel();
          resolve();
        };
      });
    }
    for (const { done, to } of this.#waiting.takeAll()) done(this.#state.closedError("send", to));
    await this.#driver.close();
  }

  #start(item: OutgoingDatagram): void {
    const { counts } = this.#state;
    this.#inFlight++;
    counts.datagramsSent++;
    counts.bytesSent += item.data.length;
    const sent = this.#driver.send(item.data, item.to);
    if (this.#driver.ordersSends) {
      sent.then(() => this.#settled(item, undefined), (error) => this.#failed(item, error));
    } else {
      this.#current = item;
      sent.then(this.#currentSent, this.#currentFailed);
    }
  }

  readonly #currentSent = (): void => this.#settled(this.#current!, undefined);

  readonly #currentFailed = (error: unknown): void => this.#failed(this.#current!, error);

  #failed(item: OutgoingDatagram, error: unknown): void {
    const state = this.#state;
    const { counts } = state;
    counts.datagramsSent--;
    counts.bytesSent -= item.data.length;
    counts.sendErrors++;
    const isClosed = this.#isClosing && error instanceof Deno.errors.BadResource;
    const { to } = item;
    this.#settled(
      item,
      isClosed ? state.closedError("send", to) : translate(error, state.context("send", to)),
    );
  }

  #settled(item: OutgoingDatagram, error: unknown): void {
    this.#inFlight--;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#start(next);
    item.done(error);
    if (this.#whenIdle !== undefined && this.size === 0) this.#whenIdle();
  }

  #full(to: SocketAddress): LimitError {
    const { limits } = this.#state;
    const [name, unit] = this.size >= limits.maxSendQueue
      ? ["maxSendQueue", "datagrams"] as const
      : ["maxSendQueueBytes", "bytes"] as const;
    const limit = limits[name];
    return new LimitError(
      "write_queue",
      `Cannot send: ${limit} ${unit} wait to be sent already, the limit of "${name}"`,
      { ...this.#state.context("send", to), limit },
    );
  }
}

/**
 * The outcome of a send as a promise.
 *
 * @param begin Begins it, or throws. What a peer or the network causes later ends nothing, even if no
 * one handles the rejection.
 */
export function promiseOf(begin: (done: SendDone) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  try {
    begin((error) => {
      if (error === undefined) return resolve();
      unattended(promise);
      reject(error);
    });
  } catch (error) {
    reject(error);
  }
  return promise;
}
