/**
 * One connection, whichever side opened it and whatever carries it: TCP, TLS or a unix socket.
 *
 * @module
 */
import type { NetTransport, SocketAddress } from "../errors.ts";
import { busy } from "../_internal/translate.ts";
import type { Codec } from "../framing/codec.ts";
import { bytesOf } from "./_bytes_of.ts";
import { type CloseInfo, type CloseOptions, lingerOf } from "./close_options.ts";
import { Ending } from "./_ending.ts";
import { contextOf, type Link } from "./_link.ts";
import { Outbox } from "./_outbox.ts";
import { PlainReads } from "./_plain_reads.ts";
import { Reader } from "./_reader.ts";
import { writableOf } from "./_streams.ts";
import { Exactly, Line, Until } from "./_wants.ts";
import { Writer } from "./_writer.ts";
import { createFramed, type Framed } from "./framed.ts";
import {
  READ_OPTIONS,
  READ_UNTIL_OPTIONS,
  type ReadOptions,
  type ReadUntilOptions,
} from "./read_options.ts";

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
 *   of writers: their data leaves whole, in the order of the calls.
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
 * await using conn = await connectTcp({ port: server.addr.port });
 * await conn.write("hello\n");
 * assertEquals(await conn.readLine(), "HELLO");
 * ```
 */
export class TcpConnection<Addr extends SocketAddress = SocketAddress>
  implements AsyncIterable<Uint8Array>, AsyncDisposable {
  /** A number that no other connection of this process has. */
  readonly id: number = ++lastId;

  readonly #link: ConnectionInit;
  readonly #reader: Reader;
  readonly #reads: PlainReads;
  readonly #writer: Writer;
  readonly #ending: Ending;
  readonly #openedAt = Date.now();
  #outbox: Outbox | undefined; // most connections have no codec
  #writable: WritableStream<Uint8Array> | undefined;

  static {
    create = (init) => new TcpConnection(init);
    drain = (conn) => conn.#ending.drain();
  }

  private constructor(init: ConnectionInit) {
    const turn = { round: -1, steps: 0 }; // of both halves together
    this.#link = init;
    this.#writer = new Writer(init, turn);
    this.#reader = new Reader(init, turn, this.#writer);
    this.#reads = new PlainReads(this.#reader);
    this.#ending = new Ending(init, this.#reader, this.#writer, (info) => {
      init.onRelease?.(this, info);
    });
  }

  /** What carries the bytes. */
  get transport(): NetTransport {
    return this.#link.transport;
  }

  /** This side's address. IPv4 peers of a dual-stack listener show as plain IPv4. */
  get localAddr(): Addr {
    return this.#link.localAddr as Addr;
  }

  /** The peer's address. IPv4 peers of a dual-stack listener show as plain IPv4. */
  get remoteAddr(): Addr {
    return this.#link.remoteAddr as Addr;
  }

  /** The protocol that the TLS handshake agreed on (ALPN, RFC 7301), `null` if none. */
  get alpnProtocol(): string | null {
    return this.#link.alpnProtocol;
  }

  /**
   * Aborts when this connection should come to its end: because its server is draining (the reason
   * is then a {@linkcode ClosedError} with the code `draining`, and reading and writing still work),
   * or because it was closed, was aborted or ran into a timeout.
   */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Whether the server is shutting down: finish what has begun, begin nothing new. */
  get draining(): boolean {
    return this.#ending.isDraining;
  }

  /** Resolves when the socket is closed, and says how; it never rejects. */
  get closed(): Promise<CloseInfo> {
    return this.#ending.closed;
  }

  /** What was counted so far. */
  stats(): TcpConnectionStats {
    return {
      bytesReceived: this.#reader.source.bytesReceived,
      bytesSent: this.#writer.bytesSent,
      bytesBuffered: this.#reader.buffered,
      bytesQueued: this.#writer.queuedBytes,
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
    return this.#reads.read(buffer, options);
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
  readExactly(length: number, options?: ReadOptions): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#reads.take("readExactly", options, READ_OPTIONS, () => {
      return new Exactly(this.#link, length);
    });
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
  readUntil(
    delimiter: Uint8Array | string,
    options?: ReadUntilOptions,
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#reads.take("readUntil", options, READ_UNTIL_OPTIONS, () => {
      return new Until(this.#link, delimiter, options);
    });
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
    return this.#reads.take("readLine", options, READ_UNTIL_OPTIONS, () => {
      return new Line(this.#link, options);
    });
  }

  /**
   * Writes all of `data`, or throws. Writes from several callers leave whole and in the order of the
   * calls; what waits together leaves in one write of the system.
   *
   * Awaiting each write is what makes a fast sender wait for a slow peer. A caller that does not
   * await is bounded by the write queue: what it refuses is not sent. A failure that no one awaits does
   * not end the process.
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
    try {
      return this.#writer.write(bytesOf("write data", data));
    } catch (error) {
      return Promise.reject(error);
    }
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
   * await using conn = await connectTcp({ port: server.addr.port });
   * const messages = conn.framed(jsonLines<number[]>());
   * assertEquals(await messages.request([1, 2, 3]), [3, 2, 1]);
   * ```
   */
  framed<In, Out = In>(codec: Codec<In, Out>): Framed<In, Out> {
    if (this.#reads.isFramed) {
      throw new TypeError("Cannot frame a connection twice: use switchTo() for another codec");
    }
    // It would take the first bytes of the first message.
    if (this.#reader.isWaiting) throw busy(contextOf(this.#link, "read"));
    const framed = createFramed(codec, {
      link: this.#link,
      reader: this.#reader,
      outbox: this.#outbox ??= new Outbox(this.#link, this.#writer),
      onRelease: () => {
        this.#reads.isFramed = false;
      },
    });
    this.#reads.isFramed = true; // only now: the codec may have thrown
    return framed;
  }

  /**
   * Ends our side (half-close): the peer reads to its end and can still answer. What was written
   * before leaves first. Calling it again does nothing.
   *
   * @throws {Deno.errors.ConnectionReset} If the connection broke before everything was written.
   */
  closeWrite(): Promise<void> {
    return this.#writer.end();
  }

  /**
   * Closes the connection so that the peer gets everything: what was written leaves, then our end of
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
    return this.#ending.close(lingerOf(options));
  }

  /**
   * Ends the connection now. Data that waits to be written is dropped; calls that wait reject with
   * `reason`. The peer sees a reset, not an end, where the system lets this process send one: over
   * TCP and TLS on Linux, with `--allow-ffi`.
   *
   * @param reason What those calls reject with.
   */
  abort(reason?: unknown): void {
    this.#ending.abort(reason);
  }

  /**
   * The chunks as they arrive, each owned by the caller. Leaving the loop neither closes the
   * connection nor loses bytes.
   *
   * A chunk is what one read returned: message boundaries are found by a codec. A chunk may
   * share its memory with its neighbours: one that is kept keeps at most four times its own size
   * alive, or 4 KiB.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    return this.#reads.chunks();
  }

  /**
   * The incoming bytes as a web stream (a byte stream, so `getReader({ mode: "byob" })` works).
   * Its end leaves our side open; cancelling it leaves the connection as it is.
   */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#reads.readable;
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
}

/** Makes a connection; for servers and clients of this package only. */
export function createConnection<Addr extends SocketAddress>(
  init: ConnectionInit,
): TcpConnection<Addr> {
  return create(init) as TcpConnection<Addr>;
}

/** Tells a connection that its server is draining; for servers of this package only. */
export function drainConnection(conn: TcpConnection): void {
  drain(conn);
}
