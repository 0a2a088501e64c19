/** Codecs as web streams. @module */
import { checkCodec } from "./_checks.ts";
import type { Codec } from "./codec.ts";
import { frames } from "./frames.ts";

/**
 * Turns a stream of bytes, cut anywhere, into a stream of frames, as `TextDecoderStream` turns one
 * into text.
 *
 * Frames are owned, under the same terms as those of `frames`. Frames before an error can all be
 * read before the readable side fails with it; the writable side fails with it as well.
 *
 * @typeParam T What a frame is.
 *
 * @example
 * ```ts
 * import { FrameDecoderStream, lines, text } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const stream = new Blob(["one\ntwo\n"]).stream().pipeThrough(
 *   new FrameDecoderStream(text(lines())),
 * );
 * assertEquals(await Array.fromAsync(stream), ["one", "two"]);
 * ```
 */
export class FrameDecoderStream<T> {
  /** The frames. */
  readonly readable: ReadableStream<T>;
  /** Where the bytes go. */
  readonly writable: WritableStream<Uint8Array>;

  /**
   * Creates the two sides.
   *
   * @param codec What finds the frames.
   */
  constructor(codec: Codec<T, unknown>) {
    checkCodec("FrameDecoderStream", codec);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const reader = readable.getReader();
    const batches = frames(chunksOf(reader), codec).batches();
    this.writable = writable;
    // Not a transformer: when one throws, frames that were not read yet are lost.
    this.readable = new ReadableStream<T>({
      async pull(controller) {
        try {
          const { done, value } = await batches.next();
          if (done) controller.close();
          else for (const frame of value) controller.enqueue(frame);
        } catch (error) {
          await reader.cancel(error).catch(() => {});
          throw error;
        }
      },
      cancel: (reason) => reader.cancel(reason),
    });
  }
}

/** The chunks of a stream that is cancelled elsewhere. */
function chunksOf(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const { done, value } = await reader.read();
        return done ? { done, value: undefined } : { done, value };
      },
    }),
  };
}

/**
 * Turns a stream of messages into a stream of bytes: one chunk for each message.
 *
 * @typeParam T What a message is.
 *
 * @example
 * ```ts
 * import { FrameEncoderStream, lines, text } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = ReadableStream.from(["one", "two"]).pipeThrough(
 *   new FrameEncoderStream(text(lines())),
 * );
 * assertEquals(await new Response(bytes).text(), "one\ntwo\n");
 * ```
 */
export class FrameEncoderStream<T> {
  /** The bytes. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Where the messages go. */
  readonly writable: WritableStream<T>;

  /**
   * Creates the two sides.
   *
   * @param codec What encodes the messages.
   */
  constructor(codec: Codec<unknown, T>) {
    checkCodec("FrameEncoderStream", codec);
    const { readable, writable } = new TransformStream<T, Uint8Array>({
      transform: (message, controller) => controller.enqueue(codec.encode(message)),
    });
    this.readable = readable;
    this.writable = writable;
  }
}
