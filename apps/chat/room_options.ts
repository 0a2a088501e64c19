/** The options of a room: names, defaults and reasons. @module */
import { checkCount, checkOptions, namesOf, type OptionNames } from "../../common/options.ts";

/** How many people, how many lines, how long. */
export interface ChatRoomLimits {
  /**
   * The last lines said, which newcomers are shown.
   *
   * @default {50} about one screen
   */
  maxHistory?: number | undefined;
  /**
   * Bytes of these lines, as newcomers get them. The oldest are forgotten first.
   *
   * @default {65_536} a quarter of what may wait for one person
   */
  maxHistoryBytes?: number | undefined;
  /**
   * People with a name at one time.
   *
   * @default {1_000} because a line goes out once for each of them
   */
  maxMembers?: number | undefined;
  /**
   * People with a name from one address at one time: an IPv4 address, or a /64 network of IPv6. It must
   * be higher where many come from one address, as from a proxy, and raises the limits of joins with it.
   *
   * @default {50} because an office or a class shares an address, and twenty such fill a room
   */
  maxMembersPerAddress?: number | undefined;
  /**
   * Joins a second from one address for long.
   *
   * @default {1} or a fiftieth of `maxMembersPerAddress`, if that is more: each join is announced to all
   */
  maxJoinsPerSecond?: number | undefined;
  /**
   * Joins from one address at once.
   *
   * @default {50} or `maxMembersPerAddress`, if that is more: all of them, after the network was away
   */
  maxJoinsAtOnce?: number | undefined;
  /**
   * Joins and leaves a second that are announced one by one; those beyond are summed up in one line.
   *
   * @default {10} because more cannot be read
   */
  maxNoticesPerSecond?: number | undefined;
  /**
   * Joins and leaves at once that are announced one by one.
   *
   * @default {50} about one screen
   */
  maxNoticesAtOnce?: number | undefined;
  /**
   * The longest line in bytes, its end not counted, as it is sent on: control characters count in the
   * form in which they are shown. A longer one is refused, not cut.
   *
   * @default {4_096} what terminals let people type into one
   */
  maxLineLength?: number | undefined;
  /**
   * The longest name, in characters.
   *
   * @default {32} because it stands in front of messages
   */
  maxNameLength?: number | undefined;
  /**
   * Names that one person may try.
   *
   * @default {10}
   */
  maxNameAttempts?: number | undefined;
  /**
   * Lines a second that one person may say for long.
   *
   * @default {10} because more cannot be read
   */
  maxLinesPerSecond?: number | undefined;
  /**
   * Lines that one person may say at once, after a silence.
   *
   * @default {50} a paragraph that was pasted
   */
  maxLinesAtOnce?: number | undefined;
}

/** The options of a room. */
export interface ChatRoomOptions {
  /** How many people, how many lines, how long; `Infinity` for no limit. */
  limits?: ChatRoomLimits | undefined;
  /**
   * The time in milliseconds, from any beginning; for tests.
   *
   * @default {() => performance.now()}
   */
  now?: (() => number) | undefined;
}

/** What a room and its sessions go by: the limits with their defaults, and the clock. */
export interface RoomSettings extends Readonly<Record<keyof ChatRoomLimits, number>> {
  readonly now: () => number;
}

const DEFAULTS: Record<keyof ChatRoomLimits, number> = {
  maxHistory: 50,
  maxHistoryBytes: 65_536,
  maxMembers: 1_000,
  maxMembersPerAddress: 50,
  maxJoinsPerSecond: 1,
  maxJoinsAtOnce: 50,
  maxNoticesPerSecond: 10,
  maxNoticesAtOnce: 50,
  maxLineLength: 4_096,
  maxNameLength: 32,
  maxNameAttempts: 10,
  maxLinesPerSecond: 10,
  maxLinesAtOnce: 50,
};
const LIMITS = Object.keys(DEFAULTS) as (keyof ChatRoomLimits)[];
const NAMES: OptionNames<ChatRoomOptions> = {
  limits: namesOf(...LIMITS),
  now: true,
};

/** Checks every value and fills in the defaults. */
export function resolveRoomOptions(options: ChatRoomOptions): RoomSettings {
  checkOptions("ChatRoom", options, NAMES);
  const { limits = {}, now = () => performance.now() } = options;
  const perAddress = limits.maxMembersPerAddress ?? DEFAULTS.maxMembersPerAddress;
  const raised = Math.max(1, perAddress / DEFAULTS.maxMembersPerAddress);
  const resolved = {
    ...DEFAULTS,
    maxJoinsPerSecond: raised * DEFAULTS.maxJoinsPerSecond,
    maxJoinsAtOnce: Math.ceil(raised * DEFAULTS.maxJoinsAtOnce),
  };
  for (const name of LIMITS) resolved[name] = checkLimit(name, limits[name] ?? resolved[name]);
  return { ...resolved, now };
}

function checkLimit(name: keyof ChatRoomLimits, value: number): number {
  const path = `limits.${name}`;
  if (!name.endsWith("PerSecond")) return checkCount(path, value, name.includes("History") ? 0 : 1);
  if (value > 0) return value;
  throw new RangeError(
    `Cannot use option "${path}" as a number above 0: current value is ${value}`,
  );
}
