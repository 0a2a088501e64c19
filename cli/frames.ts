/**
 * Messages on the command line: each line of the input is sent as one, each one received is shown as
 * a line.
 *
 * @module
 */
import { escapeJson, jsonLine } from "../common/escape.ts";
import { JsonText } from "../apps/relay/mod.ts";
import { FrameSkipper, NOTHING } from "../common/broken_frames.ts";
import { spend } from "../common/turn_budget.ts";
import { FrameError } from "../errors.ts";
import type { Decoder } from "../framing/codec.ts";
import { delimited } from "../framing/delimited.ts";
import { OutputBuffer } from "../framing/output_buffer.ts";
import { type Framing, readFraming } from "../terminal/framing.ts";

const LINE_END = Uint8Array.of(0x0a);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What reads and writes messages: this module is loaded only where there are some. */
export interface MessageFormat {
  encoder(note: (line: string) => void): FrameEncoder;
  reader(note: (error: unknown) => void, keepFrames: boolean): FrameReader;
}

/**
 * The format of a framing.
 *
 * @throws {UsageError} If there is none of that name.
 */
export function messageFormat(name: string): MessageFormat {
  const framing = readFraming(name);
  return {
    encoder: (note) => new FrameEncoder(framing, note),
    reader: (note, keepFrames) => new FrameReader(framing, note, keepFrames),
  };
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
      const message = name === "json" ? JsonText.parse(decode(line)) : line;
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

function decode(line: Uint8Array): string {
  try {
    return decoder.decode(line);
  } catch {
    throw new SyntaxError("the line is not UTF-8");
  }
}

/** A message that was received. */
export interface ReceivedFrame {
  readonly number: number;
  readonly offset: number;
  readonly length: number;
  readonly value: unknown;
}

/** Bytes of output after which a piece is enough: what is shown of a read need not be in memory whole. */
const MAX_PIECE = 64 * 1024;
/** Messages in a piece: each one that is kept is an object. */
const MAX_PIECE_FRAMES = 1_024;

/** Finds messages in what is received, and writes each as a line. */
export class FrameReader {
  readonly #decoder: Decoder<unknown>;
  readonly #skipper: FrameSkipper<unknown>;
  readonly #note: (error: unknown) => void;
  readonly #keepFrames: boolean;
  readonly #output = new OutputBuffer();
  #frames: ReceivedFrame[] = [];
  #count = 0;
  #left = 0; // messages that still fit in the piece
  #failure: unknown; // of which is not known yet whether it is the last

  /** With `keepFrames` the messages themselves are kept for {@linkcode FrameReader.takeFrames}. */
  constructor(framing: Framing, note: (error: unknown) => void, keepFrames: boolean) {
    this.#decoder = framing.codec.decoder();
    this.#skipper = new FrameSkipper(this.#decoder);
    this.#note = note;
    this.#keepFrames = keepFrames;
  }

  /**
   * Takes bytes and finds a piece of the messages in them. A message of which only the contents are
   * broken is noted and skipped.
   *
   * @param bytes Bytes that were received; nothing, to continue with those of the last call.
   * @returns Whether there may be more: take what was found, wait for a turn, and call again.
   * @throws {FrameError} If the bytes are no messages.
   */
  push(bytes: Uint8Array = NOTHING): boolean {
    this.#left = MAX_PIECE_FRAMES;
    for (let input = bytes;; input = NOTHING) {
      const broken = this.#skipper.push(input, this.#emit);
      if (broken?.isLast) throw broken.error;
      if (this.#failure !== undefined) this.#note(this.#failure);
      this.#failure = broken?.error;
      if (broken === undefined) return this.#left <= 0;
      if (spend() || this.#left <= 0) return true;
    }
  }

  /**
   * The last message, if only the end of the stream completes it.
   *
   * @returns Whether there may be more.
   * @throws {FrameError} If the stream ended inside a message.
   */
  end(): boolean {
    this.#left = MAX_PIECE_FRAMES;
    this.#decoder.end(this.#emit);
    return this.#left <= 0;
  }

  /** The messages since the last call, if they are kept; their bytes are valid until the next piece. */
  takeFrames(): ReceivedFrame[] {
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  /** The lines of the messages since the last call; valid until the next piece. */
  takeLines(): Uint8Array {
    return this.#output.take();
  }

  readonly #emit = (value: unknown): boolean => {
    const { frameStart = 0, position = 0 } = this.#decoder.progress ?? {};
    const length = position - frameStart;
    const number = ++this.#count;
    if (this.#keepFrames) this.#frames.push({ number, offset: frameStart, length, value });
    else this.#append(value);
    if (this.#output.length >= MAX_PIECE || spend(length)) this.#left = 0;
    return --this.#left > 0;
  };

  #append(value: unknown): void {
    if (value instanceof Uint8Array) {
      this.#output.append(value);
      this.#output.append(LINE_END);
    } else {
      const line = value instanceof JsonText ? `${escapeJson(value.text)}\n` : jsonLine(value);
      this.#output.append(encoder.encode(line));
    }
  }
}
