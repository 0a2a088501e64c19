/**
 * The hooks of a server: calling them, and reporting what went wrong.
 *
 * Nothing that a hook does ends the process: what it throws, and what it rejects with if it is an async
 * function, is an error like any other.
 *
 * @module
 */
import { ClosedError, type SocketAddress } from "../errors.ts";
import { formatAddr } from "../common/address.ts";
import { catchRejection } from "../common/catch_rejection.ts";
import { PeerReport } from "../common/peer_report.ts";
import { isPeerFault } from "../_internal/translate.ts";
import type { CloseInfo } from "./close_options.ts";
import type { TcpConnection } from "./connection.ts";
import type { TcpServerBaseOptions } from "./server_options.ts";

/** The hooks of one server. */
export class Hooks {
  readonly #options: TcpServerBaseOptions;
  readonly #errors = new PeerReport();

  constructor(options: TcpServerBaseOptions) {
    this.#options = options;
  }

  /** The server listens. What `onListen` throws is for the caller. */
  listening(addr: SocketAddress): void {
    const { onListen } = this.#options;
    if (onListen === undefined) console.error(`listening on ${formatAddr(addr)}`);
    else catchRejection(onListen(addr), (error) => this.report(error));
  }

  /** A connection comes in. What `onConnect` throws is a failure of the connection's handler. */
  connected(conn: TcpConnection): void {
    catchRejection(this.#options.onConnect?.(conn), (error) => {
      this.report(error, conn);
      conn.close();
    });
  }

  /** A connection has ended. */
  closed(conn: TcpConnection, info: CloseInfo): void {
    try {
      catchRejection(this.#options.onClose?.(conn, info), (error) => this.report(error, conn));
    } catch (error) {
      this.report(error, conn);
    }
  }

  /** Something went wrong. */
  report(error: unknown, conn?: TcpConnection): void {
    const { onError } = this.#options;
    if (onError === undefined) {
      if (!this.#isExpected(error)) this.#errors.report(error, conn?.remoteAddr);
      return;
    }
    try {
      catchRejection(onError(error, conn), (thrown) => this.#errors.mistake(thrown));
    } catch (thrown) {
      this.#errors.mistake(thrown);
    }
  }

  /** The server has stopped. */
  finished(): void {
    this.#errors.close();
  }

  /** What peers and networks do all day, and what follows from our own ending. */
  #isExpected(error: unknown): boolean {
    const { signal } = this.#options;
    return isPeerFault(error) || error instanceof ClosedError ||
      (signal?.aborted === true && error === signal.reason);
  }
}
