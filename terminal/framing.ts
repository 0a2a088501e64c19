/** `--framing` on the command line. @module */
import { FRAMING_NAMES, framingByName } from "../apps/relay/mod.ts";
import type { Codec } from "../framing/codec.ts";
import { type Field, setting, UsageError } from "./arguments.ts";
import { oneOf } from "./values.ts";

/** What the help says of the names. */
const NAMES = "lines, json (a value on each line), u8 u16 u24 u32 u64 (a length before each, " +
  "big-endian; u16le and so on), varint, netstring, slip, cobs, fixed:SIZE";

/** How messages are told apart. */
export interface Framing {
  /** As `framingByName` knows it. */
  readonly name: string;
  readonly codec: Codec<unknown>;
}

/** The option; `summary` says what is done with the messages. */
export function framingOption(summary: string): Field<string | undefined> {
  const name = oneOf<string>([...FRAMING_NAMES, "fixed:"], "NAME", (text) => text);
  return setting("--framing", name, `${summary}: ${NAMES}`);
}

/**
 * The framing of that name.
 *
 * @throws {UsageError} If there is none.
 */
export function readFraming(name: string | undefined): Framing | undefined {
  if (name === undefined) return undefined;
  try {
    return { name, codec: framingByName(name, { jsonText: true }) };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
