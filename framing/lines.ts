/** Lines of text: the framing of most protocols that people can type. @module */
import { FrameError } from "../errors.ts";
import { APPEND_TEXT, type AppendText } from "./_append_text.ts";
import { scanCodec } from "./_byte_codec.ts";
import type { FramingCodec } from "./codec.ts";
import type { Cursor } from "./_cursor.ts";
import { LengthLimit, LIMIT_NAMES } from "./_length_limit.ts";
import type { LimitOptions } from "./limits.ts";
import { checkOneOf, checkOptions, type OptionNames } from "../common/options.ts";
import type { OutputBuffer } from "./output_buffer.ts";
import { SearchScanner } from "./_search_scanner.ts";

const LF = 0x0a;
const CR = 0x0d;
/** Lines of up to so many bytes are searched for line breaks where they were copied to. */
const SHORT_LINE = 256;

/** Options for {@linkcode lines}. */
export interface LinesOptions extends LimitOptions {
  /**
   * The longest line in bytes, without its ending. `Infinity` means without limit.
   *
   * @default {65_536} lines are written by people and text protocols, whose own limits are far lower
   * (998 bytes in mail, 512 in IRC)
   */
  maxLength?: number | undefined;
  /**
   * Whether frames keep their ending (`\n` or `\r\n`). A message to encode may then bring its ending
   * along; if it has none, one is added.
   *
   * @default {false}
   */
  keepEnd?: boolean | undefined;
  /**
   * What is written after each line. Both endings are always read.
   *
   * @default {"\n"}
   */
  ending?: "\n" | "\r\n" | undefined;
}

/**
 * Lines that end in `\n` or `\r\n`. Frames are bytes; `text(lines())` has strings.
 *
 * A lone `\r` is part of the line. At the end of the input, a last line without an ending is a frame
 * too. Line and ending of a frame too long are dropped together under `onTooLong: "discard"`, and the
 * length in the error is the least it can be, because the rest of the line is not waited for.
 *
 * @param options Limit, ending, and what to do about long lines.
 * @returns The codec. Its `encode` throws a `FrameError` with code `corrupt` for a message with a line
 * break in it (or, with the ending `\n`, a `\r` at its end), and `too_long` for a long one.
 * @throws {RangeError | TypeError} When an option is out of range or of the wrong kind.
 *
 * @example
 * ```ts
 * import { lines } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = lines().decoder();
 * const seen: string[] = [];
 * const emit = (line: Uint8Array) => void seen.push(new TextDecoder().decode(line));
 * decoder.push(new TextEncoder().encode("one\r\ntw"), emit);
 * decoder.push(new TextEncoder().encode("o\nthree"), emit);
 * decoder.end(emit);
 * assertEquals(seen, ["one", "two", "three"]);
 * ```
 */
export function lines(options: LinesOptions = {}): FramingCodec<Uint8Array> {
  checkOptions<LinesOptions>("lines", options, OPTIONS);
  const { maxLength = 65_536, keepEnd = false, ending = "\n" } = options;
  const limit = new LengthLimit({ ...options, maxLength });
  checkOneOf("keepEnd", keepEnd, [false, true]);
  const isCrlf = checkOneOf("ending", ending, ["\n", "\r\n"]) === "\r\n";
  const codec = scanCodec({
    scanner: () => new LineScanner(limit, keepEnd),
    maxSize: limit.maxLength + 2,
    encodeInto(message, output) {
      const { length } = message;
      const isShort = length <= SHORT_LINE;
      const newline = isShort ? copyAndSearch(message, output) : message.indexOf(LF);
      const ended = keepEnd && newline !== -1 && newline === length - 1;
      if (newline !== -1 && !ended) refuseLine(length, `it has a line break at index ${newline}`);
      const stop = ended ? lineEnd(message, 0, newline) : length;
      limit.checkMessage(stop);
      if (!ended && !isCrlf && message[stop - 1] === CR) {
        const what = "its last byte, a carriage return, would be read as part of the ending";
        refuseLine(length, what);
      }
      const total = ended ? length : length + ending.length;
      const at = output.reserve(total);
      const { bytes } = output;
      if (!isShort) bytes.set(message, at);
      if (!ended) {
        if (isCrlf) bytes[at + length] = CR;
        bytes[at + total - 1] = LF;
      }
      output.advance(total);
    },
  });
  const appendText: AppendText = (text, output) => {
    const mayBeRefused = keepEnd || text.length * 3 > limit.maxLength || text.includes("\n") ||
      (!isCrlf && text.endsWith("\r"));
    if (!mayBeRefused) output.appendText(text + ending);
    return !mayBeRefused;
  };
  return Object.assign(codec, { [APPEND_TEXT]: appendText });
}

const OPTIONS: OptionNames<LinesOptions> = { ...LIMIT_NAMES, ending: true, keepEnd: true };

function refuseLine(length: number, reason: string): never {
  throw new FrameError("corrupt", `Cannot write a message as a line: ${reason}`, { length });
}

/** Copies a short line to where it goes and searches it there; the index of its `\n`, or -1. */
function copyAndSearch(message: Uint8Array, output: OutputBuffer): number {
  const { length } = message;
  const at = output.reserve(length + 2);
  output.bytes.set(message, at);
  const newline = output.find(LF, at, at + length);
  return newline === -1 ? -1 : newline - at;
}

/** Where the line ends whose `\n` is at `newline`. */
function lineEnd(bytes: Uint8Array, start: number, newline: number): number {
  return newline > start && bytes[newline - 1] === CR ? newline - 1 : newline;
}

class LineScanner extends SearchScanner {
  readonly #keepEnd: boolean;

  constructor(limit: LengthLimit, keepEnd: boolean) {
    super(limit, LF);
    this.#keepEnd = keepEnd;
  }

  protected override search(cursor: Cursor): void {
    const { bytes } = cursor;
    const newlines = this.finder;
    const { maxLength } = this.limit;
    const keepEnd = this.#keepEnd;
    let start = cursor.start;
    let newline = newlines.find(start + this.searched);
    this.searched = 0;
    if (cursor.dropping) {
      if (newline === -1) return void (cursor.start = bytes.length);
      cursor.dropping = false;
      cursor.start = start = newline + 1;
      newline = newlines.find(start);
    }
    while (newline !== -1) {
      const next = newline + 1;
      const stop = lineEnd(bytes, start, newline);
      if (stop - start > maxLength) {
        this.refuse(cursor, next, false);
        if (cursor.stopped) return;
      } else {
        if (!cursor.emit(start, keepEnd ? next : stop, next)) return;
      }
      start = next;
      newline = newlines.find(start);
    }
    // One byte beyond the limit may still turn out to belong to the ending.
    const held = bytes.length - start;
    if (held > maxLength + 1 || (held > maxLength && bytes[bytes.length - 1] !== CR)) {
      this.refuse(cursor, bytes.length, true);
    } else {
      this.searched = held;
    }
  }
}
