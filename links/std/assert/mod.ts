// The parts of @std/assert this repository uses, typed; the code is the standard library's own.
// deno-lint-ignore-file no-explicit-any
import * as lib from "npm:deno-std@1.4.0/assert/mod.js";

type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

interface AssertRejects {
  (fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
  <E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    ErrorClass: ErrorClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
}

interface AssertThrows {
  (fn: () => unknown, msg?: string): unknown;
  <E extends Error = Error>(
    fn: () => unknown,
    ErrorClass: ErrorClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
}

export const assert: (expr: unknown, msg?: string) => asserts expr = lib.assert;
export const assertFalse: (expr: unknown, msg?: string) => asserts expr is false = lib.assertFalse;
export const assertExists: <T>(actual: T, msg?: string) => asserts actual is NonNullable<T> =
  lib.assertExists;
export const assertInstanceOf: <T extends abstract new (...args: any[]) => any>(
  actual: unknown,
  expectedType: T,
  msg?: string,
) => asserts actual is InstanceType<T> = lib.assertInstanceOf;
export const assertEquals: <T>(actual: T, expected: T, msg?: string) => void = lib.assertEquals;
export const assertNotEquals: <T>(actual: T, expected: T, msg?: string) => void =
  lib.assertNotEquals;
export const assertStrictEquals: <T>(
  actual: unknown,
  expected: T,
  msg?: string,
) => asserts actual is T = lib.assertStrictEquals;
export const assertStringIncludes: (actual: string, expected: string, msg?: string) => void =
  lib.assertStringIncludes;
export const assertMatch: (actual: string, expected: RegExp, msg?: string) => void =
  lib.assertMatch;
export const assertNotMatch: (actual: string, expected: RegExp, msg?: string) => void =
  lib.assertNotMatch;
export const assertGreater: <T>(actual: T, expected: T, msg?: string) => void = lib.assertGreater;
export const assertGreaterOrEqual: <T>(actual: T, expected: T, msg?: string) => void =
  lib.assertGreaterOrEqual;
export const assertLess: <T>(actual: T, expected: T, msg?: string) => void = lib.assertLess;
export const assertLessOrEqual: <T>(actual: T, expected: T, msg?: string) => void =
  lib.assertLessOrEqual;
export const assertArrayIncludes: <T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  msg?: string,
) => void = lib.assertArrayIncludes;
export const assertRejects: AssertRejects = lib.assertRejects;
export const assertThrows: AssertThrows = lib.assertThrows;
export const fail: (msg?: string) => never = lib.fail;
