/** Scanners that search for the end of a frame. @module */
import { ByteFinder } from "./_byte_finder.ts";
import type { Cursor } from "./_cursor.ts";
import type { LengthLimit } from "./_length_limit.ts";
import type { Scanner } from "./_scan_decoder.ts";
import { hint } from "./_shown.ts";

/** The first byte of a TLS handshake. Other bytes that may begin a text are not worth a hint. */
const TLS_HANDSHAKE = 0x16;

/** The scanner of frames that end with a certain byte, or with more bytes that begin with it. */
export abstract class SearchScanner implements Scanner {
  protected readonly limit: LengthLimit;
  /** Finds the byte in the window. */
  protected readonly finder: ByteFinder;
  /** How much of the frame begun is known to hold no end. */
  protected searched = 0;

  constructor(limit: LengthLimit, byte: number) {
    this.limit = limit;
    this.finder = new ByteFinder(byte);
  }

  /** Scans the window, which is loaded in `finder`. See `Scanner.scan`. */
  protected abstract search(cursor: Cursor): void;

  scan(cursor: Cursor): void {
    this.finder.load(cursor.bytes);
    try {
      this.search(cursor);
    } finally {
      this.finder.unload();
    }
  }

  reach(chunk: Uint8Array, from: number): number {
    const end = chunk.indexOf(this.finder.byte, from);
    return end === -1 ? chunk.length : end + 1 - from;
  }

  /** Emits the last frame, which has no end. */
  finish(cursor: Cursor): void {
    const { bytes, start } = cursor;
    const held = bytes.length - start;
    if (held === 0) return;
    if (held > this.limit.maxLength) this.refuse(cursor, bytes.length, false);
    else cursor.emit(start, bytes.length, bytes.length);
  }

  reset(): void {
    this.searched = 0;
  }

  /** Throws or drops the frame that begins at the cursor, is too long and reaches to index `next`. */
  protected refuse(cursor: Cursor, next: number, isOpen: boolean): void {
    const { bytes, start } = cursor;
    const said = () => bytes[start] === TLS_HANDSHAKE ? hint(bytes, start, start + 3) : "";
    this.limit.refuse(cursor, { next, isOpen, hint: said });
  }
}
