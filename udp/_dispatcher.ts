/**
 * Where the datagrams that come to an endpoint's own socket go: to the request that they answer, to what
 * has taken the endpoint over, or into the queue of `receive()`.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { netError } from "../common/net_error.ts";
import { translate } from "../_internal/translate.ts";
import type { DatagramSink } from "./_driver.ts";
import { Inbox } from "./_inbox.ts";
import type { PendingRequests } from "./_requests.ts";
import { own } from "./_slab.ts";
import type { SocketState } from "./_socket_state.ts";
import { type Datagram, ReceivedDatagram, type Replier } from "./datagram.ts";

/** What takes all datagrams of an endpoint in the place of `receive()`: a server, or sessions. */
export interface Consumer {
  /** Takes a datagram; `view` is valid during the call only. It never throws. */
  consume(view: Uint8Array, from: SocketAddress, truncated: boolean): void;
  /** Takes an error of the system; receiving continues. */
  failed(error: unknown): void;
  /** The endpoint was closed. */
  closed(reason: unknown): void;
}

/** Takes what an endpoint receives to where it belongs. */
export class Dispatcher implements DatagramSink {
  readonly inbox: Inbox;
  readonly #state: SocketState;
  readonly #requests: PendingRequests;
  readonly #replier: Replier;
  readonly #peer: SocketAddress | undefined;
  #consumer: Consumer | undefined;
  #isOver = false;

  /** @param peer The only address to listen to, if there is one. */
  constructor(
    state: SocketState,
    requests: PendingRequests,
    replier: Replier,
    peer: SocketAddress | undefined,
  ) {
    this.#state = state;
    this.#requests = requests;
    this.#replier = replier;
    this.#peer = peer;
    const { maxQueue, maxQueueBytes } = state.limits;
    this.inbox = new Inbox(maxQueue, maxQueueBytes, () => state.context("receive"));
  }

  received(received: Uint8Array, from: SocketAddress): void {
    if (this.#isOver) return;
    const view = this.#state.admit(received, from, this.#peer);
    if (view === null) return;
    const truncated = view !== received;
    const requests = this.#requests;
    const replier = this.#replier;
    if (!requests.isIdle) {
      const datagram = new ReceivedDatagram(own(view), from, truncated, replier);
      if (requests.take(datagram)) return;
      if (this.#consumer === undefined) return this.deliver(datagram);
    }
    if (this.#consumer !== undefined) {
      this.#consumer.consume(view, from, truncated);
    } else if (this.inbox.accepts(view.length)) {
      this.inbox.deliver(new ReceivedDatagram(own(view), from, truncated, replier));
    } else {
      this.#state.counts.dropped++;
    }
  }

  failed(error: unknown): void {
    this.#state.counts.receiveErrors++;
    this.#consumer?.failed(translate(error, this.#state.context("receive")));
  }

  /** Queues a datagram, or drops it: a consumer takes only what comes to the endpoint's own socket. */
  deliver(datagram: Datagram): void {
    const isWanted = this.#consumer === undefined && this.inbox.accepts(datagram.data.length);
    if (isWanted) this.inbox.deliver(datagram);
    else this.#state.counts.dropped++;
  }

  /** Checks that `receive()` would get anything. */
  checkReceivable(): void {
    if (this.#consumer !== undefined) {
      throw this.#busy("a server or sessions() takes the datagrams of this endpoint");
    }
  }

  /** Hands all datagrams to `consumer`, those that wait first, until it is called with `undefined`. */
  takeOver(consumer: Consumer | undefined): void {
    if (consumer !== undefined) {
      this.checkReceivable();
      if (this.inbox.awaited) throw this.#busy("a receive() waits already");
    }
    this.#consumer = consumer;
    if (consumer === undefined) return;
    for (let waiting = this.inbox.shift(); waiting; waiting = this.inbox.shift()) {
      consumer.consume(waiting.data, waiting.from, waiting.truncated);
    }
  }

  /** Takes nothing more, and ends what waits for a datagram. */
  end(reason: unknown): void {
    this.#isOver = true;
    this.inbox.end();
    this.#consumer?.closed(reason);
  }

  #busy(reason: string): Error {
    return netError(Deno.errors.Busy, "EBUSY", reason, this.#state.context("receive"));
  }
}
