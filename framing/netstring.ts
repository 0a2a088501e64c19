/** Frames that begin with their length in decimal: D. J. Bernstein's netstrings. @module */
import { scanCodec } from "./_byte_codec.ts";
import type { FramingCodec } from "./codec.ts";
import { CountingScanner } from "./_counting_scanner.ts";
import type { Cursor } from "./_cursor.ts";
import { checkOptions } from "../common/options.ts";
import { hint } from "./_shown.ts";
import { LengthLimit, LIMIT_NAMES } from "./_length_limit.ts";
import type { LimitOptions } from "./limits.ts";

const ZERO = 0x30;
const COLON = 0x3a;
const COMMA = 0x2c;
/** The digits of 2^53 - 1. */
const MAX_DIGITS = 16;

/**
 * Netstrings: the length in decimal digits, a colon, the contents, a comma, as in `5:hello,`.
 *
 * A leading zero, a missing comma and anything but digits before the colon are `corrupt`. A
 * length beyond the limit is `too_long` at the digit that makes it so, before the colon; the length
 * in that error is what the digits say up to there.
 *
 * @param options The limit, and what to do about long frames.
 * @returns The codec. Its `encode` throws a `FrameError` with code `too_long` for a message beyond the
 * limit.
 * @throws {RangeError | TypeError} When an option is out of range or of the wrong kind.
 *
 * @example
 * ```ts
 * import { netstring } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = netstring().encode(new TextEncoder().encode("hello"));
 * assertEquals(new TextDecoder().decode(bytes), "5:hello,");
 * ```
 */
export function netstring(options: LimitOptions = {}): FramingCodec<Uint8Array> {
  checkOptions<LimitOptions>("netstring", options, LIMIT_NAMES);
  const limit = new LengthLimit(options);
  return scanCodec({
    scanner: () => new NetstringScanner(limit),
    maxSize: MAX_DIGITS + limit.maxLength + 2,
    encodeInto(message, output) {
      const { length } = message;
      limit.checkMessage(length);
      const digits = String(length);
      const total = digits.length + length + 2;
      let at = output.reserve(total);
      const { bytes } = output;
      for (let i = 0; i < digits.length; i++) bytes[at++] = digits.charCodeAt(i);
      bytes[at++] = COLON;
      bytes.set(message, at);
      bytes[at + length] = COMMA;
      output.advance(total);
    },
  });
}

class NetstringScanner extends CountingScanner {
  readonly #limit: LengthLimit;
  /** Whether the comma of a dropped frame comes next. */
  #comma = false;
  /** What the digits before the colon say. */
  #length = 0;

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
    this.missing = 1;
    if (this.#comma) cursor.dropping = true;
    while (start < end) {
      if (this.#comma) {
        this.#endDropped(cursor);
        start = cursor.start;
        continue;
      }
      const colon = this.#readLength(cursor);
      if (colon === -1) return;
      const at = colon + 1;
      const length = this.#length;
      if (length > maxLength) {
        this.#comma = true;
        this.#limit.refuse(cursor, { next: at + length, isOpen: true, length });
        if (cursor.stopped) return;
        start = cursor.start;
        continue;
      }
      const comma = at + length;
      if (comma >= end) {
        this.total = comma + 1 - start;
        this.missing = comma + 1 - end;
        return;
      }
      if (bytes[comma] !== COMMA) failComma(cursor, length);
      if (!cursor.emit(at, comma, comma + 1)) return;
      start = comma + 1;
    }
  }

  override reset(): void {
    super.reset();
    this.#comma = false;
  }

  /** Reads the digits at the cursor into `#length`; returns where the colon is, -1 if not there. */
  #readLength(cursor: Cursor): number {
    const { bytes, start } = cursor;
    const { maxLength, policy } = this.#limit;
    let length = 0;
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at]!;
      const digit = byte - ZERO;
      if (digit >= 0 && digit <= 9) {
        if (at > start && bytes[start] === ZERO) failLength(cursor, at, "begins with 0");
        length = length * 10 + digit;
        if (length > maxLength && (!policy.drops || length > Number.MAX_SAFE_INTEGER)) {
          this.#limit.refuse(cursor, { next: at + 1, length }); // which throws
        }
      } else if (byte === COLON && at > start) {
        this.#length = length;
        return at;
      } else {
        failLength(cursor, at, `has the byte 0x${byte.toString(16).padStart(2, "0")}`);
      }
    }
    return -1;
  }

  #endDropped(cursor: Cursor): void {
    if (cursor.bytes[cursor.start] !== COMMA) failComma(cursor, this.#length);
    cursor.start++;
    cursor.dropping = false;
    this.#comma = false;
  }
}

/** Ends the framing because of the byte at index `at`, which belongs to no length. */
function failLength(cursor: Cursor, at: number, why: string): never {
  const said = hint(cursor.bytes, cursor.start, at + 1);
  cursor.failCorrupt(`Cannot read a decimal length: it ${why}${said}`);
}

function failComma(cursor: Cursor, length: number): never {
  cursor.failCorrupt(`Cannot read a frame of ${length} bytes: no comma follows it`, length);
}
