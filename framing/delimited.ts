/** Frames that end with a delimiter of any length, or with one of several. @module */
import { FrameError } from "../errors.ts";
import type { Decoder, FramingCodec } from "./codec.ts";
import { checkBytes } from "./_bytes.ts";
import type { Cursor } from "./_cursor.ts";
import { ByteFinder } from "./_byte_finder.ts";
import { DelimiterAutomaton } from "./_delimiter_automaton.ts";
import { ByteCodec } from "./encode.ts";
import type { MakeFrameError } from "./_frame_error.ts";
import { hint } from "./_hint.ts";
import { LengthLimit, LIMIT_NAMES } from "./_length_limit.ts";
import type { LimitOptions } from "./limits.ts";
import { checkOneOf, checkOptions, type OptionNames } from "../common/options.ts";
import type { OutputBuffer } from "./output_buffer.ts";
import { ScanDecoder, type Scanner } from "./_scan_decoder.ts";

/** Options for {@linkcode delimited}. */
export interface DelimitedOptions extends LimitOptions {
  /**
   * Whether frames keep their delimiter. A message to encode may then bring its delimiter along; if it
   * has none, the first one is added.
   *
   * @default {false}
   */
  keepEnd?: boolean | undefined;
}

/**
 * Frames that end with a delimiter.
 *
 * A frame ends where the first delimiter is complete; if several are complete at that byte (`\n` and
 * `\r\n`), the longest is it. So no byte is ever waited for to see whether a longer delimiter comes,
 * and a delimiter inside which another one ends could never be found: that is refused. At the end of
 * the input, what follows the last delimiter is a frame too, unless it is empty.
 *
 * @param delimiters What ends a frame: bytes, a string (encoded as UTF-8), or several of them. Encoding
 * writes the first.
 * @param options Limit, and what to do about long frames.
 * @returns The codec. Its `encode` throws a `FrameError` with code `corrupt` for a message that would
 * be read as another one (because a delimiter is in it, or its end and the delimiter make one up),
 * and `too_long` for a long one.
 * @throws {RangeError | TypeError} When there is no delimiter, one is empty or one can never be found,
 * or an option is out of range or of the wrong kind.
 *
 * @example
 * ```ts
 * import { delimited, text } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = text(delimited(["\r\n", ";"])).decoder();
 * const seen: string[] = [];
 * decoder.push(new TextEncoder().encode("one;two\r\nthr"), (frame) => void seen.push(frame));
 * assertEquals(seen, ["one", "two"]);
 * ```
 */
export function delimited(
  delimiters: Uint8Array | string | readonly (Uint8Array | string)[],
  options: DelimitedOptions = {},
): FramingCodec<Uint8Array> {
  return new DelimitedCodec(delimiters, options);
}

const OPTIONS: OptionNames<DelimitedOptions> = { ...LIMIT_NAMES, keepEnd: true };

class DelimitedCodec extends ByteCodec {
  readonly #automaton: DelimiterAutomaton;
  readonly #first: Uint8Array;
  readonly #limit: LengthLimit;
  readonly #keepEnd: boolean;

  constructor(
    delimiters: Uint8Array | string | readonly (Uint8Array | string)[],
    options: DelimitedOptions,
  ) {
    super();
    checkOptions<DelimitedOptions>("delimited", options, OPTIONS);
    const { keepEnd = false } = options;
    const list = toDelimiters(delimiters);
    this.#first = list[0]!;
    this.#automaton = new DelimiterAutomaton(list);
    this.#limit = new LengthLimit(options);
    this.#keepEnd = checkOneOf("keepEnd", keepEnd, [false, true]);
  }

