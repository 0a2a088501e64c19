/**
 * Datagrams on one side, calls that wait for them on the other. Nothing is lost when a call stops
 * waiting: a datagram is handed over only to a call that is there to take it.
 *
 * @module
 */
import { arrivalDeadline } from "../common/deadline.ts";
import { type OperationContext, timedOut } from "../common/net_error.ts";
import { END, PullIterator } from "../common/pull_iterator.ts";
import { checkOptions, checkTimeout, type OptionNames } from "../common/options.ts";
import { nextTurn, spend } from "../common/turn_budget.ts";
import { DatagramQueue } from "./_queue.ts";
import type { Datagram } from "./datagram.ts";
import type { UdpReceiveOptions } from "./options.ts";

const RECEIVE_NAMES: OptionNames<UdpReceiveOptions> = { timeout: true, signal: true };

/** How a wait settles when there will be no more datagrams. */
export type InboxEnding<T> = (
  resolve: (value: T) => void,
  reject: (reason: unknown) => void,
) => void;

/** A call that waits. */
interface InboxWaiter {
  take(datagram: Datagram): void;
  end(): void;
}

/** A bounded queue of datagrams, and the calls that wait for one. */
export class Inbox extends DatagramQueue<Datagram> {
  readonly #waiters = new Set<InboxWaiter>();
  readonly #context: () => OperationContext;
  readonly #onTaken: ((bytes: number) => void) | undefined;
  #ended = false;

  /** @param onTaken Told how many bytes leave the queue. */
  constructor(
    maxCount: number,
    maxBytes: number,
    context: () => OperationContext,
    onTaken?: (bytes: number) => void,
  ) {
    super(maxCount, maxBytes);
    this.#context = context;
    this.#onTaken = onTaken;
  }

  /** Whether a call waits for a datagram. */
  get awaited(): boolean {
    return this.#waiters.size > 0;
  }

  /** Whether a datagram of `length` bytes finds a taker or a place. */
  accepts(length: number): boolean {
    return this.#waiters.size > 0 || this.fits(length);
  }

  /** Hands a datagram to the first call that waits, or queues it: then the answer is `false`. */
  deliver(datagram: Datagram): boolean {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.take(datagram);
      return true;
    }
    this.push(datagram);
    return false;
  }

  /** The next datagram that waits already. */
  override shift(): Datagram | undefined {
    const datagram = super.shift();
    if (datagram !== undefined) this.#onTaken?.(datagram.data.length);
    return datagram;
  }

  /** The next datagram, or what `ending` says if there will be none. */
  receive<E>(
    options: UdpReceiveOptions | undefined,
    ending: InboxEnding<E>,
  ): Promise<Datagram | E> {
    const { timeout = Infinity, signal } = options ?? {};
    try {
      checkOptions("receive", options, RECEIVE_NAMES);
      checkTimeout("timeout", timeout);
      signal?.throwIfAborted();
    } catch (error) {
      return Promise.reject(error);
    }
    const datagram = this.shift();
    if (datagram !== undefined) return handOut(datagram, datagram.data.length);
    if (this.#ended) return new Promise(ending);
    return new Promise((resolve, reject) => {
      const leave = () => {
        cancel?.();
        signal?.removeEventListener("abort", onAbort);
        this.#waiters.delete(waiter);
      };
      const waiter: InboxWaiter = {
        take(datagram) {
          leave();
          resolve(datagram);
        },
        end() {
          leave();
          ending(resolve, reject);
        },
      };
      const onAbort = () => {
        leave();
        reject(signal?.reason);
      };
      const cancel = timeout === Infinity ? undefined : arrivalDeadline(timeout, () => {
        leave();
        reject(timedOut(this.#context(), timeout, "nothing came"));
      });
      signal?.addEventListener("abort", onAbort);
      this.#waiters.add(waiter);
    });
  }

  /**
   * The datagrams as they arrive. An iterator that is left takes nothing with it, even while it waits.
   *
   * @param check Called before each; throws if nothing may be received.
   */
  iterate(
    check: () => void,
    ending: InboxEnding<IteratorResult<Datagram>>,
  ): AsyncIterableIterator<Datagram> {
    const waiting = new Set<InboxWaiter>();
    const next = (): Promise<IteratorResult<Datagram>> => {
      if (this.#ended) return Promise.resolve(END);
      try {
        check();
      } catch (error) {
        return Promise.reject(error);
      }
      const datagram = this.shift();
      if (datagram !== undefined) {
        return handOut({ value: datagram, done: false }, datagram.data.length);
      }
      return new Promise((resolve, reject) => {
        const waiter: InboxWaiter = {
          take(value) {
            waiting.delete(waiter);
            resolve({ value, done: false });
          },
          end() {
            waiting.delete(waiter);
            ending(resolve, reject);
          },
        };
        waiting.add(waiter);
        this.#waiters.add(waiter);
      });
    };
    return new PullIterator(next, () => {
      for (const waiter of waiting) {
        this.#waiters.delete(waiter);
        waiter.end();
      }
    });
  }

  /** Forgets the datagrams that wait and ends the calls that wait: there will be no more. */
  end(): void {
    this.#ended = true;
    this.takeAll();
    for (const waiter of [...this.#waiters]) {
      this.#waiters.delete(waiter);
      waiter.end();
    }
  }
}

/** Hands out what was in memory already: in this turn of the event loop, or in the next if it is over. */
function handOut<T>(value: T, bytes: number): Promise<T> {
  return spend(bytes) ? nextTurn().then(() => value) : Promise.resolve(value);
}
