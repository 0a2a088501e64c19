/**
 * Messages on the command line: each line of the input is sent as one, each one received is shown as
 * a line.
 *
 * @module
 */
import { jsonLine } from "../apps/escape.ts";
import { FrameError } from "../errors.ts";
import type { Codec, Decoder } from "../framing/codec.ts";
import { delimited } from "../framing/delimited.ts";
import { OutputBuffer } from "../framing/output_buffer.ts";

const NOTHING = new Uint8Array(0);
const LINE_END = Uint8Array.of(0x0a);

/** How messages are told apart. */
export interface Framing {
  /** As `framingByName` knows it. */
  readonly name: string;
  readonly codec: Codec<unknown>;
}

/** Turns lines into frames. */
export class FrameEncoder {
  /** Lines that could not be sent. */
  failures = 0;

  readonly #framing: Framing;
  readonly #lines: Decoder<Uint8Array>;
  readonly #note: (line: string) => void;
  readonly #output = new OutputBuffer();

  constructor(framing: Framing, note: (line: string) => void) {
    this.#framing = framing;
    this.#note = note;
    const onDiscard = (error: FrameError) => this.#refuse(error);
    this.#lines = delimited("\n", { onTooLong: "discard", onDiscard }).decoder();
  }

  /** The frames of the lines that this piece completes. */
  push(piece: Uint8Array): Uint8Array {
    this.#lines.push(piece, this.#encode);
    return this.#output.take();
  }

  /** The frame of the last line, if it had no end. */
  end(): Uint8Array {
    this.#lines.end(this.#encode);
    return this.#output.take();
  }

  readonly #encode = (line: Uint8Array): void => {
    const { codec, name } = this.#framing;
    try {
      const message = name === "json" ? JSON.parse(new TextDecoder().decode(line)) : line;
      if (codec.encodeInto !== undefined) codec.encodeInto(message, this.#output);
      else this.#output.append(codec.encode(message));
    } catch (error) {
      if (!(error instanceof FrameError || error instanceof SyntaxError)) throw error;
      this.#refuse(error);
    }
  };

  #refuse(error: Error): void {
    this.failures++;
    this.#note(`Not sent: ${error.message}`);
  }
}

/** A message that was received. */
export interface ReceivedFrame {
  readonly number: number;
  readonly offset: number;
  readonly length: number;
  readonly value: unknown;
}

/** Finds messages in what is received, and writes each as a line. */
export class FrameReader {
  readonly #decoder: Decoder<unknown>;
  readonly #note: (line: string) => void;
  readonly #output = new OutputBuffer();
  #frames: ReceivedFrame[] = [];
  #count = 0;

  constructor(framing: Framing, note: (line: string) => void) {
    this.#decoder = framing.codec.decoder();
    this.#note = note;
  }

  /**
   * The lines of the messages that these bytes complete. A message of which only the contents are
   * broken is noted and stepped over.
   *
   * @throws {FrameError} If the bytes are no messages.
   */
  push(bytes: Uint8Array): Uint8Array {
    let failure: unknown;
    for (let input = bytes;; input = NOTHING) {
      try {
        this.#decoder.push(input, this.#emit);
        if (failure instanceof Error) this.#note(failure.message);
        return this.#output.take();
      } catch (error) {
        if (error === failure || !(error instanceof FrameError)) throw error;
        if (failure instanceof Error) this.#note(failure.message);
        failure = error;
      }
    }
  }

  /**
   * The line of a last message that only the end of the stream completes.
   *
   * @throws {FrameError} If the stream ended inside a message.
   */
  end(): Uint8Array {
    this.#decoder.end(this.#emit);
    return this.#output.take();
  }

  /** The messages since the last call; their bytes are valid until the next {@linkcode push}. */
  takeFrames(): ReceivedFrame[] {
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  /** Whatever was found before an error, as lines. */
  takeLines(): Uint8Array {
    return this.#output.take();
  }

  readonly #emit = (value: unknown): void => {
    const { frameStart = 0, position = 0 } = this.#decoder.progress ?? {};
    const length = position - frameStart;
    this.#frames.push({ number: ++this.#count, offset: frameStart, length, value });
    if (value instanceof Uint8Array) {
      this.#output.append(value);
      this.#output.append(LINE_END);
    } else {
      this.#output.append(new TextEncoder().encode(jsonLine(value)));
    }
  };
}
