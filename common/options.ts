/**
 * Checks on options. Every error names the option and shows the value.
 *
 * What cannot be an option is a `TypeError`: a name that does not exist, a value of another type, a word
 * that is none of the choices. A number outside its range is a `RangeError`.
 *
 * @module
 */
import { closest } from "./closest.ts";

/**
 * The names of options; those in groups, such as `limits`, by their group. Brackets around a group say
 * that a plain value may stand in its place, such as `retry: 3` for `retry: { attempts: 3 }`.
 */
export type OptionNames<T> = {
  readonly [Name in keyof Required<T>]: true | GroupNames<Extract<T[Name], object>>;
};

type GroupNames<T> = OptionNames<T> | readonly [OptionNames<T>];

/** What an option is called elsewhere: in Node, Python, or the next layer down. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  address: "hostname",
  host: "hostname",
  hostName: "hostname",
  ip: "hostname",
  socketPath: "path",
  timeOut: "timeout",
};

/** A table of names, for {@linkcode checkOptions}. */
export function namesOf<const Name extends string>(...names: Name[]): Readonly<Record<Name, true>> {
  return Object.fromEntries(names.map((name) => [name, true])) as Record<Name, true>;
}

/**
 * Checks the names of options.
 *
 * @param caller The function that takes them, for the message.
 * @param given What was passed; `undefined` passes.
 * @param names The options that there are.
 * @throws {TypeError} If `given` is not an object, or has an option that does not exist. The message
 * names the option that was probably meant.
 */
export function checkOptions<T>(caller: string, given: unknown, names: OptionNames<T>): void {
  checkNames(caller, "", given, names as Names, names as Names);
}

/** Names whose values are not typed any more. */
interface Names {
  readonly [name: string]: true | Names | readonly [Names];
}

/** The group that a name stands for; `undefined` if it stands for a plain option. */
function groupOf(inside: true | Names | readonly [Names]): Names | undefined {
  if (inside === true) return undefined;
  return isBracketed(inside) ? inside[0] : inside;
}

/** Whether a plain value may stand in the place of a group. */
function isBracketed(inside: true | Names | readonly [Names]): inside is readonly [Names] {
  return Array.isArray(inside);
}

function checkNames(
  caller: string,
  group: string,
  given: unknown,
  names: Names,
  all: Names,
): void {
  if (given === undefined) return;
  if (typeof given !== "object" || given === null) {
    const what = group === "" ? `the options of ${caller}` : `option "${group}"`;
    const order = typeof given === "function" ? "; options come before the handler" : "";
    throw new TypeError(`Cannot use ${what} as an object: current value is ${show(given)}${order}`);
  }
  for (const name of Object.keys(given)) {
    const inside = Object.hasOwn(names, name) ? names[name] : undefined;
    const path = group === "" ? name : `${group}.${name}`;
    if (inside === undefined) {
      const meant = nameMeant(name, group, all);
      throw new TypeError(
        `Cannot use option "${path}" of ${caller}: ` +
          (meant === undefined ? "there is no such option" : `did you mean "${meant}"?`),
      );
    }
    const value = (given as Record<string, unknown>)[name];
    const within = groupOf(inside);
    if (within === undefined || (isBracketed(inside) && typeof value !== "object")) continue;
    checkNames(caller, path, value, within, all);
  }
}

/** The option that was meant: the same name in another place, another word for it, or a similar one. */
function nameMeant(name: string, group: string, all: Names): string | undefined {
  const paths = pathsOf(all);
  const ends = paths.map((path) => path.slice(path.lastIndexOf(".") + 1));
  const byName = (wanted: string | undefined) =>
    paths.find((path) => path === `${group}.${wanted}`) ??
      paths.find((_, index) => ends[index] === wanted);
  return byName(name) ?? byName(OTHER_NAMES[name]) ?? byName(closest(name, ends));
}

