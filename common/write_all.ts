/**
 * Writing all of some bytes: a single write of the system may take fewer.
 *
 * @module
 */

/** Writes all bytes. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await file.write(at === 0 ? bytes : bytes.subarray(at));
  }
}

/** Writes all bytes, while this process does nothing else. */
export function writeAllSync(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(at === 0 ? bytes : bytes.subarray(at));
}
