/** Scanners that know how much of a frame is missing. @module */
import type { Cursor } from "./_cursor.ts";
import { frameError } from "./_frame_error.ts";
import type { Scanner } from "./_scan_decoder.ts";

/** The scanner of frames whose length is known before their end. */
export abstract class CountingScanner implements Scanner {
  /** How many bytes the header begun or the frame begun has still to come. */
  protected missing = 1;
  /** How many bytes the frame begun has in all, if that is known. */
  protected total: number | undefined = undefined;

  abstract scan(cursor: Cursor): void;

  reach(): number {
    return this.missing;
  }

  finish(cursor: Cursor): void {
    refusePartial(cursor, this.total);
  }

  reset(): void {
    this.total = undefined;
  }
}

/**
 * Ends the framing if a frame has begun.
 *
 * @param cursor Where the frame begins; what is left of the window is part of it.
 * @param length How many bytes the frame was to have, if that is known.
 * @throws {FrameError} With code `truncated`.
 */
export function refusePartial(cursor: Cursor, length?: number): void {
  const held = cursor.bytes.length - cursor.start;
  if (held === 0 && !cursor.dropping) return;
  const where = cursor.dropping
    ? "inside a frame that was being discarded"
    : `${held} bytes into a frame${length === undefined ? "" : ` of ${length}`}`;
  cursor.fail(
    frameError("truncated", `Cannot read the frame: the input ended ${where}`, {
      length: cursor.dropping ? undefined : length ?? held,
      offset: cursor.begun,
    }),
  );
}
