/** Finds the first of several delimiters in one pass, also across chunks. @module */

import { ByteFinder } from "./_byte_finder.ts";

const ALPHABET = 256;

/**
 * The automaton of Aho and Corasick. Its state says which part of which delimiter the bytes so far end
 * with, so a search resumes in the next chunk without looking back, and each byte costs one step,
 * however many delimiters there are.
 */
export class DelimiterAutomaton {
  /** The length of the longest delimiter. */
  readonly longest: number;
  /** The length of the delimiter that the last search found. */
  found = 0;
  /** The state in which the last search ended. */
  state = 0;
  /** The next state for each state and byte. */
  readonly #next: Uint32Array;
  /** For each state, the length of the longest delimiter that ends there, or 0. */
  readonly #ends: Uint32Array;
  /** For each state, how many bytes of a delimiter the input ends with. */
  readonly #depths: Uint32Array;
  /** The byte that all delimiters begin with, or -1 if they differ. */
  readonly first: number;

  constructor(delimiters: readonly Uint8Array[]) {
    const states = 1 + delimiters.reduce((sum, { length }) => sum + length, 0);
    this.#next = new Uint32Array(states * ALPHABET);
    this.#ends = new Uint32Array(states);
    this.#depths = new Uint32Array(states);
    this.#insert(delimiters);
    this.#link();
    this.longest = Math.max(...delimiters.map(({ length }) => length));
    const first = delimiters[0]![0]!;
    this.first = delimiters.every((delimiter) => delimiter[0] === first) ? first : -1;
    for (const delimiter of delimiters) this.#checkReachable(delimiter);
  }

  /**
   * Searches the bytes that are loaded in `finder` from index `from` on, in state `state`. Leaves the
   * end state in `state` and the length of what was found in `found`.
   *
   * @param finder A finder of the byte `first`, to skip to where a delimiter may begin.
   *
   * @returns The index after the delimiter, or -1.
   */
  find(finder: ByteFinder, from: number, state: number): number {
    const next = this.#next;
    const ends = this.#ends;
    const skips = this.first !== -1;
    const { bytes } = finder;
    const end = bytes.length;
    let at = from;
    let current = state;
    while (at < end) {
      if (current === 0 && skips) {
        at = finder.find(at);
        if (at === -1) break;
      }
      current = next[current * ALPHABET + bytes[at++]!]!;
      const found = ends[current]!;
      if (found > 0) {
        this.found = found;
        this.state = 0;
        return at;
      }
    }
    this.found = 0;
    this.state = current;
    return -1;
  }

  /** How many bytes of a delimiter the input ends with in state `state`. */
  depth(state: number): number {
    return this.#depths[state]!;
  }

  /** Builds the tree of all delimiters. State 0 is its root, and stands for "no branch" as well. */
  #insert(delimiters: readonly Uint8Array[]): void {
    let used = 1;
    for (const delimiter of delimiters) {
      let state = 0;
      for (const byte of delimiter) {
        const branch = state * ALPHABET + byte;
        if (this.#next[branch] === 0) {
          this.#depths[used] = this.#depths[state]! + 1;
          this.#next[branch] = used++;
        }
        state = this.#next[branch]!;
      }
      this.#ends[state] = delimiter.length;
    }
  }

  /** Fills in, breadth first, where the search resumes when no branch of the tree fits. */
  #link(): void {
    const fallback = new Uint32Array(this.#ends.length);
    const queue = [0];
    for (const state of queue) {
      for (let byte = 0; byte < ALPHABET; byte++) {
        const branch = state * ALPHABET + byte;
        const child = this.#next[branch]!;
        const other = state === 0 ? 0 : this.#next[fallback[state]! * ALPHABET + byte]!;
        if (child === 0) {
          this.#next[branch] = other;
        } else {
          fallback[child] = other;
          if (this.#ends[child] === 0) this.#ends[child] = this.#ends[other]!;
          queue.push(child);
        }
      }
    }
  }

  #checkReachable(delimiter: Uint8Array): void {
    const finder = new ByteFinder(this.first);
    finder.load(delimiter);
    if (this.find(finder, 0, 0) === delimiter.length) return;
    throw new RangeError(
      `Cannot use delimiter as one to be found, because another one ends inside it: current value is [${delimiter}]`,
    );
  }
}
