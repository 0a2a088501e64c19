/**
 * Random testers: the same test with one seed after the other, for seconds in `deno task test` and for
 * minutes in `deno task soak`.
 *
 * - `TINCAN_SOAK=MINUTES` sets how long each tester runs: 3 in `deno task soak` unless it is set.
 * - `TINCAN_SEED=SEED` runs each tester once with this seed: a failure names the command that repeats it.
 *
 * Without either, the seeds begin at 1, so that `deno task test` does the same each time; in a soak
 * they begin somewhere else each time. The task runs the tests in `tests/soak/` and those in files named
 * `random_test.ts` or `…_random_test.ts`.
 */
import { random } from "./random.ts";

/** How long each tester runs, in minutes; 0 in `deno task test`. */
export const soakMinutes: number = numberOf("TINCAN_SOAK") ??
  (Deno.args.includes("--soak") ? 3 : 0);

/** Whether this is `deno task soak`. */
export const isSoak = soakMinutes > 0;

const onlySeed = numberOf("TINCAN_SEED");

/** What a round of a random tester gets. */
export interface Round {
  /** What the chance was made from. */
  readonly seed: number;
  /** Numbers from 0 to below 1, the same for the same seed. */
  readonly chance: () => number;
}

/** How a random tester runs. */
export interface RandomTestOptions {
  /**
   * How long it runs in `deno task test`, in seconds.
   *
   * @default {1.5}
   */
  seconds?: number;
  /**
   * The part of `TINCAN_SOAK` for which it runs in a soak.
   *
   * @default {1}
   */
  share?: number;
  /**
   * How long one round may take, in seconds: one that takes longer has hung.
   *
   * @default {60}
   */
  roundSeconds?: number;
  /**
   * Whether it is left out.
   *
   * @default {false}
   */
  ignore?: boolean;
}

/**
 * Registers a test that runs `round` with one seed after the other until its time is over. It fails with
 * the first round that throws, hangs, or leaves a rejection that no one handles, and names its seed.
 */
export function randomTest(
  name: string,
  round: (round: Round) => void | Promise<void>,
  options: RandomTestOptions = {},
): void {
  const { seconds = 1.5, share = 1, roundSeconds = 60, ignore = false } = options;
  const milliseconds = isSoak ? soakMinutes * 60_000 * share : seconds * 1000;
  const timeout = milliseconds + roundSeconds * 1000 + 30_000;
  Deno.test({ name, ignore, timeout, fn: () => runRounds(round, milliseconds, roundSeconds) });
}

async function runRounds(
  round: (round: Round) => void | Promise<void>,
  milliseconds: number,
  roundSeconds: number,
): Promise<void> {
  const first = onlySeed ?? (isSoak ? Date.now() % 2 ** 31 : 1);
  const until = performance.now() + milliseconds;
  using rejections = new UnhandledRejections();
  let seed = first;
  do {
    try {
      await bounded(round({ seed, chance: random(seed) }), roundSeconds);
      await rejections.check();
    } catch (error) {
      throw new Error(`seed ${seed} failed; TINCAN_SEED=${seed} repeats it`, { cause: error });
    }
    seed++;
  } while (onlySeed === undefined && performance.now() < until);
  if (isSoak) console.log(`${seed - first} rounds, from seed ${first}`);
}

/** Collects the rejections that no one handles, instead of letting them end the process. */
export class UnhandledRejections implements Disposable {
  readonly #reasons: unknown[] = [];

  constructor() {
    globalThis.addEventListener("unhandledrejection", this.#collect);
  }

  /** Throws if there was one, after everything that is ready now has run. */
  async check(): Promise<void> {
    // The event of a rejection comes after the microtasks that follow it.
    await new Promise((resolve) => setTimeout(resolve, 0));
    const [reason] = this.#reasons;
    if (this.#reasons.length > 0) {
      throw new Error("a rejection was not handled: it would have ended the process", {
        cause: reason,
      });
    }
  }

  [Symbol.dispose](): void {
    globalThis.removeEventListener("unhandledrejection", this.#collect);
  }

  readonly #collect = (event: PromiseRejectionEvent): void => {
    event.preventDefault();
    this.#reasons.push(event.reason);
  };
}

async function bounded(running: void | Promise<void>, seconds: number): Promise<void> {
  const hung = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => hung.reject(new Error(`the round was not over after ${seconds} s`)),
    seconds * 1000,
  );
  try {
    await Promise.race([running, hung.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function numberOf(variable: string): number | undefined {
  const value = Deno.env.get(variable);
  if (value === undefined || value === "") return undefined;
  const number = Number(value);
  if (!(number >= 0)) {
    throw new RangeError(`${variable} is not a number: current value is ${value}`);
  }
  return number;
}
