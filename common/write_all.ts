/**
 * Writing all bytes: one write may take only a part of them.
 *
 * @module
 */

/** Writes all bytes. */
export async function writeAll(
  to: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(at === 0 ? bytes : bytes.subarray(at));
}

/** Writes all bytes, while this process does nothing else. */
export function writeAllSync(
  to: { writeSync(bytes: Uint8Array): number },
  bytes: Uint8Array,
): void {
  for (let at = 0; at < bytes.length;) at += to.writeSync(at === 0 ? bytes : bytes.subarray(at));
}
