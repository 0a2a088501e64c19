/**
 * Where the datagrams that come to an endpoint's own socket go: to the request that they answer, to what
 * has taken the endpoint over, or into the queue of `receive()`.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { netError, type OperationContext, timedOut } from "../common/net_error.ts";
import { translate } from "../_internal/translate.ts";
import { isSame } from "./_address.ts";
import type { DatagramSink } from "./_driver.ts";
import { Inbox } from "./_inbox.ts";
import type { PendingRequests } from "./_requests.ts";
import { own } from "./_slab.ts";
import { type Datagram, ReceivedDatagram, type Replier } from "./datagram.ts";
import type { EndpointCounts } from "./endpoint_stats.ts";
import type { SocketLimits } from "./options.ts";

/** What takes all datagrams of an endpoint in the place of `receive()`: a server, or sessions. */
export interface Consumer {
  /** Takes a datagram; `view` is valid during the call only. It never throws. */
  consume(view: Uint8Array, from: SocketAddress, truncated: boolean): void;
  /** Takes an error of the system; receiving continues. */
  failed(error: unknown): void;
  /** The endpoint was closed. */
  closed(reason: unknown): void;
}

/** What receiving depends on. */
export interface DispatcherInit {
  readonly counts: EndpointCounts;
  readonly requests: PendingRequests;
  readonly replier: Replier;
  readonly limits: SocketLimits;
  /** The only address to listen to. */
  readonly peer: SocketAddress | undefined;
  readonly context: (operation: "receive") => OperationContext;
}

/** Takes what an endpoint receives to where it belongs. */
export class Dispatcher implements DatagramSink {
  readonly inbox: Inbox;
  readonly #init: DispatcherInit;
  #consumer: Consumer | undefined;
  #isOver = false;

  constructor(init: DispatcherInit) {
    this.#init = init;
    this.inbox = new Inbox({
      maxCount: init.limits.maxQueue,
      maxBytes: init.limits.maxQueueBytes,
      late: (after) => timedOut(init.context("receive"), after, "nothing came"),
    });
  }

  received(view: Uint8Array, from: SocketAddress): void {
    if (this.#isOver) return;
    const { counts, peer, limits, requests, replier } = this.#init;
    counts.datagramsReceived++;
    counts.bytesReceived += view.length;
    if (peer !== undefined && !isSame(peer, from)) {
      counts.strangers++;
      return;
    }
    const truncated = view.length > limits.maxDatagramSize;
    if (truncated) {
      counts.truncated++;
      view = view.subarray(0, limits.maxDatagramSize);
    }
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
      counts.dropped++;
    }
  }

  failed(error: unknown): void {
    const { counts, context } = this.#init;
    counts.receiveErrors++;
    this.#consumer?.failed(translate(error, context("receive")));
  }

  /** Queues a datagram, or drops it: a consumer takes only what comes to the endpoint's own socket. */
  deliver(datagram: Datagram): void {
    const isWanted = this.#consumer === undefined && this.inbox.accepts(datagram.data.length);
    if (isWanted) this.inbox.deliver(datagram);
    else this.#init.counts.dropped++;
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
    return netError(Deno.errors.Busy, "EBUSY", reason, this.#init.context("receive"));
  }
}
