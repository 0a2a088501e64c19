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

/** What a connection fails with when the server has gone. */
const GONE = [
  Deno.errors.ConnectionReset,
  Deno.errors.BrokenPipe,
  Deno.errors.UnexpectedEof,
];

/** The names of {@linkcode FileClientOptions}. */
export const FILE_CLIENT_NAMES = {
  ...CLIENT_NAMES,
  timeouts: { ...CLIENT_NAMES.timeouts, answer: true, stall: true },
  limits: { ...CLIENT_NAMES.limits, minRate: true },
} as const;

/** One request and what follows it. */
export class FileExchange {
  readonly conn: TcpConnection;
  readonly pace: Pace;
  readonly #action: string;
  readonly #timeout: number;

  private constructor(conn: TcpConnection, pace: Pace, action: string, timeout: number) {
    this.conn = conn;
    this.pace = pace;
    this.#action = action;
    this.#timeout = timeout;
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
    const { answer = 30_000, stall, ...timeouts } = options.timeouts ?? {};
    const { minRate, ...limits } = options.limits ?? {};
    checkTimeout("timeouts.answer", answer);
    Pace.check({ stall, minRate });
    // `Pace` looks after transfers: it knows that a sender sees slow progress in lumps only.
    const write = timeouts.write ?? Infinity;
    const conn = await connectTcp({ ...options, limits, timeouts: { ...timeouts, write } });
    using pace = new Pace(conn, action, { stall, minRate });
    const { signal } = options;
    const abort = () => conn.abort(signal?.reason);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    try {
      return await use(new FileExchange(conn, pace, action, answer));
    } catch (error) {
      if (!GONE.some((gone) => error instanceof gone) || error instanceof ClosedError) throw error;
      const message = `${action}: the other side broke off after ${pace.bytes} bytes`;
      throw new FileTransferError("gone", message, { cause: error });
    } finally {
      signal?.removeEventListener("abort", abort);
      await conn.close({ linger: 0 });
    }
  }

  /** Sends a request and reads the answer. */
  async ask(request: FileRequest): Promise<Answer> {
    await this.conn.write(formatRequest(request));
    return parseAnswer(await this.#line(), this.#action);
  }

  /** Reads the line after the bytes: the checksum as the server has it. */
  async trailer(): Promise<string> {
    this.pace.begin("none");
    return parseTrailer(await this.#line(), this.#action);
  }

  /** Reads a line; `null` if the server has ended. */
  async #line(): Promise<string | null> {
    const timeout = this.#timeout;
    try {
      return await this.conn.readLine({ timeout, maxLength: MAX_LINE_LENGTH });
    } catch (cause) {
      if (cause instanceof Deno.errors.TimedOut) {
        const message = `${this.#action}: no answer within ${timeout} ms`;
        throw new FileTransferError("too_slow", message, { cause });
      }
      if (!(cause instanceof LimitError)) throw cause;
      const message = `${this.#action}: the answer does not end`;
      throw new FileTransferError("protocol", message, { cause });
    }
  }
}
