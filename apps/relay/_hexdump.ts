/**
 * Bytes as people read them: offset, hexadecimal, text.
 *
 * @module
 */
import type { OutputBuffer } from "../../framing/mod.ts";

const PER_ROW = 16;
/** `  00000000  68 65 6c 6c 6f 20 77 6f  72 6c 64 0a              |hello world.|` and its newline. */
const ROW_SIZE = 2 + 8 + 2 + 3 * PER_ROW + 1 + 1 + 1 + PER_ROW + 1 + 1;
const HEX_AT = 12;
const TEXT_AT = HEX_AT + 3 * PER_ROW + 2;
const SPACE = 0x20;
const BAR = 0x7c;

const DIGITS = new TextEncoder().encode("0123456789abcdef");
const HIGH = Uint8Array.from({ length: 256 }, (_, byte) => DIGITS[byte >> 4] ?? 0);
const LOW = Uint8Array.from({ length: 256 }, (_, byte) => DIGITS[byte & 15] ?? 0);
/** The printable ASCII characters, and a full stop for all others. */
const SHOWN = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte >= 0x20 && byte < 0x7f ? byte : 0x2e,
);
/** Where the digits of the bytes stand in a row, with a wider gap in the middle. */
const COLUMN = Uint8Array.from(
  { length: PER_ROW },
  (_, index) => HEX_AT + 3 * index + (index >= PER_ROW / 2 ? 1 : 0),
);

const EMPTY_ROW = new Uint8Array(ROW_SIZE).fill(SPACE);

/** Appends the dump of some bytes, sixteen to a row. Offsets are those in the whole stream. */
export function appendHexdump(output: OutputBuffer, data: Uint8Array, offset: number): void {
  const rows = Math.ceil(data.length / PER_ROW);
  let row = output.reserve(rows * ROW_SIZE);
  const begin = row;
  const { bytes } = output;
  for (let at = 0; at < data.length; at += PER_ROW) {
    const count = Math.min(PER_ROW, data.length - at);
    bytes.set(EMPTY_ROW, row);
    let place = offset + at;
    for (let column = row + 9; column >= row + 2; column--) {
      bytes[column] = LOW[place & 15] as number;
      place = place < 0x8000_0000 ? place >>> 4 : Math.floor(place / 16);
    }
    let text = row + TEXT_AT;
    bytes[text++] = BAR;
    for (let index = 0; index < count; index++) {
      const byte = data[at + index] as number;
      const column = row + (COLUMN[index] as number);
      bytes[column] = HIGH[byte] as number;
      bytes[column + 1] = LOW[byte] as number;
      bytes[text++] = SHOWN[byte] as number;
    }
    bytes[text++] = BAR;
    bytes[text++] = 0x0a;
    row = text;
  }
  output.advance(row - begin);
}
