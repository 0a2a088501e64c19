/**
 * Requests that wait for their answers, in the order in which they were sent.
 *
 * @module
 */
import { deadline } from "../common/deadline.ts";

/** A request that was sent. */
interface Slot<In> {
  resolve: (answer: In) => void;
  reject: (reason: unknown) => void;
}

/** Gives each answer to the request it belongs to. */
export class Requests<In> {
  readonly #receive: (signal: AbortSignal) => Promise<In>;
  readonly #slots: Slot<In>[] = [];
  #wanted = 0; // answers that are still waited for
  #controller: AbortController | undefined; // of the receiver that runs
  #running: Promise<void> | undefined; // settles when it has stopped

  /** @param receive Receives the next message; rejects at the end of the stream. */
  constructor(receive: (signal: AbortSignal) => Promise<In>) {
    this.#receive = receive;
  }

  /** Whether an answer is waited for. */
  get waiting(): boolean {
    return this.#wanted > 0;
  }

  /** Settles when a receiver without requests has stopped; `undefined` if there is none. */
  get leaving(): Promise<void> | undefined {
    return this.waiting ? undefined : this.#running;
  }

  /** How many answers will still arrive for requests that gave up; the caller drops them from now on. */
  takeDropped(): number {
    return this.waiting ? 0 : this.#slots.splice(0).length;
  }

  /**
   * Waits for the answer to what was sent just now.
   *
   * @param timeout In milliseconds; `Infinity` without limit.
   * @param late Makes the error for an answer that did not come in time.
   */
  answer(timeout: number, late: () => unknown, signal: AbortSignal | undefined): Promise<In> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      let isWanted = true;
      const forget = () => {
        if (!isWanted) return;
        isWanted = false;
        this.#wanted--;
        cancel();
        signal?.removeEventListener("abort", abort);
        if (this.#wanted === 0) this.#controller?.abort(NO_ONE_WAITS);
      };
      const slot = {
        resolve(answer: In) {
          forget();
          resolve(answer);
        },
        reject(reason: unknown) {
          forget();
          reject(reason);
        },
      };
      const cancel = deadline(timeout, () => slot.reject(late()));
      const abort = () => slot.reject(signal?.reason);
      signal?.addEventListener("abort", abort);
      this.#slots.push(slot);
      this.#wanted++;
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    while (this.#wanted > 0) {
      this.#controller = new AbortController();
      try {
        const answer = await this.#receive(this.#controller.signal);
        this.#slots.shift()?.resolve(answer);
      } catch (error) {
        if (error === NO_ONE_WAITS) continue; // unless a request has come since
        // A message that stopped in the middle: no later answer can be told from its rest.
        const lost = error instanceof Deno.errors.TimedOut ? this.#slots.length : 1;
        for (const slot of this.#slots.splice(0, lost)) slot.reject(error);
      }
    }
    this.#controller = undefined;
    this.#running = undefined;
  }
}

/** Why a receiver was stopped; it has taken nothing. */
const NO_ONE_WAITS = Symbol("no one waits");
