/** What all codecs do about frames that are too long. @module */
import { FrameError } from "../errors.ts";
import type { Cursor } from "./_cursor.ts";
import { DropPolicy } from "./_drop_policy.ts";
import { frameError, type MakeFrameError } from "./_frame_error.ts";
import { checkCount, type OptionNames } from "../common/options.ts";
import type { LimitOptions } from "./limits.ts";

/** The options of {@linkcode LengthLimit}. */
export const LIMIT_NAMES: OptionNames<LimitOptions> = {
  maxLength: true,
  onDiscard: true,
  onTooLong: true,
};

/** A frame that is too long. */
export interface LongFrame {
  /** The index after it, or after as much of it as has come. */
  next: number;
  /** Whether what comes at `next` still belongs to it. */
  isOpen?: boolean | undefined;
  /** Its length, if that is known. */
  length?: number | undefined;
  /** Text for the end of the message. */
  hint?: (() => string) | undefined;
}

/** A limit with its policy. */
export class LengthLimit {
  /** The longest permitted frame, in bytes. */
  readonly maxLength: number;
  /** What becomes of frames that are too long. */
  readonly policy: DropPolicy;

  /** Without `maxLength`, a frame may have 1 MiB; without limit, what a number can count exactly. */
  constructor({ maxLength = 1_048_576, onTooLong = "error", onDiscard }: LimitOptions) {
    this.maxLength = Math.min(checkCount("maxLength", maxLength, 1), Number.MAX_SAFE_INTEGER);
    this.policy = new DropPolicy("onTooLong", onTooLong, onDiscard);
  }

  /**
   * Throws or drops the frame at the cursor, which is too long.
   *
   * @throws {FrameError} When such frames are not dropped, or nothing can come after this one.
   */
  refuse(cursor: Cursor, { next, isOpen = false, length, hint }: LongFrame): void {
    const what = length === undefined ? "a longer frame" : `a frame of ${length} bytes`;
    const error = (make: MakeFrameError): FrameError =>
      make(
        "too_long",
        `Cannot read ${what}: the limit is ${this.maxLength} bytes${hint?.() ?? ""}`,
        // Where the end is unknown, the least possible length, so that it does not depend on the chunks.
        { length: length ?? this.maxLength + 1, limit: this.maxLength, offset: cursor.position },
      );
    if (length !== undefined && length > Number.MAX_SAFE_INTEGER) cursor.fail(error(frameError));
    cursor.refuse(this.policy, { next, isOpen, error });
  }

  /**
   * Refuses to encode a message of `length` bytes that exceeds the limit.
   *
   * @throws {FrameError} With code `too_long`.
   */
  checkMessage(length: number): void {
    if (length > this.maxLength) {
      throw new FrameError(
        "too_long",
        `Cannot write a frame of ${length} bytes: the limit is ${this.maxLength} bytes`,
        { length, limit: this.maxLength },
      );
    }
  }
}
