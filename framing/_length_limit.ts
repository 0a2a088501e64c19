/** What all codecs do about frames that are too long. @module */
import { FrameError } from "../errors.ts";
import type { Cursor } from "./_cursor.ts";
import { DropPolicy } from "./_drop_policy.ts";
import { frameError, type MakeFrameError } from "./_frame_error.ts";
import { checkCount } from "../common/options.ts";
import type { LimitOptions } from "./limits.ts";

/** A limit with its policy. */
export class LengthLimit {
  /** The longest permitted frame, in bytes. */
  readonly maxLength: number;
  /** What becomes of frames that are too long. */
  readonly policy: DropPolicy;

  /**
   * @param options Where `maxLength`, `onTooLong` and `onDiscard` come from.
   * @param defaultLength The limit if there is no `maxLength`.
   */
  constructor(options: LimitOptions, defaultLength: number) {
    this.maxLength = checkCount("maxLength", options.maxLength ?? defaultLength, 1);
    this.policy = new DropPolicy("onTooLong", {
      choice: options.onTooLong,
      onDiscard: options.onDiscard,
    });
  }

  /**
   * The error for a frame at `cursor.start` whose length is known (`length`), or known to exceed the
   * limit. Says what `hint` says besides.
   */
  error(
    cursor: Cursor,
    { length, hint = "", make = frameError }: {
      length?: number;
      hint?: string;
      make?: MakeFrameError;
    },
  ): FrameError {
    const what = length === undefined ? "a longer frame" : `a frame of ${length} bytes`;
    return make(
      "too_long",
      `Cannot read ${what}: the limit is ${this.maxLength} bytes${hint}`,
      // Where the end was not looked for, the least the length can be, whatever the chunks were.
      { length: length ?? this.maxLength + 1, limit: this.maxLength, offset: cursor.position },
    );
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
