/**
 * The hooks that every server has: announcing where it listens, and reporting what went wrong.
 *
 * Nothing that a hook does ends the process: what it throws, and what it rejects with if it is an async
 * function, is reported like any other error.
 *
 * @module
 */
import { ClosedError, isNetError, type SocketAddress } from "../errors.ts";
import { formatAddr } from "../common/address.ts";
import { catchRejection } from "../common/catch_rejection.ts";
import { PeerReport } from "../common/peer_report.ts";
import { isPeerFault } from "./translate.ts";

/** The options of a server that its hooks depend on. `Subject` is what an error is about. */
export interface HookOptions<Subject> {
  readonly signal?: AbortSignal | undefined;
  readonly onListen?: ((addr: SocketAddress) => void) | undefined;
  readonly onError?: ((error: unknown, subject?: Subject) => void) | undefined;
}

/** The hooks of one server. */
export class ServerHooks<Subject> {
  readonly #options: HookOptions<Subject>;
  readonly #addressOf: (subject: Subject) => SocketAddress;
  readonly #printed = new PeerReport();
  #isFailing = false;

  /** @param addressOf The peer's address, for the line that is printed. */
  constructor(options: HookOptions<Subject>, addressOf: (subject: Subject) => SocketAddress) {
    this.#options = options;
    this.#addressOf = addressOf;
  }

  /** Says that the server listens. What `onListen` throws is for the caller. */
  announce(addr: SocketAddress): void {
    const { onListen } = this.#options;
    if (onListen === undefined) console.error(`listening on ${formatAddr(addr)}`);
    else catchRejection(onListen(addr), (error) => this.report(error));
  }

  /** Calls a hook, and reports what it throws or rejects with. */
  call(hook: () => unknown, subject?: Subject): void {
    callSafely(hook, (error) => this.report(error, subject));
  }

  /** Reports an error: to `onError`, or on stderr, unless it is an expected one. */
  report(error: unknown, subject?: Subject): void {
    const { onError } = this.#options;
    if (onError !== undefined) {
      callSafely(() => onError(error, subject), (thrown) => this.#printed.mistake(thrown));
    } else if (!this.#isExpected(error)) {
      this.#printed.report(error, subject && this.#addressOf(subject));
    }
  }

  /** Reports a failure to accept or to receive; of several in a row only the first. */
  reportFailure(error: unknown): void {
    if (!this.#isFailing) this.report(error);
    this.#isFailing = true;
  }

  /** Notes that accepting or receiving works: the next failure is reported again. */
  noteSuccess(): void {
    this.#isFailing = false;
  }

  /** Prints how many reports were left out; the last step of a server. */
  close(): void {
    this.#printed.close();
  }

  /** Whether peers and networks cause it all the time, or it follows from the server's own end. */
  #isExpected(error: unknown): boolean {
    const { signal } = this.#options;
    return isPeerFault(error) || error instanceof ClosedError || isUnreachable(error) ||
      (signal?.aborted === true && error === signal.reason);
  }
}

/** Whether a datagram was sent to a peer that has gone; not a connection that a handler tried to make. */
function isUnreachable(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionRefused && isNetError(error) &&
    error.operation !== "connect";
}

function callSafely(hook: () => unknown, failed: (error: unknown) => void): void {
  try {
    catchRejection(hook(), failed);
  } catch (error) {
    failed(error);
  }
}
