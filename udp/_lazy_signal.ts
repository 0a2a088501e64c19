/**
 * Signals that few handlers ask for.
 *
 * @module
 */

/** An abort signal that is made when it is asked for, as its reason is. */
export class LazySignal {
  #controller: AbortController | undefined;
  #reason: (() => unknown) | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason());
    }
    return this.#controller.signal;
  }

  /** Aborts the signal; only the first reason counts. */
  abort(reason: () => unknown): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason());
  }
}
