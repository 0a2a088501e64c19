/**
 * Codecs by name.
 *
 * @module
 */
import {
  cobs,
  type Codec,
  fixed,
  jsonLines,
  lengthPrefixed,
  lines,
  netstring,
  slip,
  varintPrefixed,
} from "../../framing/mod.ts";
import { jsonTextLines } from "./json_text.ts";

const SIZES = { u8: 1, u16: 2, u24: 3, u32: 4, u64: 8 } as const;

const CODECS: ReadonlyMap<string, () => Codec<unknown, never>> = new Map([
  ["lines", () => lines()],
  ["json", () => jsonLines()],
  ["netstring", () => netstring()],
  ["varint", () => varintPrefixed()],
  ["slip", () => slip()],
  ["cobs", () => cobs()],
  ...Object.entries(SIZES).map(([name, size]) => [name, () => lengthPrefixed({ size })]),
  ...Object.entries(SIZES).slice(1).map((
    [name, size],
  ) => [`${name}le`, () => lengthPrefixed({ size, littleEndian: true })]),
] as [string, () => Codec<unknown, never>][]);

/** Options for {@linkcode framingByName}. */
export interface FramingOptions {
  /**
   * Decode the messages of `json` to a {@linkcode JsonText}, which keeps the text as it was sent,
   * instead of to values. Then a dump shows and a capture holds exactly what passed.
   *
   * @default {false}
   */
  jsonText?: boolean | undefined;
}

/** The names that {@linkcode framingByName} knows, besides `fixed:SIZE`. */
export const FRAMING_NAMES: readonly string[] = [...CODECS.keys()];

/**
 * The codec of a name, as a command line gives it.
 *
 * | name | a message is |
 * |---|---|
 * | `lines` | a line of text |
 * | `json` | JSON on a line |
 * | `u8`, `u16`, `u24`, `u32`, `u64` | a length in so many bits, big-endian, and the contents |
 * | `u16le`, `u24le`, `u32le`, `u64le` | the same, little-endian |
 * | `varint` | a varint length (Protocol Buffers) and the contents |
 * | `netstring` | `5:hello,` |
 * | `slip`, `cobs` | an escaped packet, as on serial lines |
 * | `fixed:SIZE` | so many bytes |
 *
 * @param name One of them.
 * @param options What messages are decoded to.
 * @returns The codec.
 * @throws {TypeError} If there is no such name.
 *
 * @example
 * ```ts
 * import { framingByName } from "@tincan/net/relay";
 * import { assertEquals } from "@std/assert";
 *
 * framingByName("u16").decoder().push(Uint8Array.of(0, 1, 65), (message) => {
 *   assertEquals(message, Uint8Array.of(65));
 * });
 * ```
 */
export function framingByName(name: string, options: FramingOptions = {}): Codec<unknown> {
  if (name === "json" && options.jsonText === true) return jsonTextLines();
  const size = /^fixed:([1-9]\d{0,6})$/.exec(name)?.[1];
  if (size !== undefined) return fixed(Number(size)) as Codec<unknown>;
  const codec = CODECS.get(name);
  if (codec === undefined) {
    throw new TypeError(
      `Unknown framing "${name}": expected ${FRAMING_NAMES.join(", ")} or fixed:SIZE`,
    );
  }
  return codec();
}