  decoder(): Required<Decoder<Uint8Array>> {
    const scanner = new DelimitedScanner(this.#automaton, this.#limit, this.#keepEnd);
    return new ScanDecoder(scanner, this.#limit.maxLength + this.#automaton.longest);
  }

  encodeInto(message: Uint8Array, output: OutputBuffer): void {
    checkBytes("message", message);
    const automaton = this.#automaton;
    const finder = new ByteFinder(automaton.first);
    finder.load(message);
    const inside = automaton.find(finder, 0, 0);
    if (this.#keepEnd && inside === message.length && automaton.found > 0) {
      this.#limit.checkMessage(message.length - automaton.found);
      return output.append(message);
    }
    this.#limit.checkMessage(message.length);
    const delimiter = this.#first;
    finder.load(delimiter);
    const clean = inside === -1 &&
      automaton.find(finder, 0, automaton.state) === delimiter.length &&
      automaton.found === delimiter.length;
    if (!clean) {
      throw new FrameError(
        "corrupt",
        "Cannot write a message as a delimited frame: a delimiter would be read inside it",
        { length: message.length },
      );
    }
    const at = output.reserve(message.length + delimiter.length);
    output.bytes.set(message, at);
    output.bytes.set(delimiter, at + message.length);
    output.advance(message.length + delimiter.length);
  }
}

function toDelimiters(
  delimiters: Uint8Array | string | readonly (Uint8Array | string)[],
): Uint8Array[] {
  const list = typeof delimiters === "string" || delimiters instanceof Uint8Array
    ? [delimiters]
    : delimiters;
  if (!Array.isArray(list) || list.length === 0) {
    throw new TypeError(
      `Cannot use delimiter as bytes, a string or several of them: current value is ${
        Array.isArray(list) ? "an empty array" : String(delimiters)
      }`,
    );
  }
  return list.map((delimiter: unknown) => {
    if (typeof delimiter === "string" && delimiter !== "") {
      return new TextEncoder().encode(delimiter);
    }
    // A copy: the caller's bytes may change.
    if (delimiter instanceof Uint8Array && delimiter.length > 0) return new Uint8Array(delimiter);
    throw new TypeError(
      `Cannot use delimiter as bytes or a string that is not empty: current value is ${
        typeof delimiter === "string" ? '""' : `[${String(delimiter)}]`
      }`,
    );
  });
}

class DelimitedScanner implements Scanner {
  readonly #automaton: DelimiterAutomaton;
  readonly #finder: ByteFinder;
  readonly #limit: LengthLimit;
  readonly #keepEnd: boolean;
  /** How much of the frame begun was searched. */
  #scanned = 0;
  /** The automaton's state there. */
  #state = 0;

  constructor(automaton: DelimiterAutomaton, limit: LengthLimit, keepEnd: boolean) {
    this.#automaton = automaton;
    this.#finder = new ByteFinder(automaton.first);
    this.#limit = limit;
    this.#keepEnd = keepEnd;
  }

  scan(cursor: Cursor): void {
    this.#finder.load(cursor.bytes);
    try {
      this.#scan(cursor);
    } finally {
      this.#finder.unload();
    }
  }

  #scan(cursor: Cursor): void {
    const finder = this.#finder;
    const automaton = this.#automaton;
    const { maxLength } = this.#limit;
    const { bytes } = cursor;
    let start = cursor.start;
    let next = automaton.find(finder, start + this.#scanned, this.#state);
    this.#scanned = 0;
    this.#state = 0;
    while (next !== -1) {
      const { found } = automaton;
      if (cursor.dropping) {
        cursor.dropping = false;
        cursor.start = next;
      } else if (next - found - start > maxLength) {
        this.#refuse(cursor, next, false);
        if (cursor.stopped) return;
      } else {
        if (!cursor.emit(start, this.#keepEnd ? next : next - found, next)) return;
      }
      start = next;
      next = automaton.find(finder, start, 0);
    }
    // The bytes that may be the beginning of a delimiter do not count yet.
    const { state } = automaton;
    if (cursor.dropping) {
      cursor.start = bytes.length;
    } else if (bytes.length - start - automaton.depth(state) > maxLength) {
      this.#state = state;
      this.#refuse(cursor, bytes.length, true);
    } else {
      this.#scanned = bytes.length - start;
    }
    this.#state = state;
  }

  reach(chunk: Uint8Array, from: number): number {
    const finder = this.#finder;
    finder.load(chunk);
    const next = this.#automaton.find(finder, from, this.#state);
    finder.unload();
    return next === -1 ? chunk.length : next - from;
  }

  finish(cursor: Cursor): void {
    const { bytes, start } = cursor;
    if (bytes.length === start) return;
    if (bytes.length - start > this.#limit.maxLength) {
      return this.#refuse(cursor, bytes.length, false);
    }
    cursor.emit(start, bytes.length, bytes.length);
  }

  reset(): void {
    this.#scanned = 0;
    this.#state = 0;
  }

  /** Throws or drops the frame that begins at the cursor and reaches to index `next`. */
  #refuse(cursor: Cursor, next: number, isOpen: boolean): void {
    const { bytes, start } = cursor;
    const error = (make: MakeFrameError): FrameError => {
      const said = bytes[start] === 0x16 ? hint(bytes, start, start + 3) : "";
      return this.#limit.error(cursor, { hint: said, make });
    };
    cursor.refuse(this.#limit.policy, { next, isOpen, error });
  }
}
