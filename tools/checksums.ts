/**
 * The checksums beside the executables: one file for all of them, in the format of `sha256sum`, so
 * that `sha256sum --check SHA256SUMS` (on macOS `shasum -a 256 --check`) verifies what is there.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** The file with the checksums. */
export const CHECKSUM_FILE = "SHA256SUMS";

/** The SHA-256 of a file in hexadecimal; it reads 64 KiB at a time. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  const buffer = new Uint8Array(64 * 1024);
  for (let read = file.readSync(buffer); read !== null; read = file.readSync(buffer)) {
    hash.update(buffer.subarray(0, read));
  }
  return hash.digest("hex");
}

/**
 * Enters files of a folder into its checksums. The lines of other files stay while those files do.
 *
 * @param folder Where the files are.
 * @param names The files that are new or have changed.
 */
export async function updateChecksums(folder: string, names: readonly string[]): Promise<void> {
  const sums = await readChecksums(folder);
  for (const name of sums.keys()) {
    if (!await exists(`${folder}/${name}`)) sums.delete(name);
  }
  for (const name of names) sums.set(name, await sha256(`${folder}/${name}`));
  const lines = [...sums.keys()].sort().map((name) => `${sums.get(name)}  ${name}\n`);
  const unfinished = `${folder}/.${CHECKSUM_FILE}.tmp`;
  await Deno.writeTextFile(unfinished, lines.join(""));
  await Deno.rename(unfinished, `${folder}/${CHECKSUM_FILE}`);
}

/** The checksums of a folder by the names of the files; none if there is no such file yet. */
export async function readChecksums(folder: string): Promise<Map<string, string>> {
  const path = `${folder}/${CHECKSUM_FILE}`;
  const text = await exists(path) ? await Deno.readTextFile(path) : "";
  const sums = new Map<string, string>();
  for (const [, sum = "", name = ""] of text.matchAll(/^([\da-f]{64}) [ *](.+)$/gm)) {
    sums.set(name, sum);
  }
  return sums;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
