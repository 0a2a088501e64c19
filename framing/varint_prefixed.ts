/** Frames that begin with their length as a varint, as Protocol Buffers delimits messages. @module */
import { scanCodec } from "./_byte_codec.ts";
import type { FramingCodec } from "./codec.ts";
import { CountingScanner } from "./_counting_scanner.ts";
import type { Cursor } from "./_cursor.ts";
import { checkOptions } from "../common/options.ts";
import { hint } from "./_shown.ts";
import { LengthLimit, LIMIT_NAMES } from "./_length_limit.ts";
import type { LimitOptions } from "./limits.ts";

/** The bytes that 64 bits take in groups of seven: no varint is longer. */
const MAX_VARINT_SIZE = 10;

/**
 * Frames with their length before them as an unsigned varint (LEB128): seven bits to a byte, the lowest
 * first, the top bit set on all but the last. It is what Protocol Buffers (`writeDelimitedTo`), gRPC
 * tools and libp2p write.
 *
 * A length is read from up to ten bytes, also if fewer would have done; an eleventh is `corrupt`.
 *
 * @param options The limit, and what to do about long frames.
 * @returns The codec. Its `encode` throws a `FrameError` with code `too_long` for a message beyond the
 * limit.
 * @throws {RangeError | TypeError} When an option is out of range or of the wrong kind.
 *
 * @example
 * ```ts
 * import { varintPrefixed } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = varintPrefixed().encode(new Uint8Array(300));
 * assertEquals(bytes.subarray(0, 2), Uint8Array.of(0xac, 0x02));
 * ```
 */
export function varintPrefixed(options: LimitOptions = {}): FramingCodec<Uint8Array> {
  checkOptions<LimitOptions>("varintPrefixed", options, LIMIT_NAMES);
  const limit = new LengthLimit(options);
  return scanCodec({
    scanner: () => new VarintPrefixedScanner(limit),
    maxSize: MAX_VARINT_SIZE + limit.maxLength,
    encodeInto(message, output) {
      const { length } = message;
      limit.checkMessage(length);
      const size = varintSize(length);
      const at = output.reserve(size + length);
      const { bytes } = output;
      let rest = length;
      for (let i = 0; i < size - 1; i++) {
        bytes[at + i] = 0x80 | (rest % 128);
        rest = Math.floor(rest / 128);
      }
      bytes[at + size - 1] = rest;
      bytes.set(message, at + size);
      output.advance(size + length);
    },
  });
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest /= 128) size++;
  return size;
}

class VarintPrefixedScanner extends CountingScanner {
  readonly #limit: LengthLimit;

  constructor(limit: LengthLimit) {
    super();
    this.#limit = limit;
  }

  override scan(cursor: Cursor): void {
    const { bytes } = cursor;
    const { maxLength } = this.#limit;
    const end = bytes.length;
    let start = cursor.start;
    this.total = undefined;
    while (start < end) {
      let at = start;
      let byte = bytes[at++]!;
      let length = byte & 0x7f;
      for (let weight = 128; byte >= 128; weight *= 128) {
        if (at - start === MAX_VARINT_SIZE) {
          cursor.failCorrupt(`Cannot read a length: it has more than ${MAX_VARINT_SIZE} bytes`);
        }
        if (at === end) return void (this.missing = 1);
        byte = bytes[at++]!;
        length += (byte & 0x7f) * weight;
      }
      const next = at + length;
      if (length > maxLength) {
        this.#limit.refuse(cursor, { length, next, hint: () => hint(bytes, start, at) });
        if (cursor.stopped) return;
        start = cursor.start;
        continue;
      }
      if (next > end) {
        this.total = next - start;
        this.missing = next - end;
        return;
      }
      if (!cursor.emit(at, next, next)) return;
      start = next;
    }
  }
}
