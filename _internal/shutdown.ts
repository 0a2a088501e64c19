/**
 * How every server stops.
 *
 * | state    | begins with                                              | what happens                                |
 * | -------- | -------------------------------------------------------- | ------------------------------------------- |
 * | serving  |                                                          |                                             |
 * | draining | `shutdown()`                                             | nothing is accepted, handlers may finish    |
 * | aborted  | the end of the timeout, the signal, the socket's own end | what is left ends, handlers have 1 s for it |
 * | finished | the end of the last handler, or of that second           | `finished` resolves                         |
 *
 * No state returns to an earlier one, and nothing lengthens the time that one may last.
 *
 * @module
 */
import { checkOptions, checkTimeout } from "../common/options.ts";
import { MAX_TIMER } from "../common/sweep.ts";

/** How long handlers may run on after their server was aborted, in milliseconds. */
const FORCE_GRACE = 1_000;

/** How to shut down. */
export interface ShutdownOptions {
  /**
   * Milliseconds for handlers to finish; then what is left is aborted, and handlers that do not notice
   * within another second are no longer waited for. `Infinity` waits until they have finished, 0 aborts
   * now.
   *
   * @default {10_000}
   */
  timeout?: number | undefined;
}

/** What stopping means for one kind of server. Each function but `isIdle` is called at most once. */
export interface Stoppable {
  /** Accepts nothing more. */
  stopAccepting(): void;
  /** Tells the handlers to finish. It is not called if the server is aborted at once. */
  drain(): void;
  /** Ends what the handlers work on. */
  abort(reason: unknown): void;
  /** Whether no handler runs. */
  isIdle(): boolean;
  /** Releases what is held, as the last step. */
  release(): void | Promise<void>;
}

/** The stopping of one server. */
export class Shutdown {
  /** Whether the server is no longer serving; to be read only. */
  isStopping = false;
  /** Whether the server was aborted; to be read only. */
  isAborted = false;
  readonly #server: Stoppable;
  readonly #done = Promise.withResolvers<void>();
  /** Resolves when the server is finished; it never rejects. */
  readonly finished: Promise<void> = this.#done.promise;
  #signal: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined; // unlike a sweep, it keeps the process alive
  #abortAt = Infinity;
  #isFinished = false;

  constructor(server: Stoppable) {
    this.#server = server;
  }

  /** Aborts the server when the signal does, or now, if it has already. */
  watch(signal: AbortSignal | undefined): void {
    this.#signal = signal;
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort);
  }

  /** Drains the server, and aborts it after a time. */
  shutdown(options: ShutdownOptions = {}): Promise<void> {
    checkOptions<ShutdownOptions>("shutdown", options, { timeout: true });
    const timeout = checkTimeout("timeout", options.timeout ?? 10_000);
    if (!this.isStopping) {
      this.#stopAccepting();
      this.#server.drain();
    }
    const at = performance.now() + timeout;
    if (timeout === 0) this.abort();
    else if (!this.isAborted && at < this.#abortAt) {
      this.#abortAt = at;
      clearTimeout(this.#timer);
      if (timeout <= MAX_TIMER) this.#timer = setTimeout(() => this.abort(), timeout);
    }
    this.finishIfIdle();
    return this.finished;
  }

  /** Aborts the server. */
  abort(reason?: unknown): void {
    if (this.isAborted || this.#isFinished) return;
    this.isAborted = true;
    this.#stopAccepting();
    this.#server.abort(reason);
    // A handler that waits for something else than its peer may never notice.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#finish(), FORCE_GRACE);
    this.finishIfIdle();
  }

  /** Finishes the server if it is stopping and no handler runs; to be called when one has ended. */
  finishIfIdle(): void {
    if (this.isStopping && this.#server.isIdle()) this.#finish();
  }

  readonly #onAbort = (): void => this.abort(this.#signal?.reason);

  #stopAccepting(): void {
    if (this.isStopping) return;
    this.isStopping = true;
    this.#server.stopAccepting();
  }

  async #finish(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    await this.#server.release();
    this.#done.resolve();
  }
}
