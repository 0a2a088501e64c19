/** Frames that end with a delimiter of any length, or with one of several. @module */
import { FrameError } from "../errors.ts";
import { scanCodec } from "./_byte_codec.ts";
import type { FramingCodec } from "./codec.ts";
import type { Cursor } from "./_cursor.ts";
import { ByteFinder } from "./_byte_finder.ts";
import { DelimiterAutomaton } from "./_delimiter_automaton.ts";
import { LengthLimit, LIMIT_NAMES } from "./_length_limit.ts";
import type { LimitOptions } from "./limits.ts";
import { checkOneOf, checkOptions, type OptionNames } from "../common/options.ts";
import { SearchScanner } from "./_search_scanner.ts";

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
  checkOptions<DelimitedOptions>("delimited", options, OPTIONS);
  const { keepEnd = false } = options;
  const list = toDelimiters(delimiters);
  const delimiter = list[0]!; // the one that is written
  const automaton = new DelimiterAutomaton(list);
  const limit = new LengthLimit(options);
  checkOneOf("keepEnd", keepEnd, [false, true]);
  return scanCodec({
    scanner: () => new DelimitedScanner(automaton, limit, keepEnd),
    maxSize: limit.maxLength + automaton.longest,
    encodeInto(message, output) {
      const { length } = message;
      const finder = new ByteFinder(automaton.first);
      finder.load(message);
      const inside = automaton.find(finder, 0, 0);
      if (keepEnd && inside === length && automaton.found > 0) {
        limit.checkMessage(length - automaton.found);
        return output.append(message);
      }
      limit.checkMessage(length);
      finder.load(delimiter);
      const clean = inside === -1 &&
        automaton.find(finder, 0, automaton.state) === delimiter.length &&
        automaton.found === delimiter.length;
      if (!clean) {
        throw new FrameError(
          "corrupt",
          "Cannot write a message as a delimited frame: a delimiter would be read inside it",
          { length },
        );
      }
      const at = output.reserve(length + delimiter.length);
      output.bytes.set(message, at);
      output.bytes.set(delimiter, at + length);
      output.advance(length + delimiter.length);
    },
  });
}

const OPTIONS: OptionNames<DelimitedOptions> = { ...LIMIT_NAMES, keepEnd: true };

function toDelimiters(delimiters: Parameters<typeof delimited>[0]): Uint8Array[] {
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

class DelimitedScanner extends SearchScanner {
  readonly #automaton: DelimiterAutomaton;
  readonly #keepEnd: boolean;
  /** The state of the automaton after what was searched of the frame begun. */
  #state = 0;

  constructor(automaton: DelimiterAutomaton, limit: LengthLimit, keepEnd: boolean) {
    super(limit, automaton.first);
    this.#automaton = automaton;
    this.#keepEnd = keepEnd;
  }

  protected override search(cursor: Cursor): void {
    const { finder } = this;
    const automaton = this.#automaton;
    const { maxLength } = this.limit;
    const { bytes } = cursor;
    let start = cursor.start;
    let next = automaton.find(finder, start + this.searched, this.#state);
    this.searched = 0;
    this.#state = 0;
    while (next !== -1) {
      const { found } = automaton;
      if (cursor.dropping) {
        cursor.dropping = false;
        cursor.start = next;
      } else if (next - found - start > maxLength) {
        this.refuse(cursor, next, false);
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
      this.refuse(cursor, bytes.length, true);
    } else {
      this.searched = bytes.length - start;
    }
    this.#state = state;
  }

  override reach(chunk: Uint8Array, from: number): number {
    const { finder } = this;
    finder.load(chunk);
    const next = this.#automaton.find(finder, from, this.#state);
    finder.unload();
    return next === -1 ? chunk.length : next - from;
  }

  override reset(): void {
    super.reset();
    this.#state = 0;
  }
}
