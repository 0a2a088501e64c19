/** Checks on what codecs and functions are given. @module */
import { isBytes, typeOf } from "../common/kinds.ts";
import { show } from "../common/options.ts";

/**
 * Checks that `value` is bytes. The methods of arrays accept a string as well, and make zeros of it.
 *
 * @param name What the value is to be, for the message.
 * @throws {TypeError} When it is not.
 */
export function checkBytes(name: "chunk" | "message", value: unknown): void {
  if (isBytes(value)) return;
  const isText = name === "message" && typeof value === "string";
  const advice = isText ? " (text(codec) takes strings)" : "";
  throw new TypeError(
    `Cannot use ${name} as a Uint8Array: current value is of type ${typeOf(value)}${advice}`,
  );
}

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
