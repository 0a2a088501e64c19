/** The options of a room: names, defaults and reasons. @module */
import { checkCount } from "../../_internal/guard.ts";
import { DEFAULT_MAX_NAME_LENGTH } from "./names.ts";

/** People in a room at one time, unless said otherwise: a line goes out once for each of them. */
export const DEFAULT_MAX_MEMBERS = 1_000;

/** Lines that newcomers are shown, unless said otherwise: about one screen. */
export const DEFAULT_CHAT_HISTORY = 50;

/** Bytes in a line, unless said otherwise: what terminals let people type into one. */
export const DEFAULT_MAX_CHAT_LINE_LENGTH = 4_096;

/** Names that somebody may try before they are shown the door, unless said otherwise. */
export const DEFAULT_MAX_NAME_ATTEMPTS = 10;

/** Lines a second that one person may say for long, unless said otherwise: more cannot be read. */
export const DEFAULT_MAX_LINES_PER_SECOND = 10;

/** Lines that one person may say at once, unless said otherwise: a paragraph that was pasted. */
export const DEFAULT_MAX_LINES_AT_ONCE = 50;

/** The limits of a room. */
export interface ChatRoomOptions {
  /**
   * The last lines said, which newcomers are shown.
   *
   * @default {50}
   */
  history?: number;
  /**
   * People with a name at one time.
   *
   * @default {1_000}
   */
  maxMembers?: number;
  /**
   * The longest line in bytes, its end not counted. A longer one is refused, not cut.
   *
   * @default {4_096}
   */
  maxLineLength?: number;
  /**
   * The longest name, in characters.
   *
   * @default {32}
   */
  maxNameLength?: number;
  /**
   * Names that somebody may try.
   *
   * @default {10}
   */
  maxNameAttempts?: number;
  /**
   * Lines a second that one person may say for long; `Infinity` for no limit.
   *
   * @default {10}
   */
  maxLinesPerSecond?: number;
  /**
   * Lines that one person may say at once, after a silence.
   *
   * @default {50}
   */
  maxLinesAtOnce?: number;
  /**
   * The time in milliseconds, from any beginning; for tests.
   *
   * @default {performance.now}
   */
  now?: () => number;
}

/** Fills in the defaults and checks every value. */
export function resolveRoomOptions(options: ChatRoomOptions): Required<ChatRoomOptions> {
  const { maxLinesPerSecond = DEFAULT_MAX_LINES_PER_SECOND } = options;
  if (!(maxLinesPerSecond > 0)) {
    throw new RangeError(
      `Cannot use option "maxLinesPerSecond": expected a number above 0, current value is ${maxLinesPerSecond}`,
    );
  }
  return {
    history: checkCount("history", options.history ?? DEFAULT_CHAT_HISTORY),
    maxMembers: checkCount("maxMembers", options.maxMembers ?? DEFAULT_MAX_MEMBERS, 1),
    maxLineLength: checkCount(
      "maxLineLength",
      options.maxLineLength ?? DEFAULT_MAX_CHAT_LINE_LENGTH,
      1,
    ),
    maxNameLength: checkCount("maxNameLength", options.maxNameLength ?? DEFAULT_MAX_NAME_LENGTH, 1),
    maxNameAttempts: checkCount(
      "maxNameAttempts",
      options.maxNameAttempts ?? DEFAULT_MAX_NAME_ATTEMPTS,
      1,
    ),
    maxLinesPerSecond,
    maxLinesAtOnce: checkCount(
      "maxLinesAtOnce",
      options.maxLinesAtOnce ?? DEFAULT_MAX_LINES_AT_ONCE,
      1,
    ),
    now: options.now ?? (() => performance.now()),
  };
}
