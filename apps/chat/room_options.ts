/** The options of a room: names, defaults and reasons. @module */
import { checkCount } from "../../common/options.ts";
import { DEFAULT_MAX_NAME_LENGTH } from "./names.ts";

/** People in a room at one time, unless specified: a line goes out once for each of them. */
export const DEFAULT_MAX_MEMBERS = 1_000;

/** Lines that newcomers are shown, unless specified: about one screen. */
export const DEFAULT_CHAT_HISTORY = 50;

/** Bytes in a line, unless specified: what terminals let people type into one. */
export const DEFAULT_MAX_CHAT_LINE_LENGTH = 4_096;

/** Names that somebody may try before they are shown the door, unless specified. */
export const DEFAULT_MAX_NAME_ATTEMPTS = 10;

/** Lines a second that one person may say for long, unless specified: more cannot be read. */
export const DEFAULT_MAX_LINES_PER_SECOND = 10;

/** Lines that one person may say at once, unless specified: a paragraph that was pasted. */
export const DEFAULT_MAX_LINES_AT_ONCE = 50;

/** Bytes of the history, unless specified: a quarter of what may wait for one person. */
export const DEFAULT_MAX_HISTORY_BYTES = 64 * 1_024;

/**
 * People from one address, unless specified: an office or a class shares one, and twenty such fill a
 * room.
 */
export const DEFAULT_MAX_MEMBERS_PER_ADDRESS = 50;

/** Joins a second from one address for long, unless specified: who comes and goes is told to all. */
export const DEFAULT_MAX_JOINS_PER_SECOND = 1;

/** Joins at once from one address, unless specified: all of them, after the network was away. */
export const DEFAULT_MAX_JOINS_AT_ONCE = 50;

/** Joins and leaves a second that are told one by one, unless specified: more cannot be read. */
export const DEFAULT_MAX_NOTICES_PER_SECOND = 10;

/** Joins and leaves at once that are told one by one, unless specified: about one screen. */
export const DEFAULT_MAX_NOTICES_AT_ONCE = 50;

/** The limits of a room. */
export interface ChatRoomOptions {
  /**
   * The last lines said, which newcomers are shown.
   *
   * @default {50}
   */
  history?: number;
  /**
   * Bytes of these lines, as newcomers get them. The oldest are forgotten first.
   *
   * @default {65_536}
   */
  maxHistoryBytes?: number;
  /**
   * People with a name at one time.
   *
   * @default {1_000}
   */
  maxMembers?: number;
  /**
   * People with a name from one address at one time: an IPv4 address, or a /64 network of IPv6. It must
   * be higher where many come from one address, as from a proxy, and raises the limits of joins with it;
   * `Infinity` for no limit.
   *
   * @default {50}
   */
  maxMembersPerAddress?: number;
  /**
   * Joins a second from one address for long; `Infinity` for no limit.
   *
   * @default {1} or a fiftieth of `maxMembersPerAddress`, if that is more
   */
  maxJoinsPerSecond?: number;
  /**
   * Joins from one address at once.
   *
   * @default {50} or `maxMembersPerAddress`, if that is more
   */
  maxJoinsAtOnce?: number;
  /**
   * Joins and leaves a second that are told to all one by one; those beyond are told in one line. `Infinity`
   * for no limit.
   *
   * @default {10}
   */
  maxNoticesPerSecond?: number;
  /**
   * Joins and leaves at once that are told one by one.
   *
   * @default {50}
   */
  maxNoticesAtOnce?: number;
  /**
   * The longest line in bytes, its end not counted, as it is sent on: what a terminal would obey counts
   * in the form in which it is shown. A longer one is refused, not cut.
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
  const { maxMembersPerAddress = DEFAULT_MAX_MEMBERS_PER_ADDRESS } = options;
  const raised = Math.max(1, maxMembersPerAddress / DEFAULT_MAX_MEMBERS_PER_ADDRESS);
  return {
    history: checkCount("history", options.history ?? DEFAULT_CHAT_HISTORY),
    maxHistoryBytes: checkCount(
      "maxHistoryBytes",
      options.maxHistoryBytes ?? DEFAULT_MAX_HISTORY_BYTES,
    ),
    maxMembersPerAddress: checkCount("maxMembersPerAddress", maxMembersPerAddress, 1),
    maxJoinsPerSecond: checkRate(
      "maxJoinsPerSecond",
      options.maxJoinsPerSecond ?? raised * DEFAULT_MAX_JOINS_PER_SECOND,
    ),
    maxJoinsAtOnce: checkCount(
      "maxJoinsAtOnce",
      options.maxJoinsAtOnce ?? Math.ceil(raised * DEFAULT_MAX_JOINS_AT_ONCE),
      1,
    ),
    maxNoticesPerSecond: checkRate(
      "maxNoticesPerSecond",
      options.maxNoticesPerSecond ?? DEFAULT_MAX_NOTICES_PER_SECOND,
    ),
    maxNoticesAtOnce: checkCount(
      "maxNoticesAtOnce",
      options.maxNoticesAtOnce ?? DEFAULT_MAX_NOTICES_AT_ONCE,
      1,
    ),
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
    maxLinesPerSecond: checkRate(
      "maxLinesPerSecond",
      options.maxLinesPerSecond ?? DEFAULT_MAX_LINES_PER_SECOND,
    ),
    maxLinesAtOnce: checkCount(
      "maxLinesAtOnce",
      options.maxLinesAtOnce ?? DEFAULT_MAX_LINES_AT_ONCE,
      1,
    ),
    now: options.now ?? (() => performance.now()),
  };
}

function checkRate(name: string, value: number): number {
  if (value > 0) return value;
  throw new RangeError(
    `Cannot use option "${name}": expected a number above 0, current value is ${value}`,
  );
}
