/** The lines of a chat on the wire. @module */
import { type Codec, type Emit, lines } from "../../framing/mod.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What arrives: a line, or the report that one was too long and was dropped. */
export type ChatInput =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "too_long" };

const TOO_LONG: ChatInput = { kind: "too_long" };

/**
 * The codec of a room's server: text by lines in, and lines that were encoded before out, so that a
 * line for a thousand people is encoded once. Bytes that are not UTF-8 become U+FFFD.
 *
 * @param maxLength The longest line in bytes, its end not counted.
 */
export function chatLines(maxLength: number): Codec<ChatInput, Uint8Array> {
  return {
    detached: true,
    decoder() {
      let emitNow: Emit<ChatInput>;
      const inner = lines({
        maxLength,
        onTooLong: "discard",
        onDiscard: () => void emitNow(TOO_LONG),
      }).decoder();
      const emitLine = (line: Uint8Array) => emitNow({ kind: "line", text: decoder.decode(line) });
      return {
        push(chunk, emit) {
          emitNow = emit;
          inner.push(chunk, emitLine);
        },
        end(emit) {
          emitNow = emit;
          inner.end(emitLine);
        },
        get progress() {
          return inner.progress;
        },
      };
    },
    encode: (line) => line.slice(),
    encodeInto: (line, output) => output.append(line),
  };
}
