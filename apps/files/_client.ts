/**
 * What all three requests of a client share.
 *
 * @module
 */
import { ClosedError, LimitError } from "../../errors.ts";
import { checkTimeout } from "../../common/options.ts";
import { CLIENT_NAMES } from "../../common/tcp_option_names.ts";
import {
  connectTcp,
  type TcpConnection,
  type TcpConnectOptions,
  type UnixConnectOptions,
} from "../../tcp/mod.ts";
import { Pace } from "./_pace.ts";
import {
  type Answer,
  type FileRequest,
  formatRequest,
  MAX_LINE_LENGTH,
  parseAnswer,
  parseTrailer,
} from "./_protocol.ts";
import { FileTransferError } from "./errors.ts";

/** Where the file server is, with everything that `connectTcp` takes, and how long to wait for it. */
export type FileClientOptions = (TcpConnectOptions | UnixConnectOptions) & {
  /** How long the connection, an answer and a transfer may take. */
  timeouts?: {
    /**
     * Milliseconds for the server to answer a request. A download that is resumed is given the time in
     * addition that a slow disk takes to read what is here already.
     *
     * @default {30_000}
     */
    answer?: number | undefined;
    /**
     * Milliseconds without a single byte of a transfer; then it is ended with the code `too_slow`.
     *
     * @default {60_000} a network that is silent for a minute is not coming back soon
     */
    stall?: number | undefined;
  } | undefined;
  /** How much may wait to be written, and how slow a transfer may be. */
  limits?: {
    /**
     * Bytes per second, on average over four times `timeouts.stall`, below which a transfer is ended
     * with the code `too_slow`. 0 for no minimum.
     *
     * @default {128} a tenth of the slowest mobile network
     */
    minRate?: number | undefined;
  } | undefined;
};

/** The names of {@linkcode FileClientOptions}. */
export const FILE_CLIENT_NAMES = {
  ...CLIENT_NAMES,
  timeouts: { ...CLIENT_NAMES.timeouts, answer: true, stall: true },
  limits: { ...CLIENT_NAMES.limits, minRate: true },
} as const;

/** One request and what follows it. */
export class FileExchange implements AsyncDisposable {
  readonly conn: TcpConnection;
  readonly pace: Pace;
  readonly #action: string;
  readonly #answerTimeout: number;
  readonly #signal: AbortSignal | undefined;

  private constructor(conn: TcpConnection, action: string, options: FileClientOptions) {
    const { timeouts, limits, signal } = options;
    this.conn = conn;
    this.pace = new Pace(conn, action, { stall: timeouts?.stall, minRate: limits?.minRate });
    this.#action = action;
    this.#answerTimeout = timeouts?.answer ?? 30_000;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort);
    if (signal?.aborted) this.#abort();
  }

  /**
   * Connects, makes a request, and closes.
   *
   * @param action What is being done, for messages: `Cannot get "a.txt"`.
   * @param use Makes the request.
   */
  static async run<T>(
    action: string,
    options: FileClientOptions,
    use: (exchange: FileExchange) => Promise<T>,
  ): Promise<T> {
    const { answer = 0, stall, ...timeouts } = options.timeouts ?? {};
    const { minRate, ...limits } = options.limits ?? {};
    checkTimeout("timeouts.answer", answer);
    Pace.check({ stall, minRate });
    // `Pace` looks after transfers: it knows that a sender sees slow progress in lumps only.
    const write = timeouts.write ?? Infinity;
    const conn = await connectTcp({ ...options, limits, timeouts: { ...timeouts, write } });
    await using exchange = new FileExchange(conn, action, options);
    try {
      return await use(exchange);
    } catch (error) {
      throw exchange.#explain(error);
    }
  }

  /** Sends a request and reads the answer. */
  async ask(request: FileRequest): Promise<Answer> {
    await this.conn.write(formatRequest(request));
    return parseAnswer(await this.#line(), this.#action);
  }

  /** Reads the line after the bytes: the checksum as the server has it. */
  async trailer(): Promise<string> {
    this.pace.rests();
    return parseTrailer(await this.#line(), this.#action);
  }

  /** Reads a line; `null` if the server has ended. */
  async #line(): Promise<string | null> {
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
  #explain(error: unknown): unknown {
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
