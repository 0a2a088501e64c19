/**
 * What the handlers of one server share.
 *
 * @module
 */
import type { UdpHandlerContext } from "./server_options.ts";

/** What handlers get besides the datagram. The signal is made when a handler asks for it. */
export class Context implements UdpHandlerContext {
  #controller: AbortController | undefined;
  #isAborted = false;
  #reason: unknown;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Aborts the signal; only the first reason counts. */
  abort(reason: unknown): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
