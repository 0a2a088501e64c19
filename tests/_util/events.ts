/** A queue between what happens and the test that waits for it. */
export class Events<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  /** Notes that something has happened. Bound, so that it can be passed as a hook. */
  readonly push = (item: T): void => {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(item);
    else this.#items.push(item);
  };

  /** What has happened and was not asked for yet. */
  get pending(): readonly T[] {
    return this.#items;
  }

  /** The next thing that happens, or has happened already. */
  next(): Promise<T> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift() as T);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Watches a promise without waiting for it: has it settled? */
export class Watched {
  settled = false;

  constructor(promise: Promise<unknown>) {
    const settle = () => {
      this.settled = true;
    };
    promise.then(settle, settle);
  }
}

/** The next turn of the event loop, after everything that is ready now. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Runs `body` with `console.error` collected instead of printed. */
export async function captureErrors(body: () => Promise<void>): Promise<unknown[][]> {
  const printed: unknown[][] = [];
  const original = console.error;
  console.error = (...args) => void printed.push(args);
  try {
    await body();
  } finally {
    console.error = original;
  }
  return printed;
}
