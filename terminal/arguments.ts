/**
 * The arguments of a program, described once: parsed, explained in the help and completed by shells from
 * this description. The parsing is Optique's.
 *
 * @module
 */
import { group, object } from "@optique/core/constructs";
import { formatMessage } from "@optique/core/message";
import { map, multiple, withDefault } from "@optique/core/modifiers";
import { type InferValue, type Parser, parseSync } from "@optique/core/parser";
import { argument, flag, option } from "@optique/core/primitives";
import { extractOptionNames, type OptionName, type Usage } from "@optique/core/usage";
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage_error.ts";
import { commandWord, plain, type Value } from "./values.ts";

export { UsageError } from "./usage_error.ts";

/** One argument or option. */
export type Field<T> = Parser<"sync", T, unknown>;
/** The arguments and options of a program by the names of their values. */
export type Fields = Readonly<Record<string, Field<unknown>>>;
/** The values of fields. */
export type Values<F extends Fields> = { readonly [K in keyof F]: InferValue<F[K]> };

/**
 * The error of an option for an argument that is another one. It is never shown; without it Optique would
 * look for similar options, once for each option and argument.
 */
const NO_MATCH = plain("");

/**
 * An option with a value. If it is given several times, the last one counts.
 *
 * @param names How it is called: `-o, --output`.
 * @param value What stands after it.
 * @param summary What it does.
 */
export function setting<T>(names: string, value: Value<T>, summary: string): Field<T | undefined> {
  return map(settings(names, value, summary), (values) => values.at(-1));
}

/** An option with a value that may be given several times. */
export function settings<T>(names: string, value: Value<T>, summary: string): Field<readonly T[]> {
  const spelled = spellings(names);
  const called = spelled.find((name) => name.startsWith("--")) ?? names;
  return multiple(option(...spelled, value, {
    description: plain(summary),
    errors: {
      noMatch: NO_MATCH,
      invalidValue: (error) => plain(`Option ${called} ${formatMessage(error)}`),
    },
  }));
}

/** An option without a value. */
export function toggle(names: string, summary: string): Field<boolean> {
  const description = plain(summary);
  const given = multiple(flag(...spellings(names), { description, errors: { noMatch: NO_MATCH } }));
  return map(given, (times) => times.length > 0);
}

/** Arguments that are no options. */
export function operands<T>(value: Value<T>, summary: string, max = Infinity): Field<readonly T[]> {
  const described = argument(value, {
    description: plain(summary),
    errors: { invalidValue: (error) => plain(`${value.metavar} ${formatMessage(error)}`) },
  });
  return multiple(described, { max });
}

/** One argument that is no option. */
export function operand<T>(value: Value<T>, summary: string): Field<T | undefined> {
  return map(operands(value, summary, 1), ([first]) => first);
}

/**
 * The command of a program that has several.
 *
 * @param words The commands; the first one is meant if none is given.
 * @param summary What they are.
 */
export function commands<const W extends readonly [string, ...string[]]>(
  words: W,
  summary: string,
): Field<W[number]> {
  const described = argument(commandWord<W[number]>(words), {
    description: plain(summary),
    errors: { invalidValue: (error) => error },
  });
  return withDefault(described, words[0]);
}

/** Fields under one heading of the help. */
export function section<F extends Fields>(heading: string, fields: F): F {
  const grouped = Object.entries(fields).map(([name, field]) => [name, group(heading, field)]);
  return Object.fromEntries(grouped) as F;
}

/** Makes the parser of a program; `hints` say what to do without the options of other programs. */
export function parserOf<F extends Fields>(
  fields: F,
  hints: Readonly<Record<string, string>> = {},
): Field<Values<F>> {
  const parser: Field<unknown> = object(fields as Fields, {
    errors: { unexpectedInput: (word) => plain(unexpected(word, parser.usage, hints)) },
  });
  return parser as Field<Values<F>>;
}

function unexpected(word: string, usage: Usage, hints: Readonly<Record<string, string>>): string {
  if (!/^-./.test(word)) return `Unexpected argument "${word}"`;
  const [name = ""] = word.split("=");
  const bare = name.replace(/^-+/, "");
  if (Object.hasOwn(hints, bare)) return `Unknown option ${name}, ${hints[bare]}`;
  const long = [...extractOptionNames(usage)].filter((name) => name.startsWith("--"));
  return `Unknown option ${name}${nearest(bare, long.map((name) => name.slice(2)), "--")}`;
}

/**
 * Parses arguments.
 *
 * @throws {UsageError} If they are wrong.
 */
export function parseArguments<T>(parser: Field<T>, args: readonly string[]): T {
  const result = parseSync(parser, separated(args, optionsOf(parser.usage)));
  if (result.success) return result.value;
  throw new UsageError(formatMessage(result.error, { quotes: false }));
}

/**
 * Separates short options from each other and from their values: `-ofile`, `-o=file` and `-vofile`.
 *
 * @throws {UsageError} If an option has no value: none, or another option.
 */
function separated(args: readonly string[], known: readonly KnownOption[]): string[] {
  const find = (name = "") => known.find(({ names }) => names.includes(name as OptionName));
  const result: string[] = [];
  const waiting = [...args];
  for (let arg = waiting.shift(); arg !== undefined; arg = waiting.shift()) {
    if (arg === "--") return [...result, arg, ...waiting];
    const [, short, rest = ""] = /^(-[^-])(.+)$/.exec(arg) ?? [];
    const option = find(short ?? arg);
    result.push(option === undefined ? arg : short ?? arg);
    if (option === undefined) continue;
    if (!option.takesValue) {
      if (short !== undefined) waiting.unshift(`-${rest}`);
      continue;
    }
    const value = short === undefined ? waiting.shift() : rest.replace(/^=/, "");
    if (value === undefined || (short === undefined && find(value) !== undefined)) {
      throw new UsageError(`Option ${arg} needs a value`);
    }
    result.push(value);
  }
  return result;
}

/** An option, as it stands in the usage of a parser. */
export interface KnownOption {
  readonly names: readonly OptionName[];
  readonly takesValue: boolean;
}

/** All options of a parser. */
export function optionsOf(usage: Usage): KnownOption[] {
  return usage.flatMap((term) => {
    if (term.type === "option") {
      return [{ names: term.names, takesValue: term.metavar !== undefined }];
    }
    return term.type === "optional" || term.type === "multiple" ? optionsOf(term.terms) : [];
  });
}

function spellings(names: string): [OptionName, ...OptionName[]] {
  return names.split(", ") as [OptionName, ...OptionName[]];
}
