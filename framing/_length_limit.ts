/** What all codecs do about frames that are too long. @module */
import { FrameError } from "../errors.ts";
import type { Cursor } from "./_cursor.ts";
import { discardReport, type Report, wholeNumber } from "./_options.ts";
import type { LimitOptions } from "./limits.ts";

/** A limit with its policy. */
export class LengthLimit {
  /** The longest permitted frame, in bytes. */
  readonly maxLength: number;
  /** Whether frames that are too long are dropped. */
  readonly discards: boolean;
  readonly #report: Report | undefined;

  /**
   * @param options Where `maxLength`, `onTooLong` and `onDiscard` come from.
   * @param defaultLength The limit if there is no `maxLength`.
   */
  constructor(options: LimitOptions, defaultLength: number) {
    this.maxLength = wholeNumber("maxLength", options.maxLength ?? defaultLength, { min: 1 });
    this.#report = discardReport("onTooLong", options.onTooLong, options.onDiscard);
    this.discards = this.#report !== undefined;
  }

  /**
   * The error for a frame at `cursor.start` whose length is known (`length`), or known to exceed the
   * limit. Says what `hint` says besides.
   */
  error(cursor: Cursor, { length, hint = "" }: { length?: number; hint?: string }): FrameError {
    const what = length === undefined ? "a longer frame" : `a frame of ${length} bytes`;
    return new FrameError(
      "too_long",
      `Cannot read ${what}: the limit is ${this.maxLength} bytes${hint}`,
      // Where the end was not looked for, the least the length can be, whatever the chunks were.
      { length: length ?? this.maxLength + 1, limit: this.maxLength, offset: cursor.position },
    );
  }

  /** Reports a dropped frame. Only for a limit that discards. */
  report(error: FrameError): void {
    this.#report?.(error);
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
