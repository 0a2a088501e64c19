/** Checks on codecs that functions are given. @module */
import { show } from "../common/options.ts";

/**
 * Checks that `codec` is a codec, and not the function that makes one.
 *
 * @param caller The function that takes it, for the message.
 * @throws {TypeError} If it is not.
 */
export function checkCodec<T extends object>(caller: string, codec: T): T {
  const given: unknown = codec;
  const decoder: unknown = (given as { decoder?: unknown } | null | undefined)?.decoder;
  if (typeof decoder === "function") return codec;
  const advice = typeof given === "function" ? ` (call it: ${given.name}())` : "";
  throw new TypeError(
    `Cannot use the codec of ${caller}: current value is ${show(given)}${advice}`,
  );
}
