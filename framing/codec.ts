/**
 * The contract between a codec and its caller.
 *
 * A stream delivers bytes, not messages: one read may hold half a message or a hundred. A
 * {@linkcode Codec} knows where messages end. Its {@linkcode Decoder} is fed whatever arrived and
 * emits the frames it can see; it does no input or output of its own, knows no promises and no
 * time, and so works the same on a socket, a file or an array in a test.
 *
 * **Results.** After `push` there are three cases and no others: frames were emitted, more bytes are
 * needed (nothing happened), or the input is broken (a `FrameError` was thrown). `end` means that no
 * bytes follow: a delimiter codec then emits its last, undelimited frame; every other codec throws
 * `truncated` if a frame was left unfinished.
 *
 * **Cuts do not matter.** The same bytes give the same frames, the same error code and the same
 * error offset however they are cut into chunks, down to one byte at a time, and at a cost
 * proportional to their number. Frames before an error are emitted before it is thrown.
 *
 * **Who owns the memory of a frame.** A byte frame passed to `emit` is borrowed: it is valid during the
 * call. More exactly, it is a view of the chunk that was pushed, or, where the frame came in several
 * chunks or had to be unescaped, of memory that the decoder never writes to again. So a caller that
 * never reuses a pushed chunk owns every frame; a caller that reuses one read buffer copies what must
 * last. Everything that hands frames across an `await` (`frames()`, `FrameDecoderStream`, framed
 * connections) does that copying, once for each chunk. The chunk itself is never changed.
 *
 * **Stopping.** When `emit` returns `false` the decoder stops after that frame and buffers the rest
 * of the chunk. `push` with an empty chunk resumes. When `emit` throws, the frame counts as
 * delivered, the rest is buffered in the same way and the exception reaches the caller of `push`.
 * A decoder must not be called from inside `emit`: that throws a `TypeError`.
 *
 * **What an error leaves.** When the framing is lost (`too_long`, `corrupt`, `truncated`), the
 * decoder is finished: each later `push` and `end` throws the same error again. The bytes from the
 * first of the broken frame onwards are still available from `takeRemaining`, to show them or to try
 * another protocol. When only the contents of a frame are bad (a checksum, JSON or UTF-8 that does
 * not fit, raised by a payload wrapper), the frame is skipped and the decoder still works: `push` with
 * an empty chunk resumes after it. Discarding modes (`onTooLong`, `onCorrupt`) report
 * instead of throwing and resume by themselves.
 *
 * **Handing over.** `takeRemaining` returns the bytes that were pushed but not framed, exactly, and
 * leaves the decoder empty, between frames. Bytes dropped by a discarding mode are gone. A codec of
 * your own may leave it out, as the one below does. Everything works with it except the end of
 * framing before the end of the stream: `switchTo` and `release` of a framed connection throw a
 * `TypeError` once bytes have arrived.
 *
 * **After the end.** Once `end` was called, `push` throws a `TypeError`. If `emit` stopped `end`,
 * calling `end` again resumes; when it is through, calling it again does nothing.
 *
 * **Bounds.** A decoder holds at most one frame of the greatest permitted length with its header (in
 * its escaped form, for SLIP) and the rest of one chunk. Memory grows with the bytes that arrived,
 * never with a length that was merely announced.
 *
 * @example A codec of your own, an object of ten lines: points as pairs of bytes
 * ```ts
 * import { type Codec, FrameError, frames } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const points: Codec<{ x: number; y: number }> = {
 *   encode: ({ x, y }) => Uint8Array.of(x, y),
 *   decoder: (held: number[] = []) => ({
 *     push(chunk, emit) {
 *       for (const byte of chunk) held.push(byte);
 *       while (held.length > 1 && emit({ x: held.shift()!, y: held.shift()! }) !== false);
 *     },
 *     end() {
 *       if (held.length > 0) throw new FrameError("truncated", "Cannot read half a point");
 *     },
 *   }),
 * };
 *
 * const seen: unknown[] = [];
 * const source = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)];
 * for await (const point of frames(source, points)) seen.push(point);
 * assertEquals(seen, [{ x: 1, y: 2 }, { x: 3, y: 4 }]);
 * ```
 *
 * @module
 */
import type { OutputBuffer } from "./output_buffer.ts";

/**
 * Receives each frame. Returning `false` stops the decoder after this frame; any other result
 * lets it continue.
 *
 * @typeParam T What the codec decodes to.
 */
