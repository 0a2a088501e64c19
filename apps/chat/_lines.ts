/** The lines of a chat on the wire. @module */
import type { Codec, Emit } from "../../framing/codec.ts";
import { lines } from "../../framing/lines.ts";

/** Stands for a line that was too long and was dropped. */
export const TOO_LONG: unique symbol = Symbol("too long");

/** What telnet's commands begin with (RFC 854); no UTF-8 text has this byte. */
const IAC = 0xff;
const SUBNEGOTIATION = 0xfa;
const END_OF_SUBNEGOTIATION = 0xf0;
/** These four have one more byte, the option. */
const WILL = 0xfb;
const WONT = 0xfc;
const DO = 0xfd;
const DONT = 0xfe;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A line in which telnet has said something to its own kind, and the answer to that. */
export interface TelnetLine {
  readonly text: string;
  /** Bytes for telnet; empty if it asked nothing. */
  readonly answer: Uint8Array;
}

/** What arrives. */
export type Incoming = string | TelnetLine | typeof TOO_LONG;

/**
 * The codec of a room's server: text by lines in, with `TOO_LONG` in the place of a line that was too
 * long, and lines that were encoded before out, so that a line for a thousand people is encoded once.
 * Bytes that are not UTF-8 become U+FFFD. What telnet says to its own kind is left out, and its requests
 * are declined: after Ctrl-C it shows nothing until it is answered.
 *
 * It is for connections, which never stop a decoder: after a `TOO_LONG` it could not be stopped.
 *
 * @param maxLength The longest line in bytes, its end not counted.
 */
export function chatLines(maxLength: number): Codec<Incoming, Uint8Array> {
  return {
    detached: true,
    decoder() {
      let emitNow: Emit<Incoming>;
      const inner = lines({
        maxLength,
        onTooLong: "discard",
        onDiscard: () => void emitNow(TOO_LONG),
      }).decoder();
      const emitLine = (line: Uint8Array) => emitNow(decodeLine(line));
      return {
        push(chunk, emit) {
          emitNow = emit;
          inner.push(chunk, emitLine);
        },
        end(emit) {
          emitNow = emit;
          inner.end(emitLine);
        },
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

function decodeLine(line: Uint8Array): string | TelnetLine {
  return line.includes(IAC) ? withoutTelnet(line) : decoder.decode(line);
}

/** The line without telnet's commands. An answer is as long as what it answers, never longer. */
function withoutTelnet(line: Uint8Array): TelnetLine {
  const kept = new Uint8Array(line.length);
  const answer = new Uint8Array(line.length);
  let length = 0;
  let answered = 0;
  for (let index = 0; index < line.length; index++) {
    const byte = line[index] ?? 0;
    if (byte !== IAC) {
      kept[length++] = byte;
      continue;
    }
    const command = line[++index];
    if (command === SUBNEGOTIATION) {
      while (index < line.length && line[index] !== END_OF_SUBNEGOTIATION) index++;
    } else if (command === WILL || command === DO) {
      const option = line[++index];
      if (option === undefined) break;
      answer.set([IAC, command === DO ? WONT : DONT, option], answered);
      answered += 3;
    } else if (command === WONT || command === DONT) {
      index++;
    }
  }
  return { text: decoder.decode(kept.subarray(0, length)), answer: answer.slice(0, answered) };
}
