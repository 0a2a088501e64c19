/** `--framing`, described without the framings themselves: most programs that have it run without. @module */
import { type Field, setting } from "./arguments.ts";
import { oneOf } from "./values.ts";

/** What `framingByName` knows, besides `fixed:SIZE`. */
export const FRAMING_NAMES: readonly string[] =
  "lines json netstring varint slip cobs u8 u16 u24 u32 u64 u16le u24le u32le u64le".split(" ");

/** What the help says of them. */
const NAMES = "lines, json (a value on each line), u8 u16 u24 u32 u64 (a length before each, " +
  "big-endian; u16le and so on), varint, netstring, slip, cobs, fixed:SIZE";

/** The option; `summary` says what is done with the messages. */
export function framingOption(summary: string): Field<string | undefined> {
  const name = oneOf([...FRAMING_NAMES, "fixed:"], "NAME", (text) => text);
  return setting("--framing", name, `${summary}: ${NAMES}`);
}
