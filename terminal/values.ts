/**
 * The values that options and arguments of programs take. Each reads its text, says what is wrong with
 * it, and knows what completes it.
 *
 * @module
 */
import type { Message } from "@optique/core/message";
import type { Suggestion } from "@optique/core/parser";
import type { ValueParser, ValueParserResult } from "@optique/core/valueparser";
import { nearest } from "./nearest.ts";

/** How one kind of value is read. */
export type Value<T> = ValueParser<"sync", T>;

/** A message of the program in the form that the parser takes. */
export function plain(text: string): Message {
  return [{ type: "text", text }];
}

/** What may complete a text. */
type Suggest = (prefix: string) => Iterable<Suggestion>;

/** A kind of value: what it has to be, how it is read (`undefined` if it is none), what completes it. */
function valueOf<T>(
  metavar: string,
  expected: string,
  read: (text: string) => T | undefined,
  suggest: Suggest = () => [],
): Value<T> {
  return {
    mode: "sync",
    metavar: metavar as Value<T>["metavar"],
    placeholder: undefined as T,
    parse(text): ValueParserResult<T> {
      const value = read(text);
      return value === undefined
        ? { success: false, error: plain(`must be ${expected}, current value is "${text}"`) }
        : { success: true, value };
    },
    format: String,
    suggest,
  };
}

/** Any text. */
export function text(metavar: string): Value<string> {
  return valueOf(metavar, "text", (text) => text);
}

/** The path of a file; shells complete it. */
export function file(metavar = "FILE"): Value<string> {
  return pathOf(metavar, "any");
}

/** The path of a folder; shells complete it. */
export function folder(metavar = "DIR"): Value<string> {
  return pathOf(metavar, "directory");
}

/** The name of a file at another place; it may be empty. Shells complete it as if it were here. */
export function name(): Value<string> {
  return valueOf("NAME", "a name", (text) => text, suggestPaths("any"));
}

function pathOf(metavar: string, type: PathType): Value<string> {
  const read = (text: string) => text || undefined;
  return valueOf(metavar, "the name of a file", read, suggestPaths(type));
}

type PathType = "any" | "directory";

function suggestPaths(type: PathType): Suggest {
  return (pattern) => [{ kind: "file", pattern, type, includeHidden: false }];
}

/** A time in seconds, such as `5`, `0.5` or `500ms`; its value is in milliseconds. */
export function seconds(): Value<number> {
  return valueOf("SECONDS", "seconds", (text) => {
    const [, digits, unit] = /^(\d*\.?\d+)(ms|s)?$/.exec(text) ?? [];
    const time = Number(digits) * (unit === "ms" ? 1 : 1_000);
    return time > 0 ? time : undefined;
  });
}

/** A whole number from `lowest`. */
export function count(lowest = 0, metavar = "N"): Value<number> {
  const expected = `a whole number from ${lowest}`;
  return valueOf(metavar, expected, (text) => wholeNumber(text, lowest));
}

/** A port. */
export function port(lowest: 0 | 1 = 0): Value<number> {
  const expected = `a whole number from ${lowest} to 65535`;
  return valueOf("NUMBER", expected, (text) => wholeNumber(text, lowest, 65_535));
}

function wholeNumber(text: string, lowest: number, highest = Number.MAX_SAFE_INTEGER) {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  return value >= lowest && value <= highest ? value : undefined;
}

/** A size in bytes, such as `500M`. */
export function size(): Value<number> {
  return valueOf("SIZE", "a size such as 500M", (text) => {
    const [, digits, unit = ""] = /^(\d{1,12})([KMGT]?)$/i.exec(text) ?? [];
    const power = " KMGT".indexOf(unit.toUpperCase() || " ");
    return digits === undefined ? undefined : Number(digits) * 1024 ** power;
  });
}

/** One of some words. Others are taken where `read` does. */
export function oneOf<T extends string>(
  words: readonly T[],
  metavar: string,
  read: (text: string) => T | undefined = (text) => words.find((word) => word === text),
): Value<T> {
  const expected = words.join(", ").replace(/, ([^,]*)$/, " or $1");
  return valueOf(metavar, expected, read, (prefix) =>
    words
      .filter((word) => word.startsWith(prefix))
      .map((text) => ({ kind: "literal", text })));
}

/** The command of a program that has several. */
export function commandWord<T extends string>(words: readonly T[]): Value<T> {
  return {
    ...oneOf(words, "COMMAND"),
    parse(text) {
      const value = words.find((word) => word === text);
      if (value !== undefined) return { success: true, value };
      const hint = nearest(text, words) || `: expected ${words.join(" or ")}`;
      const error = plain(`Unknown command "${text}"${hint}`);
      return { success: false, error };
    },
  };
}
