/**
 * Recognising answers that come late or twice.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { isSame } from "./_address.ts";
import { fingerprint } from "./_fingerprint.ts";

/** How long answers to a request that is over are recognised, in milliseconds. */
const LATE_WINDOW = 10_000;
/** How many of these requests are remembered. */
const MAX_REMEMBERED = 1_024;

/** Decides whether a datagram is the answer. */
export type Matcher = (data: Uint8Array, from: SocketAddress) => boolean;

/** A request that is over. */
interface Over {
  readonly match: Matcher | undefined;
  /** The only address from which late answers come. */
  readonly source: SocketAddress;
  /** The answer, `null` if there was none. */
  readonly answer: Uint8Array | null;
  /** How many more copies of that answer to expect: those that other tries brought, and one more. */
  copies: number;
  /** How many more other answers to expect: one for each try that was not answered. */
  others: number;
}

/** What is kept of it: not the answer, but its fingerprint. */
type Remembered = Omit<Over, "answer"> & { readonly print: number | null; readonly until: number };

/** The requests that were over not long ago. */
export class LateAnswers {
  #remembered: Remembered[] = []; // the oldest first

  /** When the next one is forgotten, on the clock of `performance.now()`; `Infinity` if there is none. */
  get nextAt(): number {
    return this.#remembered[0]?.until ?? Infinity;
  }

  /** Remembers a request for a while. */
  expect({ answer, ...request }: Over): void {
    if (this.#remembered.length >= MAX_REMEMBERED) this.#remembered.shift();
    const print = answer && fingerprint(answer);
    this.#remembered.push({ ...request, print, until: performance.now() + LATE_WINDOW });
  }

  /** Whether a datagram is a late answer; each is expected a certain number of times only. */
  recognise(data: Uint8Array, from: SocketAddress): boolean {
    if (this.#remembered.length === 0) return false;
    this.forget(performance.now());
    let print: number | undefined;
    for (const request of this.#remembered) {
      if (!isSame(request.source, from)) continue;
      if (request.copies > 0 && request.print === (print ??= fingerprint(data))) {
        request.copies--;
        return true;
      }
      if (request.others > 0 && couldMatch(request.match, data, from)) {
        request.others--;
        return true;
      }
    }
    return false;
  }

  /** Forgets those whose time is over. */
  forget(now: number): void {
    let over = 0;
    while (over < this.#remembered.length && this.#remembered[over]!.until <= now) over++;
    if (over > 0) this.#remembered.splice(0, over);
  }

  /** Forgets all of them. */
  clear(): void {
    this.#remembered = [];
  }
}

/**
 * Asks a matcher.
 *
 * @throws {TypeError} If it answers with a promise, and whatever it throws.
 */
export function isMatch(match: Matcher, data: Uint8Array, from: SocketAddress): boolean {
  const answer: unknown = match(data, from);
  if (!(answer instanceof Promise)) return Boolean(answer);
  answer.catch(() => {});
  throw new TypeError('Cannot use option "match": it must answer at once, not with a promise');
}

function couldMatch(match: Matcher | undefined, data: Uint8Array, from: SocketAddress): boolean {
  try {
    return match !== undefined && isMatch(match, data, from);
  } catch {
    return false;
  }
}
