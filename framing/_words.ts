/** Looking for a byte four at a time. @module */

/** A byte four times over, to compare words with. */
export function fourTimes(byte: number): number {
  return Math.imul(byte, 0x01010101);
}

/** Whether one of the four bytes of `word` is the one of which `pattern` is made. */
export function holds(word: number, pattern: number): boolean {
  // A byte of `rest` is zero where the byte is found; the test finds words with a zero byte.
  const rest = word ^ pattern;
  return ((rest - 0x01010101) & ~rest & 0x80808080) !== 0;
}
