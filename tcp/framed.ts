/**
 * Messages over a connection.
 *
 * @module
 */
import { FrameError, LimitError } from "../errors.ts";
import { END, PullIterator } from "../common/pull_iterator.ts";
import { unattended } from "../common/unattended.ts";
import type { Codec } from "../framing/codec.ts";
import { type FramedInit, Incoming, takeBatch, takeNext, takeOne } from "./_incoming.ts";
import { checkRead, READ_OPTIONS, type ReadOptions } from "./read_options.ts";

let create: <In, Out>(codec: Codec<In, Out>, init: FramedInit) => Framed<In, Out>;

/**
 * Messages over a connection: what `TcpConnection.framed(codec)` answers with.
 *
 * - Messages that are sent in one turn of the event loop leave in one write.
 * - The end of the stream between two messages is `null` (or the end of the loop); inside a message
 *   it is a `FrameError` with the code `truncated`.
 * - Messages are owned by their receiver. Byte messages may share memory with others that
 *   arrived in the same read; one that is kept keeps at most four times the size of that read alive.
 *   Keep `message.slice()` where that matters.
 * - A message that has begun must end within the connection's `timeouts.frame`.
 * - One receiver at a time: a second one is refused with `Deno.errors.Busy`. Requests are the
 *   exception: they wait for their answers in turn.
 *
 * @typeParam In What is received.
 * @typeParam Out What is sent.
 *
 * @example Lines of text in both directions
 * ```ts
 * import { connectTcp, serveTcp } from "@tincan/net/tcp";
 * import { lines, text } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
 *   const messages = conn.framed(text(lines()));
 *   for await (const message of messages) await messages.send(message.toUpperCase());
 * });
 *
 * await using conn = await connectTcp({ port: server.addr.port });
 * const messages = conn.framed(text(lines()));
 * assertEquals(await messages.request("hello"), "HELLO");
 * ```
 */
export class Framed<In, Out = In> implements AsyncIterable<In> {
  readonly #init: FramedInit;
  readonly #codec: Codec<In, Out>;
  readonly #incoming: Incoming<In>;

  static {
    create = (codec, init) => new Framed(codec, init);
  }

  private constructor(codec: Codec<In, Out>, init: FramedInit) {
    this.#init = init;
    this.#codec = codec;
    this.#incoming = new Incoming(codec, init);
  }

