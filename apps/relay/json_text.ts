/**
 * JSON that is passed on as it was written.
 *
 * @module
 */
import { type Codec, lines, mapped, text } from "../../framing/mod.ts";

/**
 * The text of one JSON value. It was checked, but not changed: numbers keep all their digits
 * (`9007199254740993`, `1.0`), objects keep keys that occur twice.
 *
 * @example
 * ```ts
 * import { JsonText } from "@tincan/net/relay";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const json = JsonText.parse('{"id":9007199254740993}');
 * assertEquals(json.text, '{"id":9007199254740993}');
 * assertThrows(() => JsonText.parse("{id: 1}"), SyntaxError);
 * ```
 */
export class JsonText {
  /** The text as it was written. */
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /**
   * Checks that a text is JSON.
   *
   * @param text One JSON value, with or without white space around it.
   * @returns The text, which is JSON.
   * @throws {SyntaxError} If it is not JSON.
   */
  static parse(text: string): JsonText {
    JSON.parse(text);
    return new JsonText(text);
  }

  /** The value as JavaScript has it: numbers are rounded, of equal keys the last one counts. */
  get value(): unknown {
    return JSON.parse(this.text);
  }

  /** The value, for `JSON.stringify`. */
  toJSON(): unknown {
    return this.value;
  }

  /** The text. */
  toString(): string {
    return this.text;
  }
}

/** JSON texts, one to a line. Encodes texts as they are, and any other value as JSON has it. */
export function jsonTextLines(): Codec<JsonText, unknown> {
  return mapped<string, JsonText, unknown>(text(lines()), {
    decode: JsonText.parse,
    encode: (message) => message instanceof JsonText ? onOneLine(message.text) : stringify(message),
  });
}

/** Line ends in JSON only occur between its parts, where a space means the same. */
function onOneLine(text: string): string {
  return text.replace(/[\r\n]/g, " ");
}

function stringify(value: unknown): string {
  const source: string | undefined = JSON.stringify(value);
  if (source === undefined) throw new TypeError(`it is ${typeof value}, which JSON does not have`);
  return source;
}
