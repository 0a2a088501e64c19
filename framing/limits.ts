/** What codecs do about frames that are too long or broken. @module */
import type { FrameError } from "../errors.ts";

/** What a codec does about frames that are too long. */
export interface LimitOptions {
  /**
   * The longest frame, in bytes, for decoding and for encoding. What surrounds the contents
   * (delimiters, headers, escapes) does not count. `Infinity` means without limit.
   *
   * @default {1_048_576} enough for messages. What is larger should be sent in parts, because a frame
   * is held in memory whole
   */
  maxLength?: number | undefined;
  /**
   * What to do when a frame exceeds `maxLength`: throw a `FrameError` with code `too_long`, or drop
   * the frame, report it to `onDiscard` and resume after it. A length beyond 2^53 - 1 is thrown in
   * both cases, because nothing comes after such a frame.
   *
   * @default {"error"}
   */
  onTooLong?: "error" | "discard" | undefined;
  /**
   * Receives the error of each frame that was dropped instead of thrown, once, as soon as it is
   * known. It has no stack, because peers can cause it by the thousand.
   *
   * @default {undefined} dropped without a report
   */
  onDiscard?: ((error: FrameError) => void) | undefined;
}

/** What a codec does about frames whose contents are broken while the next frame can be found. */
export interface CorruptOptions {
  /**
   * What to do with such a frame: throw a `FrameError`, or drop the frame, report it to `onDiscard`
   * and resume after it.
   *
   * @default {"error"}
   */
  onCorrupt?: "error" | "discard" | undefined;
  /**
   * Receives the error of each frame that was dropped instead of thrown, once.
   *
   * @default {undefined} dropped without a report
   */
  onDiscard?: ((error: FrameError) => void) | undefined;
}

/** What a codec of packets does about those that are too long or broken. */
export interface PacketOptions extends LimitOptions, CorruptOptions {
  /**
   * Receives the error of each packet that was dropped instead of thrown, once: because it was too
   * long (`onTooLong`) or broken (`onCorrupt`).
   *
   * @default {undefined} dropped without a report
   */
  onDiscard?: ((error: FrameError) => void) | undefined;
}
