/** Frames that begin with their length in binary. @module */
import { FrameError } from "../errors.ts";
import { scanCodec } from "./_byte_codec.ts";
import type { FramingCodec } from "./codec.ts";
import { CountingScanner } from "./_counting_scanner.ts";
import type { Cursor } from "./_cursor.ts";
import { readBigEndian, readLittleEndian, writeInteger } from "./_integer.ts";
import { hint } from "./_shown.ts";
import { LengthLimit, LIMIT_NAMES } from "./_length_limit.ts";
import type { LimitOptions } from "./limits.ts";
import {
  checkCount,
  checkOneOf,
  checkOptions,
  namesOf,
  type OptionNames,
} from "../common/options.ts";

/** Options for {@linkcode lengthPrefixed}. */
export interface LengthPrefixedOptions extends LimitOptions {
  /**
   * The size of the length field in bytes.
   *
   * @default {4}
   */
  size?: 1 | 2 | 3 | 4 | 8 | undefined;
  /**
   * Whether the length's lowest byte comes first. Network order, the default, is highest first.
   *
   * @default {false}
   */
  littleEndian?: boolean | undefined;
  /**
   * How many bytes of each frame come before the length field.
   *
   * @default {0}
   */
  offset?: number | undefined;
  /**
   * What to add to the length field's value to get the number of bytes after the field: positive if
   * something there is not counted, negative if something before is.
   *
   * @default {0}
   */
  adjustment?: number | undefined;
  /**
   * Whether the length counts the header too: the field itself and the `offset` bytes before it.
   *
   * @default {false}
   */
  includesHeader?: boolean | undefined;
  /**
   * How many bytes at the beginning of each frame are not part of the message. The default leaves only
   * what comes after the length field; 0 keeps everything.
   *
   * @default {offset + size}
   */
  strip?: number | undefined;
}

/**
 * Frames with a length field of 1, 2, 3, 4 or 8 bytes before their contents, at the very
 * beginning or after other header bytes, counting itself or not.
 *
 * `encode` is the reverse of decoding: it puts `strip` bytes before the message and writes the
 * length where it belongs. Stripped bytes other than the length are zero, because a message does not
 * contain them; use `strip: 0` (or `strip: offset` with nothing in between) to read and write headers as
 * part of the message. Whatever a message holds at the place of the length field is overwritten with
 * the right length.
 *
 * @param options The shape of the header, the limit, and what to do about long frames.
 * @returns The codec. Its `encode` throws a `FrameError` with code `too_long` for a message beyond the
 * limit or beyond what the field can hold, and `corrupt` for one without room for its header.
 * @throws {RangeError | TypeError} When an option is out of range or of the wrong kind.
 *
 * @example
 * ```ts
 * import { lengthPrefixed } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const codec = lengthPrefixed({ size: 2 });
 * assertEquals(codec.encode(Uint8Array.of(7, 8)), Uint8Array.of(0, 2, 7, 8));
 * ```
 */
export function lengthPrefixed(options: LengthPrefixedOptions = {}): FramingCodec<Uint8Array> {
  checkOptions<LengthPrefixedOptions>("lengthPrefixed", options, OPTIONS);
  const limit = new LengthLimit(options);
  const layout = layoutOf(options);
  const { header, offset, strip, size, bias, littleEndian } = layout;
  return scanCodec({
    scanner: () => new LengthPrefixedScanner(layout, limit),
    maxSize: header + limit.maxLength,
    encodeInto(message, output) {
      const total = strip + message.length;
      const body = total - header;
      const value = body - bias;
      if (body < 0 || value < 0) {
        throw new FrameError(
          "corrupt",
          `Cannot write a message of ${message.length} bytes: it has no room for its header`,
          { length: message.length },
        );
      }
      limit.checkMessage(body);
      const max = 256 ** size - 1;
      if (value > max) {
        throw new FrameError(
          "too_long",
          `Cannot write a length of ${value}: the limit of a field of ${size} bytes is ${max}`,
          { length: value, limit: max },
        );
      }
      const at = output.reserve(total);
      const { bytes } = output;
      if (offset > 0 || strip > size) bytes.fill(0, at, at + strip);
      bytes.set(message, at + strip);
      writeInteger(bytes, at + offset, { value, size, littleEndian });
      output.advance(total);
    },
  });
}

/** Where the length is and what it means. */
interface Layout {
  readonly size: number;
  readonly littleEndian: boolean;
  readonly offset: number;
  /** The bytes up to the end of the length field. */
  readonly header: number;
  /** The bytes after the header are the length field's value plus this. */
  readonly bias: number;
  readonly strip: number;
}

const OPTIONS: OptionNames<LengthPrefixedOptions> = {
  ...LIMIT_NAMES,
  ...namesOf("adjustment", "includesHeader", "littleEndian", "offset", "size", "strip"),
};

function layoutOf(options: LengthPrefixedOptions): Layout {
  const { MAX_SAFE_INTEGER, MIN_SAFE_INTEGER } = Number;
  const { size = 4, offset = 0, adjustment = 0 } = options;
  const { littleEndian = false, includesHeader = false, strip = offset + size } = options;
  checkOneOf("size", size, [1, 2, 3, 4, 8]);
  checkCount("offset", offset, 0, MAX_SAFE_INTEGER);
  checkCount("adjustment", adjustment, MIN_SAFE_INTEGER, MAX_SAFE_INTEGER);
  checkOneOf("includesHeader", includesHeader, [false, true]);
  checkOneOf("littleEndian", littleEndian, [false, true]);
  checkCount("strip", strip, 0, MAX_SAFE_INTEGER);
  const header = offset + size;
  const bias = adjustment - (includesHeader ? header : 0);
  return { size, offset, header, littleEndian, bias, strip };
}

class LengthPrefixedScanner extends CountingScanner {
  readonly #layout: Layout;
  readonly #limit: LengthLimit;

  constructor(layout: Layout, limit: LengthLimit) {
    super();
    this.#layout = layout;
    this.#limit = limit;
  }

  override scan(cursor: Cursor): void {
    const { bytes } = cursor;
    const { header, offset, size, strip, bias, littleEndian } = this.#layout;
    const { maxLength } = this.#limit;
    const end = bytes.length;
    let start = cursor.start;
    this.total = undefined;
    while (end - start >= header) {
      const length = littleEndian
        ? readLittleEndian(bytes, start + offset, size)
        : readBigEndian(bytes, start + offset, size);
      const body = length + bias;
      const next = start + header + body;
      if (body > maxLength || body < 0 || next - start < strip) {
        this.#refuse(cursor, length);
        if (cursor.stopped) return;
        start = cursor.start;
        continue;
      }
      if (next > end) {
        this.total = next - start;
        this.missing = next - end;
        return;
      }
      if (!cursor.emit(start + strip, next, next)) return;
      start = next;
    }
    this.missing = header - (end - start);
  }

  /** Throws or drops the frame at the cursor, whose length field says `length`. */
  #refuse(cursor: Cursor, length: number): void {
    const { header, bias, strip } = this.#layout;
    const { bytes, start } = cursor;
    const said = (): string => hint(bytes, start, start + header);
    const body = length + bias;
    if (body <= this.#limit.maxLength) {
      const what = body < 0 ? "what it counts" : `the ${strip} bytes to strip`;
      const message = `Cannot read a frame whose length field says ${length}`;
      cursor.failCorrupt(`${message}: it is too small for ${what}${said()}`, length);
    }
    this.#limit.refuse(cursor, { next: start + header + body, length: body, hint: said });
  }
}
