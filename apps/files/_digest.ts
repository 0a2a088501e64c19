/**
 * Checksums that are computed while the bytes pass, and those that were computed before.
 *
 * @module
 */
import { checkOneOf } from "../../common/options.ts";

/**
 * What proves that a file arrived as it was sent: `sha256` against everything, `crc32` against
 * accidents and twice as fast, `none` only by its length.
 */
export type FileChecksum = "sha256" | "crc32" | "none";

/** The names of all checksums. */
export const CHECKSUMS: readonly FileChecksum[] = ["sha256", "crc32", "none"];

/** What stands in the place of a checksum or a tag where there is none. */
export const NOTHING = "-";

/** A checksum that is being computed. */
export interface Digest {
  /** Takes the next bytes. */
  update(bytes: Uint8Array): void;
  /** The checksum of all bytes, in hexadecimal; {@linkcode NOTHING} if there is none. Once only. */
  result(): string;
}

/** Checks that a caller has named a checksum. */
export function checkChecksum(checksum: FileChecksum): FileChecksum {
  return checkOneOf("checksum", checksum, CHECKSUMS);
}

/** Begins a checksum. The modules are loaded when they are needed: each costs about 15 ms. */
export async function createDigest(checksum: FileChecksum): Promise<Digest> {
  switch (checksum) {
    case "sha256": {
      const { createHash } = await import("node:crypto");
      const hash = createHash("sha256");
      return { update: (bytes) => void hash.update(bytes), result: () => hash.digest("hex") };
    }
    case "crc32": {
      const { crc32 } = await import("node:zlib");
      let value = 0;
      return {
        update(bytes) {
          value = crc32(bytes, value);
        },
        result: () => value.toString(16).padStart(8, "0"),
      };
    }
    case "none":
      return { update() {}, result: () => NOTHING };
  }
}

/** How many checksums are remembered: about 200 bytes each. */
const MAX_REMEMBERED = 4_096;

/** A file that changed less than this ago may change again without its times changing: the runtime
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
