/**
 * A queue.
 *
 * @module
 */

/** So many places that are free again are worth moving the rest. */
const COMPACT_FROM = 1_024;

/** First in, first out. `shift()` of an array moves all its items once it is long. */
export class Fifo<T extends object> {
  #items: (T | undefined)[] = [];
  #first = 0; // the places before it are free again

  /** How many items it holds. */
  get size(): number {
    return this.#items.length - this.#first;
  }

  /** Adds an item at the end. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes the first item; `undefined` if there is none. */
  shift(): T | undefined {
    const item = this.#items[this.#first];
    if (item === undefined) return undefined;
    this.#items[this.#first++] = undefined;
    if (this.#first === this.#items.length) {
      this.#items.length = 0;
      this.#first = 0;
    } else if (this.#first >= COMPACT_FROM && this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }

  /** Takes all items. */
  takeAll(): T[] {
    const items = this.#items.slice(this.#first) as T[];
    this.#items = [];
    this.#first = 0;
    return items;
  }
}
