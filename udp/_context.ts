/**
 * What the handlers of one server share.
 *
 * @module
 */
import type { UdpHandlerContext } from "./server_options.ts";

/** What handlers get besides the datagram; the signal is made when somebody wants it. */
export class Context implements UdpHandlerContext {
  #controller: AbortController | undefined;
  #aborted = false;
  #reason: unknown;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#aborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