export type Emit<T> = (frame: T) => void | boolean;

/** How far a decoder has got, for callers that give bytes back or time a frame. */
export interface DecoderProgress {
  /**
   * Where the frame emitted last began, in bytes since the first. During `emit`, this is the frame
   * being emitted.
   */
  readonly frameStart: number;
  /**
   * How many bytes of the stream were emitted, discarded or handed over. During `emit`, this is the
   * end of the frame being emitted.
   */
  readonly position: number;
  /** Whether a frame has begun and not ended, or frames wait because `emit` stopped. */
  readonly partial: boolean;
  /**
   * Where the frame that has begun and not ended begins, in bytes since the first. Needed only by a
   * decoder that drops frames, where `position` moves on inside the one that is being dropped. Without
   * it, `position` counts.
   */
  readonly begun?: number | undefined;
}

/**
 * Finds frames in the chunks it is fed. See the module's text for the whole contract.
 *
 * @typeParam T What a frame is decoded to.
 */
export interface Decoder<T> {
  /**
   * Takes a chunk and emits each frame that it completes. The chunk is neither kept nor changed.
   *
   * @param chunk Bytes as they arrived; empty to resume after a stop.
   * @param emit Receives each frame; returns `false` to stop after it.
   * @throws {FrameError} When the bytes are not the frames that the codec expects.
   * @throws {TypeError} When called after `end` or from inside `emit`.
   */
  push(chunk: Uint8Array, emit: Emit<T>): void;
  /**
   * Ends the input, and emits what can still be decoded.
   *
   * @param emit Receives each frame; returns `false` to stop after it.
   * @throws {FrameError} With code `truncated` when the input ended inside a frame.
   */
  end(emit: Emit<T>): void;
  /**
   * Hands over the bytes that were pushed but not framed and forgets them, as a protocol switch
   * needs it. Every decoder of this module has it; your own may leave it out.
   *
   * @returns The bytes, owned by the caller.
   */
  takeRemaining?(): Uint8Array;
  /** How far the decoder has got. Every decoder of this module has it; your own may leave it out. */
  readonly progress?: DecoderProgress | undefined;
}

/**
 * Turns messages into bytes and bytes into messages. A codec has no state: one object serves any
 * number of connections, each with a decoder of its own.
 *
 * @typeParam In What is decoded.
 * @typeParam Out What is encoded.
 */
export interface Codec<In, Out = In> {
  /**
   * Starts decoding a stream.
   *
   * @returns A new decoder, at the beginning of a stream.
   */
  decoder(): Decoder<In>;
  /**
   * Encodes one message.
   *
   * @param message What to encode.
   * @returns The frame's bytes, owned by the caller.
   * @throws {FrameError} When the message cannot be a frame: `too_long` or `corrupt`.
   */
  encode(message: Out): Uint8Array;
  /**
   * Encodes one message after what `output` holds already: the same bytes as `encode`, without
   * memory of their own. When it throws, `output` holds what it held before. Every codec of this
   * module has it; your own may leave it out.
   *
   * @param message What to encode.
   * @param output Where to.
   * @throws {FrameError} When the message cannot be a frame: `too_long` or `corrupt`.
   */
  encodeInto?(message: Out, output: OutputBuffer): void;
  /**
   * Whether decoded messages share no memory with the chunks that were pushed, as strings do. A caller
   * that hands messages across an `await` then need not copy the chunk.
   *
   * @default {false}
   */
  readonly detached?: boolean | undefined;
}

/**
 * A codec of this module: a {@linkcode Codec} that leaves nothing out.
 *
 * @typeParam In What is decoded.
 * @typeParam Out What is encoded.
 */
export interface FramingCodec<In, Out = In> extends Codec<In, Out> {
  /**
   * Starts decoding a stream.
   *
   * @returns A new decoder, at the beginning of a stream. Over a codec of your own without
   * `takeRemaining`, that of a payload wrapper throws a `TypeError` once bytes were pushed.
   */
  decoder(): Required<Decoder<In>>;
  /**
   * Encodes one message after what `output` holds already. When it throws, `output` holds what it held
   * before.
   *
   * @param message What to encode.
   * @param output Where to.
   * @throws {FrameError} When the message cannot be a frame: `too_long` or `corrupt`.
   */
  encodeInto(message: Out, output: OutputBuffer): void;
}
