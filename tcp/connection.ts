/**
 * One connection, whichever side opened it and whatever carries it: TCP, TLS or a unix socket.
 *
 * @module
 */
import { ClosedError, LimitError, type NetTransport, type SocketAddress } from "../errors.ts";
import { formatAddr } from "../common/address.ts";
import { deadline, whenStalled } from "../common/deadline.ts";
import { isBytes, typeOf } from "../common/kinds.ts";
import { checkCount, checkTimeout } from "../common/options.ts";
import { netError } from "../common/net_error.ts";
import { noteError } from "../_internal/unhandled.ts";
import type { Codec } from "../framing/codec.ts";
import { type CloseInfo, type CloseOptions, DEFAULT_LINGER } from "./close_options.ts";
import { contextOf, type Link } from "./_link.ts";
import { Outbox } from "./_outbox.ts";
import { Reader, type WaitLimits } from "./_reader.ts";
import { reset } from "./_reset.ts";
import { readableOf, writableOf } from "./_streams.ts";
import { Watchdog, type WatchdogLimits } from "./_watchdog.ts";
import { Writer } from "./_writer.ts";
import { createFramed, type Framed } from "./framed.ts";
import type { ReadOptions, ReadUntilOptions } from "./read_options.ts";
import { SERVER_TIMEOUTS, type TcpTimeouts } from "./timeouts.ts";

/** Bytes that may wait to be written, unless said otherwise: enough for any burst of messages. */
export const DEFAULT_MAX_WRITE_QUEUE = 16 * 1024 * 1024;

/** How much went through a connection, and since when. */
export interface TcpConnectionStats {
  /** Bytes received from the system, those not yet read by the program included. */
  readonly bytesReceived: number;
  /** Bytes handed to the system. */
  readonly bytesSent: number;
  /** Bytes that have arrived and that the program has not read. */
  readonly bytesBuffered: number;
  /** Bytes that wait to be written after the write under way, messages of `framed` included. */
  readonly bytesQueued: number;
  /** When the connection was accepted or made, in milliseconds since 1970. */
  readonly openedAt: number;
}

/** What a connection is made from. */
interface ConnectionInit extends Link {
  readonly timeouts: Required<TcpTimeouts>;
  readonly maxWriteQueue: number;
  readonly alpnProtocol: string | null;
  readonly onRelease: ((conn: TcpConnection, info: CloseInfo) => void) | undefined;
}

let lastId = 0;
let create: (init: ConnectionInit) => TcpConnection;
let drain: (conn: TcpConnection) => void;

/**
 * A connection to one peer, over TCP, TLS or a unix socket.
 *
 * It is what a handler of `serveTcp` gets and what `connectTcp` answers with. Reading and writing
 * are independent: each side can be ended for itself.
 *
 * - End of stream is `null`. It is not an error that a peer has nothing more to say.
 * - Writing to a peer that has gone rejects with `Deno.errors.BrokenPipe` or `ConnectionReset`.
 * - Calls after our own `close()` or `abort()` reject with `ClosedError` (or the abort's reason).
 * - One reader at a time: a second read while one waits rejects with `Deno.errors.Busy`. Any number
 *   of writers: their data goes out whole, in the order of the calls.
 *
 * @example Read lines, answer lines
 * ```ts
 * import { connectTcp, serveTcp } from "@tincan/net/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
 *   for (let line = await conn.readLine(); line !== null; line = await conn.readLine()) {
 *     await conn.write(`${line.toUpperCase()}\n`);
 *   }
 * });
 *
 * await using conn = await connectTcp({ port: (server.addr as Deno.NetAddr).port });
 * await conn.write("hello\n");
 * assertEquals(await conn.readLine(), "HELLO");
 * ```
 */
export class TcpConnection implements AsyncIterable<Uint8Array>, AsyncDisposable {
  /** A number that no other connection of this process has. */
  readonly id: number = ++lastId;

  readonly #link: ConnectionInit;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #watchdog: Watchdog;
  readonly #openedAt = Date.now();
  #controller: AbortController | undefined;
  #signalled: unknown;
  #draining = false;
  #closing: Promise<void> | undefined;
  #info: CloseInfo | undefined;
  #closed: PromiseWithResolvers<CloseInfo> | undefined;
  #outbox: Outbox | undefined; // of the messages, while there is a codec
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;

  static {
    create = (init) => new TcpConnection(init);
    drain = (conn) => conn.#drain();
  }

