/**
 * One timer for all timeouts.
 *
 * A timer per read would cost more than the read. Instead everything that can time out registers
 * here once and is asked when its time has come; activity needs no clock at all, because each
 * entry that is asked compares its byte counters with those of the last time.
 *
 * Times are kept in a heap, so that a sweep costs what is due and not what is watched.
 *
 * @module
 */
import { spend } from "./turn_budget.ts";

/** Something with a deadline that moves. */
export interface Sweepable {
  /**
   * Acts on every deadline that has passed.
   *
   * @param now `performance.now()`, in milliseconds.
   * @returns When to be asked again, on the same clock; `Infinity` for "not until `watch` is called again".
   */
  sweep(now: number): number;
}

/** A clock with one kind of timer. */
export interface Clock {
  now(): number;
  /** Calls `act` in `ms` milliseconds, unless what it answers with is called before. */
  set(act: () => void, ms: number): () => void;
}

/** The shortest time between two sweeps, in milliseconds, so that a crowd of deadlines costs one
 * sweep: the most that an entry is asked late while the process has time. */
export const MIN_GAP = 5;
/** The longest time a timer can be set for (a signed 32-bit number of milliseconds). */
export const MAX_TIMER: number = 2 ** 31 - 1;

/** An entry and when it is to be asked. */
interface Node {
  readonly entry: Sweepable;
  at: number;
  index: number;
}

/** Asks its entries when their times have come. */
export class Sweeper {
  readonly #clock: Clock;
  readonly #nodes = new Map<Sweepable, Node>();
  readonly #heap: Node[] = []; // none is to be asked before its parent at half its index
  #cancel: (() => void) | undefined;
  #wakeAt = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Asks `entry` at `at` or a little later, unless it is asked before, and then at the times it returns. */
  readonly watch = (entry: Sweepable, at: number): void => {
    const node = this.#nodes.get(entry);
    if (node === undefined) {
      const added = { entry, at, index: this.#heap.length };
      this.#nodes.set(entry, added);
      this.#heap.push(added);
      this.#rise(added);
    } else if (at < node.at) {
      node.at = at;
      this.#rise(node);
    }
    if (at < this.#wakeAt) this.#arm(at, this.#clock.now());
  };

  /** Forgets `entry`. With the last one gone, no timer is left. */
  readonly unwatch = (entry: Sweepable): void => {
    const node = this.#nodes.get(entry);
    if (node === undefined) return;
    this.#nodes.delete(entry);
    const last = this.#heap.pop() as Node;
    if (last !== node) {
      this.#place(last, node.index);
      this.#rise(last);
      this.#sink(last);
    }
    if (this.#nodes.size === 0) this.#disarm();
  };

  #arm(at: number, now: number): void {
    this.#disarm();
    this.#wakeAt = at;
    const ms = Math.min(Math.max(Math.ceil(at - now), 0), MAX_TIMER);
    this.#cancel = this.#clock.set(() => this.#run(), ms);
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#wakeAt = Infinity;
  }

  #run(): void {
    this.#disarm();
    const now = this.#clock.now();
    let isOver = false; // the turn: when thousands expire together, others get a turn in between
    try {
      for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
        if (first.at > now || isOver) break;
        this.#ask(first, now);
        isOver = spend();
      }
    } finally {
      const next = this.#heap[0]?.at ?? Infinity;
      if (next < Infinity) this.#arm(isOver ? now : Math.max(next, now + MIN_GAP), now);
    }
  }

  #ask(node: Node, now: number): void {
    const { entry } = node;
    node.at = Infinity; // until it has returned a time; it may call watch() or unwatch() meanwhile
    this.#sink(node);
    const at = entry.sweep(now);
    if (this.#nodes.get(entry) !== node) return;
    node.at = Math.min(node.at, at > now ? at : now + MIN_GAP);
    this.#rise(node);
  }

  #place(node: Node, index: number): void {
    node.index = index;
    this.#heap[index] = node;
  }

  #rise(node: Node): void {
    while (node.index > 0) {
      const parent = this.#heap[(node.index - 1) >> 1] as Node;
      if (parent.at <= node.at) return;
      this.#swap(node, parent);
    }
  }

  #sink(node: Node): void {
    while (true) {
      const left = this.#heap[2 * node.index + 1];
      const right = this.#heap[2 * node.index + 2];
      const earlier = right !== undefined && left !== undefined && right.at < left.at
        ? right
        : left;
      if (earlier === undefined || earlier.at >= node.at) return;
      this.#swap(node, earlier);
    }
  }

  #swap(one: Node, other: Node): void {
    const { index } = one;
    this.#place(one, other.index);
    this.#place(other, index);
  }
}

/** The timeouts of this program; the times are those of `performance.now()`. */
export const { watch, unwatch } = new Sweeper({
  now: () => performance.now(),
  set(act, ms) {
    const timer = setTimeout(act, ms);
    Deno.unrefTimer(timer); // an operation that waits for it keeps the process alive
    return () => clearTimeout(timer);
  },
});
