/** What codecs say to values that are not bytes. @module */
import { isBytes, typeOf } from "../common/kinds.ts";

/**
 * Checks that `value` is bytes. The methods of arrays take a string, too, and make zeros of it.
 *
 * @param name What it is to be, for the message.
 * @throws {TypeError} When it is not.
 */
export function checkBytes(name: "chunk" | "message", value: unknown): void {
  if (isBytes(value)) return;
  const advice = name === "message" && typeof value === "string"
    ? " (text(codec) takes strings)"
    : "";
  throw new TypeError(
    `Cannot use ${name} as a Uint8Array: current value is of type ${typeOf(value)}${advice}`,
  );
}
