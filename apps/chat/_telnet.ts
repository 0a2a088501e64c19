/** Telnet's commands (RFC 854), taken out of the text that people type. @module */
import { concat } from "../../common/concat.ts";
import type { Decoder, Emit } from "../../framing/mod.ts";

/** What a telnet command begins with; no UTF-8 text has this byte. */
const IAC = 0xff;
const SUBNEGOTIATION = 0xfa;
const END_OF_SUBNEGOTIATION = 0xf0;
/** These four have one more byte, the option. */
const WILL = 0xfb;
const WONT = 0xfc;
const DO = 0xfd;
const DONT = 0xfe;
const VERBS = [WILL, WONT, DO, DONT];
const LF = 0x0a;
const NOTHING = new Uint8Array(0);

/** Options that telnet asks for: a `WILL` or `DO` and the number of an option each. */
export interface TelnetRequest {
  readonly kind: "telnet";
  /** Two bytes for each option. */
  readonly asked: Uint8Array;
}

/**
 * Puts a filter in front of a decoder, which then sees no telnet commands. Requests are messages of
 * their own, one for all that a chunk has, before the messages of that chunk: after Ctrl-C, telnet
 * drops everything that comes before the answer to its request, so what is said next must come after.
 *
 * It is for connections that keep their codec to the end: `progress` counts the bytes of the text, not
 * those of the stream.
 *
 * @param inner What finds the messages in the text.
 */
export function withTelnet<T>(inner: Decoder<T>): Decoder<T | TelnetRequest> {
  const filter = new TelnetFilter();
  let waiting: Uint8Array = NOTHING; // the text of a chunk whose request stopped the decoder
  const push = (chunk: Uint8Array, emit: Emit<T | TelnetRequest>) => {
    const found = filter.push(chunk);
    const text = waiting.length === 0 ? found : concat(waiting, found);
    const asked = filter.takeAsked();
    if (asked !== undefined) {
      waiting = text; // a copy: the chunk had a command
      if (emit({ kind: "telnet", asked }) === false) return;
    }
    waiting = NOTHING;
    inner.push(text, emit);
  };
  return {
    push,
    end(emit) {
      let isStopped = false;
      if (waiting.length > 0) push(NOTHING, (message) => !(isStopped = emit(message) === false));
      if (!isStopped) inner.end(emit);
    },
    get progress() {
      return inner.progress;
    },
  };
}

/** The answer that declines all that was asked. */
export function decline({ asked }: TelnetRequest): Uint8Array {
  const answer = new Uint8Array(asked.length / 2 * 3);
  for (let at = 0; at < asked.length; at += 2) {
    answer.set([IAC, asked[at] === DO ? WONT : DONT, asked[at + 1] ?? 0], at / 2 * 3);
  }
  return answer;
}

/**
 * Tells commands from text, wherever the chunks are cut.
 *
 * | state | the next byte is | then |
 * |---|---|---|
 * | `text` | text, or the beginning of a command | `command` after `IAC` |
 * | `command` | what the command is, or text | `option`, `details` or `text` |
 * | `option` | the option that it is about | `text` |
 * | `details` | a part of a subnegotiation, which is left out | `text` after a line end, `end` after `IAC` |
 * | `end` | what says whether the details end | `text` or `details` |
 */
class TelnetFilter {
  #state: "text" | "command" | "option" | "details" | "end" = "text";
  #verb = 0;
  #asked: number[] = [];

  /** Takes a chunk; returns the text in it. */
  push(chunk: Uint8Array): Uint8Array {
    if (this.#state === "text" && !chunk.includes(IAC)) return chunk;
    const text = new Uint8Array(chunk.length);
    let length = 0;
    for (const byte of chunk) if (this.#isText(byte)) text[length++] = byte;
    return text.subarray(0, length);
  }

  /** What was asked since the last call; `undefined` if nothing was. */
  takeAsked(): Uint8Array | undefined {
    if (this.#asked.length === 0) return undefined;
    const asked = Uint8Array.from(this.#asked);
    this.#asked = [];
    return asked;
  }

  #isText(byte: number): boolean {
    switch (this.#state) {
      case "text":
        if (byte !== IAC) return true;
        this.#state = "command";
        return false;
      case "command":
        if (byte < END_OF_SUBNEGOTIATION) {
          // The command was the data mark, which telnet sends as urgent data: the system keeps that back.
          this.#state = "text";
          return true;
        }
        this.#verb = byte;
        this.#state = VERBS.includes(byte)
          ? "option"
          : byte === SUBNEGOTIATION
          ? "details"
          : "text";
        return false;
      case "option":
        if (this.#verb === WILL || this.#verb === DO) this.#asked.push(this.#verb, byte);
        this.#state = "text";
        return false;
      case "details":
        // No option was agreed on, so there should be no details: they must not hide what people type.
        if (byte === LF) this.#state = "text";
        else if (byte === IAC) this.#state = "end";
        return byte === LF;
      case "end":
        this.#state = byte === END_OF_SUBNEGOTIATION ? "text" : "details";
        return false;
    }
  }
}
