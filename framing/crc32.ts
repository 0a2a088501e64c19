/** The cyclic redundancy check of zlib, Ethernet and PNG. @module */

const POLYNOMIAL = 0xedb88320;
const SLICES = 8;
const TABLES = makeTables();

/** Table `n` advances a byte over `n` further zero bytes, so that eight bytes go at once. */
function makeTables(): Int32Array {
  const tables = new Int32Array(256 * SLICES);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const previous = tables[at - 256]!;
    tables[at] = (previous >>> 8) ^ tables[previous & 0xff]!;
  }
  return tables;
}

/**
 * The CRC-32 of some bytes, as zlib, gzip, PNG and Ethernet have it.
 *
 * @param bytes What to check.
 * @param crc The result for the bytes before these, to continue from; 0 at the beginning.
 * @returns An unsigned 32-bit number.
 *
 * @example
 * ```ts
 * import { crc32 } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
 * ```
 */
export function crc32(bytes: Uint8Array, crc: number = 0): number {
  const tables = TABLES;
  const length = bytes.length;
  let value = ~crc;
  let at = 0;
  for (; at + SLICES <= length; at += SLICES) {
    value ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    value = tables[1792 + (value & 0xff)]! ^
      tables[1536 + ((value >>> 8) & 0xff)]! ^
      tables[1280 + ((value >>> 16) & 0xff)]! ^
      tables[1024 + (value >>> 24)]! ^
      tables[768 + bytes[at + 4]!]! ^
      tables[512 + bytes[at + 5]!]! ^
      tables[256 + bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!;
  }
  for (; at < length; at++) value = (value >>> 8) ^ tables[(value ^ bytes[at]!) & 0xff]!;
  return ~value >>> 0;
}
