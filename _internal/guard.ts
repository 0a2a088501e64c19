/**
 * Checks on options, all with the same kind of message: the option's name, what it may be, and the
 * value that was given.
 *
 * @module
 */

/**
 * Checks a length of time in milliseconds: a number from 0; `Infinity` and 0 both mean "no limit".
 *
 * @throws {RangeError} If it is negative or not a number.
 */
export function checkTimeout(name: string, value: number): number {
  if (typeof value !== "number" || !(value >= 0)) {
    throw new RangeError(
      `Cannot use option "${name}": expected milliseconds from 0, current value is ${value}`,
    );
  }
  return value === 0 ? Infinity : value;
}

/**
 * Checks a count or a size: a whole number from `lowest`, or `Infinity` for "no limit".
 *
 * @throws {RangeError} If it is anything else.
 */
export function checkCount(name: string, value: number, lowest = 0): number {
  if (!(value === Infinity || (Number.isInteger(value) && value >= lowest))) {
    throw new RangeError(
      `Cannot use option "${name}": expected a whole number from ${lowest}, current value is ${value}`,
    );
  }
  return value;
}

/**
 * Checks that a value is one of a few.
 *
 * @throws {TypeError} If it is not.
 */
export function checkOneOf<T>(name: string, value: T, allowed: readonly T[]): T {
  if (!allowed.includes(value)) {
    const list = allowed.map((one) => JSON.stringify(one)).join(" or ");
    throw new TypeError(
      `Cannot use option "${name}": expected ${list}, current value is ${JSON.stringify(value)}`,
    );
  }
  return value;
}

/** The type of a value, for messages in which the value itself would say less. */
export function typeOf(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" ? tagOf(value) : typeof value;
}

/** Whether a value is bytes: a `Uint8Array`, also a subclass or one of another realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array ||
    (ArrayBuffer.isView(value) && tagOf(value) === "Uint8Array");
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}