function pathsOf(names: Names, group = ""): string[] {
  return Object.entries(names).flatMap(([name, inside]) => [
    group + name,
    ...pathsOf(groupOf(inside) ?? {}, `${group}${name}.`),
  ]);
}

/**
 * Checks that what cannot go together was not given together.
 *
 * @param given The options; one that is `undefined` or `false` was not given.
 * @param name The option that excludes others; if it is not given, nothing is checked.
 * @param others The options that it excludes.
 * @throws {TypeError} If one of them is given, too.
 */
export function checkExcluded<T extends object>(
  given: T,
  name: keyof T & string,
  others: readonly (keyof T & string)[],
): void {
  if (given[name] === undefined) return;
  for (const other of others) {
    if (given[other] === undefined || given[other] === false) continue;
    const value = show(given[other]);
    throw new TypeError(
      `Cannot use option "${other}" together with "${name}": current value is ${value}`,
    );
  }
}

/**
 * Checks that the last argument is a handler.
 *
 * @throws {TypeError} If it is not a function, or if options came after it.
 */
export function checkHandler(caller: string, handler: unknown): void {
  if (typeof handler === "function") return;
  const order = typeof handler === "object" && handler !== null
    ? "; the handler comes after the options"
    : "";
  throw new TypeError(
    `Cannot use the handler of ${caller} as a function: current value is ${show(handler)}${order}`,
  );
}

/** The arguments of a function that takes `(options, handler)` or a handler alone, checked. */
export function splitArguments<Options, Handler>(
  caller: string,
  names: OptionNames<Options>,
  ...[first, second]: unknown[]
): [options: Options, handler: Handler] {
  const isAlone = typeof first === "function" && second === undefined;
  const [options, handler] = isAlone ? [undefined, first] : [first, second];
  checkHandler(caller, handler);
  checkOptions(caller, options, names);
  return [(options ?? {}) as Options, handler as Handler];
}

/**
 * Checks a length of time in milliseconds: 0 is "now", `Infinity` is "without limit".
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is negative or not a number of milliseconds.
 */
export function checkTimeout(name: string, value: unknown): number {
  return checkRange(name, value, 0, Infinity, "milliseconds");
}

/**
 * Checks a number from `min` to `max`.
 *
 * @param what What it is, for the message.
 * @param isRight Whether it is that.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is another number.
 */
export function checkRange(
  name: string,
  value: unknown,
  min: number,
  max = Infinity,
  what = "a number",
  isRight?: (value: number) => boolean,
): number {
  const isInside = typeof value === "number" && value >= min && value <= max;
  if (isInside && (isRight?.(value) ?? true)) return value;
  const message = unfit(name, `${what} from ${min}${max === Infinity ? "" : ` to ${max}`}`, value);
  throw typeof value === "number" ? new RangeError(message) : new TypeError(message);
}

/**
 * Checks a count or a size: a whole number from `min` to `max`; without `max` also `Infinity`, "without
 * limit".
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is another number.
 */
export function checkCount(name: string, value: unknown, min = 0, max = Infinity): number {
  return checkRange(name, value, min, max, "a whole number", isWhole);
}

function isWhole(value: number): boolean {
  return value === Infinity || Number.isInteger(value);
}

/**
 * Checks that a value is one of a few.
 *
 * @throws {TypeError} If it is not.
 */
export function checkOneOf<T>(name: string, value: unknown, choices: readonly T[]): T {
  if (choices.some((choice) => choice === value)) return value as T;
  throw new TypeError(unfit(name, choices.map(show).join(" or "), value));
}

/** The message about a value that cannot be an option. */
export function unfit(name: string, as: string, value: unknown): string {
  return `Cannot use option "${name}" as ${as}: current value is ${show(value)}`;
}

/** A value as an error message shows it. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return `the function ${value.name || "without a name"}`;
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value) ? "an array" : "an object";
  }
  return String(value);
}
