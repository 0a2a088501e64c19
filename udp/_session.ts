/**
 * One peer of an endpoint.
 *
 * @module
 */
import { ClosedError, type SocketAddress } from "../errors.ts";
import { formatAddr } from "../common/address.ts";
import { END } from "../common/pull_iterator.ts";
import type { OperationContext } from "../common/net_error.ts";
import { canAnswer } from "./_address.ts";
import { Inbox } from "./_inbox.ts";
import { promiseOf } from "./_outgoing.ts";
import { type Datagram, type DatagramData, toBytes } from "./datagram.ts";
import { socketOf, type UdpEndpoint } from "./endpoint.ts";
import type { UdpReceiveOptions } from "./options.ts";
import type { SessionEnd, UdpSession } from "./sessions_options.ts";

/** What a session needs of the sessions that it belongs to. */
export interface SessionOwner {
  readonly endpoint: UdpEndpoint;
  /** A datagram was taken out of a queue. */
  taken(session: Session, bytes: number): void;
  /** Something was not sent because the peer has no port or path to send to. */
  unanswerable(): void;
  /** Ends a session. */
  end(session: Session, how: SessionEnd): void;
}

/** What a session is made from. */
export interface SessionInit {
  readonly key: string;
  readonly source: string;
  readonly remoteAddr: SocketAddress;
  readonly maxQueue: number;
  readonly maxBytes: number;
}

/** The datagrams of one peer, and what their owner must know of them. */
export class Session implements UdpSession {
  readonly key: string;
  readonly remoteAddr: SocketAddress;
  readonly inbox: Inbox;
  /** What its unconfirmed sessions are counted by. */
  readonly source: string;
  ended: SessionEnd | null = null;
  confirmed = false;
  /** Whether anything was sent to the peer. */
  isAnswered = false;
  dropped = 0;
  started = false;
  /** When the last datagram came, on the clock of `performance.now()`. */
  lastHeard = 0;
  readonly #owner: SessionOwner;
  #controller: AbortController | undefined;

  constructor(owner: SessionOwner, { key, source, remoteAddr, maxQueue, maxBytes }: SessionInit) {
    this.#owner = owner;
    this.key = key;
    this.source = source;
    this.remoteAddr = remoteAddr;
    this.inbox = new Inbox(
      maxQueue,
      maxBytes,
      () => this.#context(),
      (bytes) => owner.taken(this, bytes),
    );
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.ended !== null) this.#controller.abort(this.#reason(this.ended));
    }
    return this.#controller.signal;
  }

  finish(how: SessionEnd): void {
    this.ended = how;
    this.inbox.end();
    this.#controller?.abort(this.#reason(how));
  }

  send(data: DatagramData): Promise<void> {
    return promiseOf((done) => {
      const bytes = toBytes(data);
      if (!canAnswer(this.remoteAddr)) {
        this.#owner.unanswerable();
        return done(undefined);
      }
      this.isAnswered = true;
      socketOf(this.#owner.endpoint).outgoing.send(bytes, this.remoteAddr, done);
    });
  }

  sendReply(_: Datagram, data: DatagramData): Promise<void> {
    return this.send(data);
  }

  receive(options?: UdpReceiveOptions): Promise<Datagram | null> {
    return this.inbox.receive<null>(options, (resolve) => resolve(null));
  }

  close(): void {
    this.#owner.end(this, "closed");
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Datagram> {
    return this.inbox.iterate(() => {}, (resolve) => resolve(END));
  }

  #reason(how: SessionEnd): ClosedError {
    const peer = formatAddr(this.remoteAddr);
    const message = `Cannot receive: the session of ${peer} has ended (${how})`;
    return new ClosedError(how === "stopped" ? "draining" : "closed", message, this.#context());
  }

  #context(): OperationContext {
    return {
      operation: "receive",
      transport: "path" in this.remoteAddr ? "unixpacket" : "udp",
      localAddr: this.#owner.endpoint.addr,
      remoteAddr: this.remoteAddr,
    };
  }
}
