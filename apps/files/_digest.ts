/**
 * Checksums that are computed while the bytes pass.
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
