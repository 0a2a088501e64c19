/** Integers of any size in either byte order. @module */

/** Writes `value` as `size` bytes from index `at` on. */
export function writeInteger(
  bytes: Uint8Array,
  at: number,
  { value, size, littleEndian }: { value: number; size: number; littleEndian: boolean },
): void {
  let rest = value;
  for (let i = 0; i < size; i++) {
    bytes[littleEndian ? at + i : at + size - 1 - i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

/** Reads `size` bytes, the highest first, from index `at` on. */
export function readBigEndian(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = at; i < at + size; i++) value = value * 256 + bytes[i]!;
  return value;
}

/** Reads `size` bytes, the lowest first, from index `at` on. */
export function readLittleEndian(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = at + size - 1; i >= at; i--) value = value * 256 + bytes[i]!;
  return value;
}
