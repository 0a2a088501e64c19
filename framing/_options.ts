/** Checks of option values, whose errors name the option and show the value. @module */

/** A value as it is shown in an error message. */
export function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/**
 * Returns `value` if it is a whole number from `min` to `max`.
 *
 * @throws {TypeError} When it is no number.
 * @throws {RangeError} When it is another number.
 */
export function wholeNumber(
  name: string,
  value: unknown,
  { min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number },
): number {
  const message = `Cannot use ${name} as a whole number from ${min} to ${max}: current value is ${
    show(value)
  }`;
  if (typeof value !== "number") throw new TypeError(message);
  if (!(Number.isInteger(value) && value >= min && value <= max)) throw new RangeError(message);
  return value;
}

/**
 * Returns `value` if it is one of `choices`.
 *
 * @throws {TypeError} When it is anything else.
 */
export function oneOf<T>(name: string, value: unknown, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) {
    throw new TypeError(
      `Cannot use ${name} as one of ${choices.map(show).join(", ")}: current value is ${
        show(value)
      }`,
    );
  }
  return found;
}
