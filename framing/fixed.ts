/** Frames that all have the same length. @module */
import { FrameError } from "../errors.ts";
import { scanCodec } from "./_byte_codec.ts";
import type { FramingCodec } from "./codec.ts";
import { CountingScanner } from "./_counting_scanner.ts";
import type { Cursor } from "./_cursor.ts";
import { checkCount } from "../common/options.ts";

/**
 * Records of `size` bytes, one after the other with nothing between them.
 *
 * @param size The length of each frame in bytes, at least 1.
 * @returns The codec. Its `encode` throws a `FrameError` with code `corrupt` for a message of another
 * length.
 * @throws {RangeError | TypeError} When the size is not a whole number from 1.
 *
 * @example
 * ```ts
 * import { fixed, frames } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const seen: number[][] = [];
 * const source = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)];
 * for await (const frame of frames(source, fixed(2))) seen.push([...frame]);
 * assertEquals(seen, [[1, 2], [3, 4]]);
 * ```
 */
export function fixed(size: number): FramingCodec<Uint8Array> {
  checkCount("size", size, 1, Number.MAX_SAFE_INTEGER);
  return scanCodec({
    scanner: () => new FixedScanner(size),
    maxSize: size,
    encodeInto(message, output) {
      const { length } = message;
      if (length !== size) {
        throw new FrameError(
          "corrupt",
          `Cannot write a message as a frame of ${size} bytes: it has ${length}`,
          { length, limit: size },
        );
      }
      output.append(message);
    },
  });
}

class FixedScanner extends CountingScanner {
  readonly #size: number;

  constructor(size: number) {
    super();
    this.#size = this.total = size;
  }

  override scan(cursor: Cursor): void {
    const { bytes } = cursor;
    const size = this.#size;
    let start = cursor.start;
    let next = start + size;
    while (next <= bytes.length) {
      if (!cursor.emit(start, next, next)) return;
      start = next;
      next += size;
    }
    this.missing = next - bytes.length;
  }

  override reset(): void {}
}
