/** The limits that codecs have unless told otherwise. @module */
import type { FrameError } from "../errors.ts";

/**
 * The longest line unless told otherwise, in bytes: 64 KiB. Lines are written by people and text
 * protocols, whose own limits are far lower (998 bytes in mail, 512 in IRC).
 */
export const DEFAULT_MAX_LINE_LENGTH: number = 64 * 1024;

/**
 * The longest frame of every other codec unless told otherwise, in bytes: 1 MiB. That is enough for
 * messages; what is larger should be sent in parts, because a frame is held in memory whole.
 */
export const DEFAULT_MAX_FRAME_LENGTH: number = 1024 * 1024;

/** What a codec does about frames that are too long. */
export interface LimitOptions {
  /**
   * The longest frame, in bytes, for decoding and for encoding. What surrounds the contents
   * (delimiters, headers, escapes) does not count.
   *
   * @default {1048576}
   */
  maxLength?: number | undefined;
  /**
   * What to do when a frame exceeds `maxLength`: throw a `FrameError` with code `too_long`, or drop
   * the frame, report it to `onDiscard` and go on behind it. A length beyond 2^53 - 1 is thrown in
   * both cases, because nothing comes behind such a frame.
   *
   * @default {"error"}
   */
  onTooLong?: "error" | "discard" | undefined;
  /**
   * Receives the error of each frame that was dropped instead of thrown, once, as soon as it is
   * known. It has no stack, because peers can cause it by the thousand.
   *
   * @default {() => {}}
   */
  onDiscard?: ((error: FrameError) => void) | undefined;
}

/** What a codec does about frames whose contents are broken while the next frame can be found. */
export interface CorruptOptions {
  /**
   * What to do with such a frame: throw a `FrameError`, or drop the frame, report it to `onDiscard`
   * and go on behind it.
   *
   * @default {"error"}
   */
  onCorrupt?: "error" | "discard" | undefined;
  /**
   * Receives the error of each frame that was dropped instead of thrown, once.
   *
   * @default {() => {}}
   */
  onDiscard?: ((error: FrameError) => void) | undefined;
}
