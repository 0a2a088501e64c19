/** The error for input that ends inside a frame. @module */
import type { Cursor } from "./_cursor.ts";
import { frameError } from "./_frame_error.ts";

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
      offset: cursor.frameBegin,
    }),
  );
}
