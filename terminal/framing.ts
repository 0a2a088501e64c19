/** `--framing` on the command line. @module */
import { framingByName } from "../apps/relay/framings.ts";
import type { Codec } from "../framing/codec.ts";
import { UsageError } from "./usage_error.ts";

/** How messages are told apart. */
export interface Framing {
  /** As `framingByName` knows it. */
  readonly name: string;
  readonly codec: Codec<unknown>;
}

/**
 * The framing of that name.
 *
 * @throws {UsageError} If there is none.
 */
export function readFraming(name: string): Framing {
  try {
    return { name, codec: framingByName(name, { jsonText: true }) };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
