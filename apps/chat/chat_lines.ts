/** The lines of a chat on the wire. @module */
import type { FrameError } from "../../errors.ts";
import type { Codec } from "../../framing/codec.ts";
import { lines } from "../../framing/lines.ts";
import { DEFAULT_MAX_CHAT_LINE_LENGTH } from "./room_options.ts";

/** How to read the lines of a client. */
export interface ChatLinesOptions {
  /**
   * The longest line in bytes, its end not counted. A longer one is dropped.
   *
   * @default {4_096}
   */
  maxLength?: number;
  /** Called for each line that was dropped because it was too long. */
  onTooLong?: (error: FrameError) => void;
}

/** What telnet's commands begin with (RFC 854); no UTF-8 text has this byte. */
const IAC = 0xff;
const SUBNEGOTIATION = 0xfa;
const END_OF_SUBNEGOTIATION = 0xf0;
/** WILL, WONT, DO and DONT have one more byte, the option. */
const WILL = 0xfb;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The codec of a room's server: text by lines in, and lines that were encoded before out, so that a
 * line for a thousand people is encoded once. What telnet says to its own kind is dropped, and bytes
 * that are not UTF-8 become U+FFFD.
 *
 * @param options The longest line, and who is told of longer ones.
 * @returns The codec. `encode` takes whole lines with their newline and changes nothing.
 * @throws {RangeError} If `maxLength` is out of range.
 *
 * @example
 * ```ts
 * import { chatLines } from "@tincan/net/chat";
 * import { frames } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const seen: string[] = [];
 * const source = new Blob(["Ada\r\n", new Uint8Array([0xff, 0xfd, 0x01]), "hello\n"]).stream();
 * for await (const line of frames(source, chatLines())) seen.push(line);
 * assertEquals(seen, ["Ada", "hello"]);
 * ```
 */
export function chatLines(options: ChatLinesOptions = {}): Codec<string, Uint8Array> {
  const { maxLength = DEFAULT_MAX_CHAT_LINE_LENGTH, onTooLong } = options;
  const codec = lines({ maxLength, onTooLong: "discard", onDiscard: onTooLong });
  return {
    detached: true,
    decoder() {
      const inner = codec.decoder();
      return {
        push: (chunk, emit) => inner.push(chunk, (line) => emit(decodeLine(line))),
        end: (emit) => inner.end((line) => emit(decodeLine(line))),
        takeRemaining: () => inner.takeRemaining(),
        get progress() {
          return inner.progress;
        },
      };
    },
    encode: (line) => line.slice(),
    encodeInto: (line, output) => output.append(line),
  };
}

function decodeLine(line: Uint8Array): string {
  return decoder.decode(line.includes(IAC) ? withoutTelnet(line) : line);
}

/** The line without telnet's commands. */
function withoutTelnet(line: Uint8Array): Uint8Array {
  const kept = new Uint8Array(line.length);
  let length = 0;
  for (let index = 0; index < line.length; index++) {
    const byte = line[index] ?? 0;
    if (byte !== IAC) {
      kept[length++] = byte;
      continue;
    }
    const command = line[++index] ?? 0;
    if (command === SUBNEGOTIATION) {
      while (index < line.length && line[index] !== END_OF_SUBNEGOTIATION) index++;
    } else if (command >= WILL && command !== IAC) {
      index++;
    }
  }
  return kept.subarray(0, length);
}
