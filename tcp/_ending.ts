/**
 * How a connection comes to its end: by `close()`, by `abort()`, or because a timeout has passed.
 *
 * | state    | reading         | writing                      | what ends it                                    |
 * | -------- | --------------- | ---------------------------- | ----------------------------------------------- |
 * | open     | works           | works                        | `close()`, `abort()`, a timeout                 |
 * | draining | works           | works                        | the same; `signal` has aborted                  |
 * | closing  | is refused      | what was written leaves      | it has left, and the peer has ended; `linger`   |
 * | ended    | is refused      | is refused                   |                                                 |
 *
 * @module
 */
import { ClosedError } from "../errors.ts";
import { formatAddr } from "../common/address.ts";
import { deadline, whenStalled } from "../common/deadline.ts";
import { noteError } from "../_internal/unhandled.ts";
import type { CloseInfo } from "./close_options.ts";
import { LATE, linkError } from "./_errors.ts";
import { contextOf, type Link } from "./_link.ts";
import type { Reader } from "./_reader.ts";
import { reset } from "./_reset.ts";
import { Watchdog, type WatchdogLimits } from "./_watchdog.ts";
import type { Writer } from "./_writer.ts";
import { SERVER_TIMEOUTS } from "./timeouts.ts";

/** How long `close()` waits for the peer's end unless specified, in milliseconds. */
const LINGER = 2_000;

/** The end of one connection. */
export class Ending {
  /** Whether the server is shutting down. */
  isDraining = false;
  readonly #link: Link;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #onEnd: (info: CloseInfo) => void;
  readonly #watchdog: Watchdog;
  #controller: AbortController | undefined;
  #signalled: unknown; // what the signal has aborted with, or would have
  #closing: Promise<void> | undefined;
  #info: CloseInfo | undefined;
  #closed: PromiseWithResolvers<CloseInfo> | undefined;

  /** @param onEnd Is called once, when the socket was closed. */
  constructor(link: Link, reader: Reader, writer: Writer, onEnd: (info: CloseInfo) => void) {
    this.#link = link;
    this.#reader = reader;
    this.#writer = writer;
    this.#onEnd = onEnd;
    this.#watchdog = new Watchdog(reader.source, writer, link.timeouts, (which, after) => {
      this.#expired(which, after);
    });
  }

  /** Aborts when the connection should come to its end. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#signalled !== undefined) this.#controller.abort(this.#signalled);
    return this.#controller.signal;
  }

  /** Resolves when the socket is closed. */
  get closed(): Promise<CloseInfo> {
    this.#closed ??= Promise.withResolvers();
    if (this.#info !== undefined) this.#closed.resolve(this.#info);
    return this.#closed.promise;
  }

  /** Tells that the server is shutting down. */
  drain(): void {
    this.isDraining = true;
    this.#tell(this.#closedError("draining"));
  }

  /** Ends the connection now. */
  abort(reason: unknown): void {
    this.#end({ how: "aborted", reason: reason ?? this.#closedError("aborted") });
  }

  /** Lets everything leave, then ends the connection. */
  close(linger: number | undefined): Promise<void> {
    return this.#closing ??= this.#close(linger);
  }

  async #close(linger: number | undefined): Promise<void> {
    if (this.#info === undefined) {
      const reason = this.#closedError("closed");
      this.#writer.refuse(reason);
      this.#reader.stop(reason);
      this.#tell(reason);
      if (this.#writer.active) await this.#flush(linger);
      await this.#sayGoodbye(linger ?? LINGER);
      this.#end({ how: "closed" });
    }
    await this.#reader.source.settled();
    await this.#writer.flushed();
  }

  /** Lets what was written leave, for as long as the peer takes some of it now and then. */
  async #flush(linger: number | undefined): Promise<void> {
    const writer = this.#writer;
    const cut = () => this.abort(this.#closedError("closed"));
    if (linger === 0) return cut();
    const flushed = writer.flushed();
    // With a write timeout, the watchdog ends the connection.
    const cancel = this.#link.timeouts.write < Infinity
      ? undefined
      : whenStalled(() => writer.bytesSent, linger ?? SERVER_TIMEOUTS.write, cut);
    await flushed;
    cancel?.();
  }

  async #sayGoodbye(linger: number): Promise<void> {
    const { ended: heardEverything, failure } = this.#reader.source;
    const isBroken = failure !== undefined || this.#writer.failed;
    if (isBroken || this.#info !== undefined || linger === 0) return;
    // The system says the end of a plain socket when it is closed; TLS has to say it itself.
    if (heardEverything && this.#link.transport !== "tls") return;
    const released = Promise.withResolvers<void>();
    const cancel = deadline(linger, () => {
      this.#end({ how: "closed" });
      released.resolve();
    });
    try {
      await Promise.race([this.#writer.end(), released.promise]);
      if (!heardEverything) await this.#reader.discard();
    } catch {
      // The peer broke it off meanwhile; there is nothing left to say.
    }
    cancel();
  }

  /** Releases the socket, once. */
  #end(info: CloseInfo): void {
    if (this.#info !== undefined) return;
    const writer = this.#writer;
    this.#info = info;
    const reason = info.reason ?? this.#closedError("closed");
    const isCut = info.how === "aborted" || writer.active || writer.queuedBytes > 0;
    this.#watchdog.stop();
    this.#reader.stop(reason);
    writer.stop(reason);
    if (isCut) reset(this.#link);
    this.#link.socket.close();
    this.#tell(reason);
    this.#closed?.resolve(info);
    this.#onEnd(info);
  }

  #expired(which: keyof WatchdogLimits, after: number): void {
    const reason = {
      idle: `nothing was sent or received for ${after} ms`,
      write: `the peer took nothing for ${after} ms`,
      lifetime: `the connection is older than ${after} ms`,
    }[which];
    const operation = which === "write" ? "write" : "read";
    this.#end({ how: "failed", reason: linkError(this.#link, operation, LATE, reason) });
  }

  #tell(reason: unknown): void {
    this.#signalled ??= reason;
    this.#controller?.abort(reason);
  }

  #closedError(code: "closed" | "aborted" | "draining"): ClosedError {
    const link = this.#link;
    const peer = formatAddr(link.remoteAddr);
    const message = code === "draining"
      ? `The server is shutting down: finish with ${peer}`
      : `Cannot continue with ${peer}: the connection was ${code} on this side`;
    return noteError(new ClosedError(code, message, contextOf(link, "close")), link.onUnhandled);
  }
}
