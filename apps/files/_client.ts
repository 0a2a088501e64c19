/**
 * What all three requests of a client share.
 *
 * @module
 */
import { ClosedError, LimitError } from "../../errors.ts";
import { connectTcp, type TcpConnectOptions } from "../../tcp/mod.ts";
import type { TcpConnection } from "../../tcp/connection.ts";
import { checkTimeout } from "../../common/options.ts";
import { Pace, type PaceOptions } from "./_pace.ts";
import { formatRequest, MAX_LINE_LENGTH, type Request } from "./_protocol.ts";
import { FileTransferError } from "./errors.ts";

/** Where the file server is, and how patient to be with it. */
export interface FileClientOptions extends TcpConnectOptions, PaceOptions {
  /**
   * Milliseconds for the server to answer a request. A download that is resumed is given the
   * time in addition that a slow disk takes to read what is here already.
   *
   * @default {30_000}
   */
  answerTimeout?: number;
}

/** One request and what follows it. */
export class Exchange implements AsyncDisposable {
  readonly conn: TcpConnection;
  readonly pace: Pace;
  readonly #action: string;
  readonly #answerTimeout: number;
  readonly #signal: AbortSignal | undefined;

  private constructor(conn: TcpConnection, action: string, options: FileClientOptions) {
    const { answerTimeout = 30_000, signal } = options;
    this.conn = conn;
    this.pace = new Pace(conn, action, options);
    this.#action = action;
    this.#answerTimeout = checkTimeout("answerTimeout", answerTimeout);
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort);
    if (signal?.aborted) this.#abort();
  }

  /**
   * Connects.
   *
   * @param action What is being done, for messages: `Cannot get "a.txt"`.
   */
  static async open(action: string, options: FileClientOptions): Promise<Exchange> {
    checkTimeout("answerTimeout", options.answerTimeout ?? 0);
    // `Pace` looks after transfers: it knows that a sender sees slow progress in lumps only.
    const timeouts = { write: Infinity, ...options.timeouts };
    const { hostname, port, tls, noDelay, keepAlive, timeout, signal, retry, limits } = options;
    const to = { hostname, port, tls, noDelay, keepAlive, timeout, signal, retry, limits };
    return new Exchange(await connectTcp({ ...to, timeouts }), action, options);
  }

  /** Sends a request. */
  async ask(request: Request): Promise<void> {
    await this.conn.write(formatRequest(request));
  }

  /** Reads a line; `null` if the server has ended. */
  async line(): Promise<string | null> {
    try {
      return await this.conn.readLine({ timeout: this.#answerTimeout, maxLength: MAX_LINE_LENGTH });
    } catch (error) {
      if (error instanceof Deno.errors.TimedOut) {
        throw new FileTransferError(
          "too_slow",
          `${this.#action}: no answer within ${this.#answerTimeout} ms`,
          { cause: error },
        );
      }
      if (!(error instanceof LimitError)) throw error;
      throw new FileTransferError("protocol", `${this.#action}: the answer does not end`, {
        cause: error,
      });
    }
  }

  /** What an error of the connection means for the request. */
  explain(error: unknown): unknown {
    const isGone = error instanceof Deno.errors.ConnectionReset ||
      error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.UnexpectedEof;
    if (!isGone || error instanceof ClosedError) return error;
    const message = `${this.#action}: the other side broke off after ${this.pace.bytes} bytes`;
    return new FileTransferError("gone", message, { cause: error });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#abort);
    this.pace[Symbol.dispose]();
    await this.conn.close({ linger: 0 });
  }

  readonly #abort = (): void => {
    this.conn.abort(this.#signal?.reason);
  };
}