  private constructor(init: ConnectionInit) {
    this.#link = init;
    this.#watchdog = new Watchdog(init.timeouts, (which, after) => this.#expired(which, after));
    this.#reader = new Reader(init, this.#watchdog);
    this.#writer = new Writer(init, this.#reader, init.maxWriteQueue);
    this.#reader.writer = this.#writer;
    this.#watchdog.start(this.#reader, this.#writer);
  }

  /** What carries the bytes. */
  get transport(): NetTransport {
    return this.#link.transport;
  }

  /** This side's address. IPv4 peers of a dual-stack listener show as plain IPv4. */
  get localAddr(): SocketAddress {
    return this.#link.localAddr;
  }

  /** The peer's address. IPv4 peers of a dual-stack listener show as plain IPv4. */
  get remoteAddr(): SocketAddress {
    return this.#link.remoteAddr;
  }

  /** The protocol that the TLS handshake agreed on (ALPN, RFC 7301), `null` if none. */
  get alpnProtocol(): string | null {
    return this.#link.alpnProtocol;
  }

  /**
   * Aborts when this connection should come to its end: because its server is draining (the reason
   * is then a {@linkcode ClosedError} with the code `draining`, and reading and writing still work),
   * or because it was closed, was aborted or ran into a time-out.
   */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#signalled !== undefined) this.#controller.abort(this.#signalled);
    }
    return this.#controller.signal;
  }

  /** Whether the server is shutting down: finish what has begun, begin nothing new. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Resolves when the socket is closed, and says how; it never rejects. */
  get closed(): Promise<CloseInfo> {
    if (this.#closed === undefined) {
      this.#closed = Promise.withResolvers();
      if (this.#info !== undefined) this.#closed.resolve(this.#info);
    }
    return this.#closed.promise;
  }

  /** What was counted so far. */
  stats(): TcpConnectionStats {
    return {
      bytesReceived: this.#reader.bytesRead,
      bytesSent: this.#writer.bytesWritten,
      bytesBuffered: this.#reader.buffered,
      bytesQueued: this.#writer.queuedBytes + (this.#outbox?.collectedBytes ?? 0),
      openedAt: this.#openedAt,
    };
  }

  /**
   * Reads what has arrived into `buffer`, or waits for something to arrive.
   *
   * The fastest way to read: without options the system writes straight into the buffer.
   *
   * Cancellation: a call that timed out or was aborted has taken nothing; the bytes are there for
   * the next read. A call that our own `close` has ended may still fill the buffer, until the socket is
   * released.
   *
   * @param buffer Where the bytes go. Do not touch it before the call has settled.
   * @param options How long to wait.
   * @returns The number of bytes read, at least 1 unless the buffer is empty; `null` if the peer has
   * ended its side.
   * @throws {Deno.errors.TimedOut} If nothing came in time.
   * @throws {Deno.errors.ConnectionReset} If the peer broke the connection off.
   * @throws {Deno.errors.UnexpectedEof} If a TLS peer ended without saying so (RFC 8446 section 6.1).
   * @throws {Deno.errors.Busy} If another read is waiting.
   * @throws {ClosedError} If this side has closed the connection.
   * @throws {TypeError} If `buffer` is not a `Uint8Array`.
   */
  read(buffer: Uint8Array, options?: ReadOptions): Promise<number | null> {
    try {
      if (!isBytes(buffer)) throw notBytes("read into buffer", buffer);
      this.#checkUnframed();
      return this.#reader.read(buffer, this.#limits(options, false));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Reads exactly `length` bytes, however they arrive.
   *
   * Memory grows with the bytes that have arrived, not with `length`.
   *
   * Cancellation: a call that timed out or was aborted has taken nothing.
   *
   * @param length How many bytes.
   * @param options How long to wait.
   * @returns The bytes, owned by the caller; `null` if the stream ended before the first of them.
   * @throws {Deno.errors.UnexpectedEof} If the stream ended in the middle; what came is still there to
   * be read.
   * @throws {RangeError} If `length` is not a whole number from 0.
   * @throws {Deno.errors.TimedOut} If they did not come in time.
   */
  async readExactly(
    length: number,
    options?: ReadOptions,
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(
        `Cannot read exactly ${length} bytes: expected a whole number from 0`,
      );
    }
    this.#checkUnframed();
    return await this.#reader.exactly(length, this.#limits(options, true));
  }

  /**
   * Reads up to and including the next `delimiter`.
   *
   * Cancellation: a call that timed out or was aborted has taken nothing.
   *
   * @param delimiter One or more bytes, or text as UTF-8.
   * @param options The longest message, and how long to wait.
   * @returns The bytes with the delimiter, owned by the caller; `null` if the stream ended before the
   * first of them.
   * @throws {LimitError} With the code `read_buffer`, if more than `maxLength` bytes came without the
   * delimiter. Nothing was taken.
   * @throws {Deno.errors.UnexpectedEof} If the stream ended before the delimiter; what came is still
   * there to be read.
   * @throws {TypeError} If the delimiter is empty, or neither bytes nor text.
   * @throws {Deno.errors.TimedOut} If it did not come in time.
   */
  async readUntil(
    delimiter: Uint8Array | string,
    options?: ReadUntilOptions,
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    const bytes = typeof delimiter === "string" ? encoder.encode(delimiter) : delimiter;
    if (!isBytes(bytes)) throw notBytes("read until delimiter", delimiter);
    if (bytes.length === 0) throw new TypeError("Cannot read until an empty delimiter");
    return await this.#until(bytes, maxLengthOf(options), options, false);
  }

  /**
   * Reads one line of UTF-8 text, ended by LF or CR LF.
   *
   * What stands before the end of the stream is a line too, even without its newline. Bytes that are
   * not UTF-8 become U+FFFD.
   *
   * Cancellation: a call that timed out or was aborted has taken nothing.
   *
   * @param options The longest line, and how long to wait.
   * @returns The line without its end; `null` if there are no more.
   * @throws {LimitError} With the code `read_buffer`, if the line is longer than `maxLength` bytes.
   * Nothing was taken.
   * @throws {Deno.errors.TimedOut} If it did not come in time.
   */
  readLine(options?: ReadUntilOptions): Promise<string | null> {
    try {
      return this.#until(LF, maxLengthOf(options), options, true).then(lineOf);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Writes all of `data`, or throws. Writes from several callers go out whole and in the order of the
   * calls; what waits together leaves in one write of the system.
   *
   * Awaiting each write is what makes a fast sender wait for a slow peer. Whoever does not await is
   * bounded by the write queue: what it refuses is not sent. A failure that nobody awaits does not end
   * the process.
   *
   * @param data Bytes, or text that is sent as UTF-8. A buffer may be used again when the promise has
   * settled, not before.
   * @returns A promise that settles when the system has taken everything. That is not yet a receipt
   * from the peer.
   * @throws {Deno.errors.BrokenPipe} If the peer has gone (or `Deno.errors.ConnectionReset`).
   * @throws {LimitError} With the code `write_queue`, if too much waits to be written already.
   * Nothing of `data` was sent.
   * @throws {Deno.errors.TimedOut} If the peer took nothing for `timeouts.write`.
   * @throws {ClosedError} If this side was closed, or ended with {@linkcode closeWrite}.
   * @throws {TypeError} If `data` is neither.
   */
  write(data: Uint8Array | string): Promise<void> {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    if (!isBytes(bytes)) return Promise.reject(notBytes("write data", data));
    this.#outbox?.handOver(); // what was sent before goes out before
    return this.#writer.write(bytes);
  }

  /**
   * Reads and writes messages instead of bytes. The codec finds where they end; bytes that have arrived
   * and were not read yet are its first.
   *
   * @typeParam In What is received.
   * @typeParam Out What is sent.
   * @param codec How messages are told apart.
   * @returns The messages of this connection.
   * @throws {TypeError} If it has a codec already: `switchTo` changes it, `release` ends it.
   *
   * @example
   * ```ts
   * import { connectTcp, serveTcp } from "@tincan/net/tcp";
   * import { jsonLines } from "@tincan/net/framing";
   * import { assertEquals } from "@std/assert";
   *
   * await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
   *   const messages = conn.framed(jsonLines<number[]>());
   *   for await (const numbers of messages) await messages.send(numbers.toReversed());
   * });
   *
   * await using conn = await connectTcp({ port: (server.addr as Deno.NetAddr).port });
   * const messages = conn.framed(jsonLines<number[]>());
   * assertEquals(await messages.request([1, 2, 3]), [3, 2, 1]);
   * ```
   */
  framed<In, Out = In>(codec: Codec<In, Out>): Framed<In, Out> {
    if (this.#outbox !== undefined) {
      throw new TypeError("Cannot frame a connection twice: use switchTo() for another codec");
    }
    const outbox = new Outbox(this.#link, this.#writer, this.#link.maxWriteQueue);
    const framed = createFramed({
      codec,
      link: this.#link,
      reader: this.#reader,
      outbox,
      frame: this.#link.timeouts.frame,
      limits: (options) => this.#limits(options, false),
      onRelease: () => {
        this.#outbox = undefined;
      },
    });
    this.#outbox = outbox; // only now: the codec may have thrown
    return framed;
  }

  /**
   * Ends our side (half-close): the peer reads to its end and can still answer. What was written
   * before goes out first. Calling it again does nothing.
   *
   * @throws {Deno.errors.ConnectionReset} If the connection broke before everything was written.
   */
  closeWrite(): Promise<void> {
    this.#outbox?.handOver();
    return this.#writer.end();
  }

  /**
   * Closes the connection so that the peer gets everything: what was written goes out, then our end of
   * stream, then the socket waits a moment for the peer's end (`linger`) before it is released.
   *
   * A read that waits rejects with {@linkcode ClosedError} at once, and so do later reads and writes.
   * Calling it again answers with the same promise.
   *
   * @param options How long to wait for the peer.
   * @returns A promise that settles when the socket is released; it never rejects.
   * @throws {RangeError} If `linger` is negative or not a number.
   */
  close(options?: CloseOptions): Promise<void> {
    const linger = options?.linger;
    if (linger !== undefined && linger !== 0) checkTimeout("linger", linger);
    return this.#closing ??= this.#close(linger);
  }

  /**
   * Ends the connection now. Data that waits to be written is dropped; calls that wait reject with
   * `reason`. The peer sees a reset, not an end, where the system lets this process send one: over
   * TCP and TLS on Linux, with `--allow-ffi`.
   *
   * @param reason What those calls reject with.
   */
  abort(reason?: unknown): void {
    this.#end({ how: "aborted", reason: reason ?? this.#closedError("aborted") });
  }

  /**
   * The chunks as they arrive, each owned by the caller. Leaving the loop neither closes the
   * connection nor loses bytes.
   *
   * A chunk is what one read returned: message boundaries are the business of a codec. A chunk may
   * share its memory with its neighbours: one that is kept keeps at most four times its own size
   * alive, or 4 KiB.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    return new Chunks(() => {
      try {
        this.#checkUnframed();
        return this.#reader.next(toIteration, this.#limits(undefined, false));
      } catch (error) {
        return Promise.reject(error);
      }
    });
  }

  /**
   * The incoming bytes as a web stream (a byte stream, so `getReader({ mode: "byob" })` works).
   * Its end leaves our side open; cancelling it leaves the connection as it is.
   */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= readableOf(this.#reader, () => this.#checkUnframed());
  }

  /**
   * The outgoing bytes as a web stream. Closing it is {@linkcode closeWrite}, so that answers can
   * still be read; aborting it is {@linkcode abort}.
   */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= writableOf(this);
  }

  /** Closes as {@linkcode close} does: `await using conn = …` needs no other goodbye. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #until(
    delimiter: Uint8Array,
    maxLength: number,
    options: ReadOptions | undefined,
    isLine: boolean,
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    const tooLong = () => noteError(this.#tooLong(maxLength), this.#link.onUnhandled);
    this.#checkUnframed();
    return this.#reader.until(
      delimiter,
      maxLength,
      this.#limits(options, true),
      tooLong,
      isLine,
    );
  }

  #tooLong(limit: number): LimitError {
    return new LimitError(
      "read_buffer",
      `Cannot read a message from ${
        formatAddr(this.remoteAddr)
      }: it is longer than the limit of ${limit} bytes`,
      { ...contextOf(this.#link, "read"), limit },
    );
  }

  /** Bytes that were read beside the messages would be missing in one of them. */
  #checkUnframed(): void {
    if (this.#outbox === undefined) return;
    throw new TypeError(
      "Cannot read bytes while the connection is framed: receive messages, or call release() first",
    );
  }

  /** The caller's own limits, with the connection's where the caller set none. */
  #limits(options: ReadOptions | undefined, message: boolean): WaitLimits | undefined {
    const { read, frame } = this.#link.timeouts;
    if (options === undefined && read === Infinity && !message) return undefined;
    const timeout = options?.timeout;
    if (timeout !== undefined && timeout !== 0) checkTimeout("timeout", timeout);
    // Also where the bytes are there: a loop that is told to end must not go on until they are not.
    options?.signal?.throwIfAborted();
    return {
      timeout: timeout ?? read,
      frame: message ? frame : undefined,
      signal: options?.signal,
    };
  }

  #expired(which: keyof WatchdogLimits, after: number): void {
    const reason = {
      idle: `nothing was sent or received for ${after} ms`,
      write: `the peer took nothing for ${after} ms`,
      lifetime: `the connection is older than ${after} ms`,
    }[which];
    const context = contextOf(this.#link, which === "write" ? "write" : "read");
    const error = netError(Deno.errors.TimedOut, "ETIMEDOUT", reason, context);
    this.#end({ how: "failed", reason: noteError(error, this.#link.onUnhandled) });
  }

  #drain(): void {
    this.#draining = true;
    this.#tell(this.#closedError("draining"));
  }

  #tell(reason: unknown): void {
    this.#signalled ??= reason;
    this.#controller?.abort(reason);
  }

  async #close(linger: number | undefined): Promise<void> {
    if (this.#info === undefined) {
      const reason = this.#closedError("closed");
      this.#outbox?.handOver();
      this.#writer.refuse(reason);
      this.#reader.stop(reason);
      this.#tell(reason);
      if (this.#writer.active) await this.#flush(linger);
      await this.#sayGoodbye(linger ?? DEFAULT_LINGER);
      this.#end({ how: "closed" });
    }
    await this.#reader.settled();
    await this.#writer.flushed();
  }

  /** Lets what was written go out, for as long as the peer takes some of it now and then. */
  async #flush(linger: number | undefined): Promise<void> {
    const cut = () => this.abort(this.#closedError("closed"));
    if (linger === 0) return cut();
    const flushed = this.#writer.flushed();
    // With a write timeout, the watchdog ends the connection.
    const cancel = this.#link.timeouts.write < Infinity
      ? undefined
      : whenStalled(() => this.#writer.bytesWritten, linger ?? SERVER_TIMEOUTS.write, cut);
    await flushed;
    cancel?.();
  }

  async #sayGoodbye(linger: number): Promise<void> {
    const heardEverything = this.#reader.ended;
    const broken = this.#reader.failed || this.#writer.failed;
    if (broken || this.#info !== undefined || linger === 0) return;
    // The system says the end of a plain socket when it is closed; TLS has to say it itself.
    if (heardEverything && this.transport !== "tls") return;
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
    this.#info = info;
    const reason = info.reason ?? this.#closedError("closed");
    const isCut = info.how === "aborted" || this.#writer.active || this.stats().bytesQueued > 0;
    this.#watchdog.stop();
    this.#reader.stop(reason);
    this.#writer.stop(reason);
    if (isCut) reset(this.#link);
    this.#link.socket.close();
    this.#tell(reason);
    this.#closed?.resolve(info);
    this.#link.onRelease?.(this, info);
  }

  #closedError(code: "closed" | "aborted" | "draining"): ClosedError {
    const peer = formatAddr(this.remoteAddr);
    const message = code === "draining"
      ? `The server is shutting down: finish with ${peer}`
      : `Cannot go on with ${peer}: the connection was ${code} on this side`;
    const error = new ClosedError(code, message, contextOf(this.#link, "close"));
    return noteError(error, this.#link.onUnhandled);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const LF = new Uint8Array([0x0a]);

/** An iterator that can be left at any time, because there is nothing to give back. */
class Chunks implements AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
  readonly next: () => Promise<IteratorResult<Uint8Array<ArrayBuffer>>>;

  constructor(next: () => Promise<IteratorResult<Uint8Array<ArrayBuffer>>>) {
    this.next = next;
  }

  return(): Promise<IteratorResult<Uint8Array<ArrayBuffer>>> {
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function toIteration<T>(value: T | null): IteratorResult<T> {
  return value === null ? { done: true, value: undefined } : { done: false, value };
}

function lineOf(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null;
  let end = bytes.length;
  if (bytes[end - 1] === 0x0a) end--;
  if (end < bytes.length && bytes[end - 1] === 0x0d) end--;
  return decoder.decode(bytes.subarray(0, end));
}

function maxLengthOf(options: ReadUntilOptions | undefined): number {
  return checkCount("maxLength", options?.maxLength ?? 65_536);
}

/** The error of a mistake that would break the connection if the system were to find it. */
function notBytes(action: string, value: unknown): TypeError {
  return new TypeError(
    `Cannot ${action}: expected a Uint8Array, current value is of type ${typeOf(value)}`,
  );
}

/** Makes a connection; for servers and clients of this package only. */
export function createConnection(init: ConnectionInit): TcpConnection {
  return create(init);
}

/** Tells a connection that its server is draining; for servers of this package only. */
export function drainConnection(conn: TcpConnection): void {
  drain(conn);
}
