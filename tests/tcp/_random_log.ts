/** What happened in a round of a random tester, for the message of its failure. */
import { between } from "../_util/random.ts";

/** What our own signals abort with. */
export class GivenUp extends Error {}

/** Limits on a wait, chosen at random. */
export interface Limits {
  readonly name: string;
  readonly options: { timeout?: number; signal?: AbortSignal } | undefined;
  /** Ends what was started for it. */
  done(): void;
}

/** The calls of a round, the latest last. */
export class Log {
  readonly #calls: string[] = [];

  add(call: string): void {
    this.#calls.push(call);
  }

  /** Throws with the latest calls. */
  fail(message: string, cause?: unknown): never {
    const calls = this.#calls.slice(-24).join("\n    ");
    throw new Error(
      `${message}\n  ${this.#calls.length} calls, the latest last:\n    ${calls}`,
      { cause },
    );
  }
}

/** Chooses how long a call may wait: forever, a little, or until a signal that aborts now or soon. */
export function pickLimits(chance: () => number): Limits {
  const kind = between(chance, 0, 9);
  if (kind < 4) return { name: "", options: undefined, done() {} };
  if (kind < 6) {
    const timeout = [0, 0, 1, 1, 2, 4][between(chance, 0, 5)] as number;
    return { name: ` timeout ${timeout}`, options: { timeout }, done() {} };
  }
  const controller = new AbortController();
  const options = { signal: controller.signal };
  const abort = () => controller.abort(new GivenUp());
  if (kind === 6) {
    abort();
    return { name: " aborted", options, done() {} };
  }
  if (kind === 7) {
    const microtasks = between(chance, 1, 12);
    afterMicrotasks(microtasks, abort);
    return { name: ` aborts after ${microtasks} microtasks`, options, done() {} };
  }
  const timer = setTimeout(abort, between(chance, 0, 3));
  const timeout = kind === 9 ? { timeout: 50 } : {};
  return {
    name: " aborts soon",
    options: { ...options, ...timeout },
    done: () => clearTimeout(timer),
  };
}

/** Whether a call ended because its limits said so. */
export function isGivenUp(error: unknown, { options }: Limits): boolean {
  if (error instanceof GivenUp) return options?.signal?.aborted === true;
  return error instanceof Deno.errors.TimedOut && options?.timeout !== undefined;
}

/** Waits for nothing, a few microtasks, a turn or a few milliseconds. */
export function pause(chance: () => number): Promise<void> {
  const kind = between(chance, 0, 9);
  if (kind < 3) return Promise.resolve();
  if (kind < 6) return microtasks(between(chance, 1, 10));
  return new Promise((resolve) => setTimeout(resolve, kind < 9 ? 0 : between(chance, 1, 4)));
}

export async function microtasks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await null;
}

function afterMicrotasks(count: number, then: () => void): void {
  microtasks(count).then(then);
}