  /**
   * Receives the next message.
   *
   * Cancellation: a call that timed out or was aborted has taken nothing; the message is there for the
   * next call.
   *
   * @param options How long to wait.
   * @returns The message; `null` if the peer has ended its side after the last one.
   * @throws {FrameError} If the bytes are not the frames the codec expects. After `checksum` or an
   * error in the contents the next call resumes after that frame.
   * @throws {Deno.errors.TimedOut} If it did not come in time, or had begun and was not complete within
   * `timeouts.frame`.
   * @throws {Deno.errors.Busy} If another call waits.
   * @throws {Deno.errors.ConnectionReset} If the peer broke the connection off.
   * @throws {ClosedError} If this side has closed the connection.
   */
  receive(options?: ReadOptions): Promise<In | null> {
    try {
      if (options !== undefined) checkRead("receive", options, READ_OPTIONS);
      return this.#incoming.receive<In | null>(takeOne, null, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sends one message, after those sent before.
   *
   * It leaves at the end of this turn of the event loop, together with the others of the turn, or
   * earlier when this side waits for the next message. A message that cannot be encoded leaves nothing
   * half-written.
   *
   * @param message What to send.
   * @returns A promise that settles at once while little waits to be written (64 KiB), and otherwise
   * when the peer has made room: awaiting it is what makes a fast sender wait for a slow peer. A failed
   * write shows in the next call; {@linkcode flush} waits for it. A failure that no one awaits does not
   * end the process, unless the message is of the wrong type: that is a mistake in the program.
   * @throws {FrameError} If the message cannot be a frame of this codec.
   * @throws {LimitError} With the code `write_queue`, if no one awaits and too much waits already.
   * @throws {Deno.errors.BrokenPipe} If the peer has gone (or `Deno.errors.ConnectionReset`).
   * @throws {ClosedError} If this side was closed, or ended with `closeWrite`.
   */
  send(message: Out): Promise<void> {
    try {
      this.#add(message);
    } catch (error) {
      return this.#refused(error);
    }
    return this.#init.outbox.room();
  }

  /**
   * Sends several messages, in order. The same as one {@linkcode send} after the other, but cheaper; if
   * one of them cannot be encoded, those before it are sent and those after it are not.
   *
   * @param messages What to send.
   * @returns A promise that settles as that of the last `send` would.
   * @throws {FrameError} If a message cannot be a frame of this codec.
   * @throws {LimitError} With the code `write_queue`, if too much waits already.
   * @throws {Deno.errors.BrokenPipe} If the peer has gone (or `Deno.errors.ConnectionReset`).
   * @throws {ClosedError} If this side was closed, or ended with `closeWrite`.
   */
  sendAll(messages: Iterable<Out>): Promise<void> {
    try {
      for (const message of messages) this.#add(message);
    } catch (error) {
      return this.#refused(error);
    }
    return this.#init.outbox.room();
  }

  /**
   * Writes what was sent so far.
   *
   * @returns A promise that settles when the system has taken everything. Its failure need not be
   * awaited.
   * @throws {Deno.errors.BrokenPipe} If the peer has gone (or `Deno.errors.ConnectionReset`).
   */
  flush(): Promise<void> {
    try {
      this.#incoming.checkUse();
      return this.#init.outbox.flushed();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sends a message and receives the answer, for protocols in which each message is answered by one,
   * in order. Several requests may be under way: each gets its own answer.
   *
   * Cancellation: the message was sent; when its answer comes after all, it is dropped, so that the
   * next request gets its own.
   *
   * @param message What to send.
   * @param options How long to wait for the answer.
   * @returns The answer.
   * @throws {Deno.errors.UnexpectedEof} If the peer ended its side without answering.
   * @throws {Deno.errors.TimedOut} If the answer did not come in time.
   * @throws {FrameError} If the message cannot be encoded, or the answer not be decoded.
   */
  async request(message: Out, options?: ReadOptions): Promise<In> {
    if (options !== undefined) checkRead("request", options, READ_OPTIONS);
    this.#incoming.checkRequest();
    this.#add(message);
    return await this.#incoming.answer(options);
  }

  /**
   * The messages in arrays, as many as each read completed: the fastest way to receive, because only
   * whole batches are waited for. Leaving the loop loses nothing.
   *
   * @returns An iterator over arrays of at least one message.
   */
  batches(): AsyncIterableIterator<In[]> {
    const incoming = this.#incoming;
    return new PullIterator(() => incoming.receive<IteratorResult<In[]>>(takeBatch, END));
  }

  /** The messages, until the peer ends its side. Leaving the loop loses nothing. */
  [Symbol.asyncIterator](): AsyncIterableIterator<In> {
    const incoming = this.#incoming;
    return new PullIterator(() => incoming.receive<IteratorResult<In>>(takeNext, END));
  }

  /**
   * Changes to another codec in both directions, as after a protocol upgrade. Bytes that have arrived
   * after the last message received are decoded by the new codec; messages sent so far stay encoded as
   * they are. This object can no longer be used.
   *
   * @param codec The new codec.
   * @returns The messages of the new codec.
   * @throws {Deno.errors.Busy} If a call waits for a message.
   */
  switchTo<NewIn, NewOut = NewIn>(codec: Codec<NewIn, NewOut>): Framed<NewIn, NewOut> {
    this.#incoming.checkUse();
    const next = new Framed(codec, this.#init); // may throw, and then nothing has changed
    next.#incoming.resume(this.#incoming);
    return next;
  }

  /**
   * Returns to plain bytes: what has arrived after the last message received is given back to the
   * connection, to be read with `read` and its kin. This object can no longer be used.
   *
   * @throws {Deno.errors.Busy} If a call waits for a message.
   */
  release(): void {
    const { reader, outbox, onRelease } = this.#init;
    const remaining = this.#incoming.end(
      "Cannot use the messages of a connection after release()",
    );
    outbox.handOver();
    reader.unread(remaining);
    onRelease();
  }

  #add(message: Out): void {
    this.#incoming.checkUse();
    this.#init.outbox.add(this.#codec, message);
  }

  /** A message that was not sent. What a peer can cause may be left alone: also a frame error, because
   * what is sent is often what was received. */
  #refused(error: unknown): Promise<never> {
    const refused = Promise.reject(error);
    const mayBeLeft = error === this.#init.outbox.refusal || error instanceof LimitError ||
      error instanceof FrameError;
    return mayBeLeft ? unattended(refused) : refused;
  }
}

/** Makes the messages of a connection; for connections only. */
export function createFramed<In, Out>(
  codec: Codec<In, Out>,
  init: FramedInit,
): Framed<In, Out> {
  return create(codec, init);
}
