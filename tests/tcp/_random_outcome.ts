/** What came of a call in a round of a random tester. */
import { LimitError } from "../../mod.ts";
import { isGivenUp, type Limits } from "./_random_log.ts";

/** A value, an error, or nothing because its limits said so. */
export type Outcome<T> = { value: T } | { error: unknown } | "gave up";

/** Waits for a call that has limits. */
export async function attempt<T>(call: Promise<T>, limits: Limits): Promise<Outcome<T>> {
  try {
    return { value: await call };
  } catch (error) {
    return isGivenUp(error, limits) ? "gave up" : { error };
  } finally {
    limits.done();
  }
}

export function valueOf<T>(outcome: { value: T } | { error: unknown }): T {
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

export function checkThrows(
  outcome: { value: unknown } | { error: unknown },
  isRight: (error: unknown) => boolean,
): void {
  if ("value" in outcome) throw new Error(`gave ${outcome.value}, expected an error`);
  if (!isRight(outcome.error)) throw outcome.error;
}

export function unexpectedEof(error: unknown): boolean {
  return error instanceof Deno.errors.UnexpectedEof;
}

export function tooLong(error: unknown): boolean {
  return error instanceof LimitError && error.code === "read_buffer";
}

export function isBusy(error: unknown): boolean {
  return error instanceof Deno.errors.Busy;
}
