/**
 * Checksums that were computed already.
 *
 * @module
 */
import type { FileChecksum } from "./_digest.ts";

/** So many checksums are remembered: about 200 bytes each. */
const MAX_REMEMBERED = 4_096;

/** A file that was changed so short a time ago may change again without its times changing: the runtime
 * reports the time of the last change in whole seconds. In milliseconds. */
const SETTLED_AFTER = 2_000;

/** How long a checksum is remembered, in milliseconds. Where a file system keeps no times, it is computed
 * anew after that, so that a file that has changed can be downloaded again. */
const REMEMBERED_FOR = 10 * 60 * 1_000;

interface Known {
  result: string;
  computedAt: number;
}

/** What checksum which state of a file has; the ones not used for longest are forgotten first. */
export class DigestCache {
  readonly #known = new Map<string, Known>();

  /** The checksum of that state, if it is known. */
  get(tag: string, checksum: FileChecksum): string | undefined {
    const key = `${checksum} ${tag}`;
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    this.#known.delete(key);
    if (performance.now() - known.computedAt > REMEMBERED_FOR) return undefined;
    this.#known.set(key, known);
    return known.result;
  }

  /** Remembers a checksum, unless the next state of the file could look the same. */
  set(file: { tag: string; changed: number }, checksum: FileChecksum, result: string): void {
    if (Date.now() - file.changed < SETTLED_AFTER) return;
    this.#known.set(`${checksum} ${file.tag}`, { result, computedAt: performance.now() });
    if (this.#known.size <= MAX_REMEMBERED) return;
    const oldest = this.#known.keys().next().value;
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}
