/**
 * Checksums that were computed already.
 *
 * @module
 */
import type { Checksum } from "./_digest.ts";

/** So many checksums are remembered: about 200 bytes each. */
const MAX_REMEMBERED = 4_096;

/** A file that was changed so short a time ago may change again without its time changing. */
const SETTLED_AFTER = 2_000;

/** What checksum which state of a file has; the ones not used for longest are forgotten first. */
export class DigestCache {
  readonly #known = new Map<string, string>();

  /** The checksum of that state, if it is known. */
  get(tag: string, checksum: Checksum): string | undefined {
    const key = `${checksum} ${tag}`;
    const result = this.#known.get(key);
    if (result === undefined) return undefined;
    this.#known.delete(key);
    this.#known.set(key, result);
    return result;
  }

  /** Remembers a checksum, unless the file is too young to be told from its next state. */
  set(file: { tag: string; modified: number }, checksum: Checksum, result: string): void {
    if (Date.now() - file.modified < SETTLED_AFTER) return;
    this.#known.set(`${checksum} ${file.tag}`, result);
    if (this.#known.size <= MAX_REMEMBERED) return;
    const oldest = this.#known.keys().next().value;
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}
