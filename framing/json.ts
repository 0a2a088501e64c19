/** Frames whose contents are JSON. @module */
import { FrameError } from "../errors.ts";
import { checkOptions, type OptionNames } from "../common/options.ts";
import type { Codec, FramingCodec } from "./codec.ts";
import { checkCodec } from "./_checks.ts";
import { CORRUPT_NAMES } from "./_drop_policy.ts";
import { LIMIT_NAMES } from "./_length_limit.ts";
import type { CorruptOptions } from "./limits.ts";
import { lines, type LinesOptions } from "./lines.ts";
import { Broken } from "./_frame_error.ts";
import { mapped } from "./mapped.ts";
import { shown } from "./_shown.ts";
import { text } from "./text.ts";

/** How every JSON text begins. The test is cheap; the parser's own error is expensive. */
const BEGINNING = /^[\t\n\r ]*["{[\-\dtfn]/;
/** How much is shown of a text that begins otherwise. */
const MAX_START = 10;
/** How much is shown of the parser's message, which quotes a few characters of the frame. */
const MAX_REASON = 120;

/** Options for {@linkcode jsonLines}. */
export interface JsonLinesOptions extends Omit<LinesOptions, "keepEnd">, CorruptOptions {
  /**
   * Receives the error of each line that was dropped instead of thrown, once: because it was too long
   * (`onTooLong`) or not JSON (`onCorrupt`).
   *
   * @default {undefined} dropped without a report
   */
  onDiscard?: ((error: FrameError) => void) | undefined;
}

/**
 * Values as JSON in the frames of another codec.
 *
 * The type parameter is what you expect, not what is checked: a peer can send any JSON. Use `mapped`
 * on top to check it.
 *
 * @typeParam T What the values are.
 * @param codec What finds the frames.
 * @param options What to do about frames that are not JSON.
 * @returns The codec. Decoding throws a `FrameError` with code `corrupt` for a frame that is not JSON in
 * UTF-8, and its decoder resumes after it when it is pushed an empty chunk; `encode` throws one for
 * a value that has no JSON (`undefined`, a function, a cycle, a `bigint`).
 * @throws {TypeError} When an option is of the wrong kind.
 *
 * @example
 * ```ts
 * import { json, lengthPrefixed } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const codec = json<{ id: number }>(lengthPrefixed({ size: 2 }));
 * codec.decoder().push(codec.encode({ id: 7 }), (value) => assertEquals(value.id, 7));
 * ```
 */
export function json<T = unknown>(
  codec: Codec<Uint8Array>,
  options: CorruptOptions = {},
): FramingCodec<T> {
  checkOptions<CorruptOptions>("json", options, CORRUPT_NAMES);
  const { onCorrupt, onDiscard } = options;
  checkCodec("json", codec);
  return mapped<string, T>(text(codec, { onCorrupt, onDiscard }), {
    decode: parse<T>,
    encode: stringify,
    onCorrupt,
    onDiscard,
  });
}

/**
 * Values as JSON, one to a line (NDJSON, JSON Lines): `json(lines())`.
 *
 * @typeParam T What the values are.
 * @param options Limit, line ending, and what to do about long lines and lines that are not JSON.
 * @returns The codec.
 * @throws {RangeError | TypeError} When an option is out of range or of the wrong kind.
 *
 * @example
 * ```ts
 * import { frames, jsonLines } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const source = [new TextEncoder().encode('{"id":1}\n{"i'), new TextEncoder().encode('d":2}\n')];
 * const ids: number[] = [];
 * for await (const { id } of frames(source, jsonLines<{ id: number }>())) ids.push(id);
 * assertEquals(ids, [1, 2]);
 * ```
 */
export function jsonLines<T = unknown>(options: JsonLinesOptions = {}): FramingCodec<T> {
  checkOptions<JsonLinesOptions>("jsonLines", options, JSON_LINES);
  const { onCorrupt, onDiscard, ...rest } = options;
  return json<T>(lines({ ...rest, onDiscard }), { onCorrupt, onDiscard });
}

const JSON_LINES: OptionNames<JsonLinesOptions> = {
  ...CORRUPT_NAMES,
  ...LIMIT_NAMES,
  ending: true,
};

function parse<T>(source: string): T {
  if (!BEGINNING.test(source)) {
    const start = source.trim().slice(0, MAX_START);
    throw new Broken(
      "corrupt",
      start === ""
        ? "Cannot decode a frame: it is empty and no JSON"
        : `Cannot decode a frame: no JSON begins with ${shown(start, MAX_START)}`,
    );
  }
  try {
    return JSON.parse(source);
  } catch (error) {
    // No cause: its message quotes the peer as it is, terminal escapes included.
    const { message } = error as SyntaxError;
    throw new Broken("corrupt", `Cannot decode a frame: ${shown(message, MAX_REASON)}`);
  }
}

function stringify(value: unknown): string {
  const source: string | undefined = JSON.stringify(value);
  if (source === undefined) {
    throw new FrameError("corrupt", `Cannot write a value as JSON: it is ${typeof value}`);
  }
  return source;
}
