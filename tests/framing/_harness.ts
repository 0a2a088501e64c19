// Runs codecs on bytes that are cut in every way, and makes them from the vectors' descriptions.
import {
  checksummed,
  cobs,
  type Codec,
  type Decoder,
  delimited,
  fixed,
  FrameError,
  lengthPrefixed,
  lines,
  netstring,
  slip,
  varintPrefixed,
} from "@tincan/net/framing";

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Options as the vectors have them. */
export interface VectorOptions {
  size?: number;
  delimiter?: string;
  delimiters?: string[];
  onDiscard?: (error: FrameError) => void;
  [name: string]: unknown;
}

/** Makes the codec that a vector names. */
export function codecOf(name: string, options: VectorOptions): Codec<Uint8Array> {
  switch (name) {
    case "lines":
      return lines(options);
    case "delimited": {
      const { delimiter, delimiters, ...rest } = options;
      return delimited(delimiter ? fromHex(delimiter) : delimiters!.map(fromHex), rest);
    }
    case "lengthPrefixed":
      return lengthPrefixed(options as Parameters<typeof lengthPrefixed>[0]);
    case "varintPrefixed":
      return varintPrefixed(options);
    case "fixed":
      return fixed(options.size!);
    case "netstring":
      return netstring(options);
    case "slip":
      return slip(options);
    case "cobs":
      return cobs(options);
    default:
      throw new Error(`no codec ${name}`);
  }
}

/** What came of decoding. */
export interface Outcome {
  frames: string[];
  error: string | undefined;
  offset: number | undefined;
  remaining: string;
}

/** Decodes `chunks`, each in memory that is overwritten as soon as `push` returns. */
export function decode(
  decoder: Decoder<Uint8Array>,
  chunks: Iterable<Uint8Array>,
  { end = true }: { end?: boolean } = {},
): Outcome {
  const frames: string[] = [];
  const emit = (frame: Uint8Array) => void frames.push(toHex(frame));
  let error: string | undefined;
  let offset: number | undefined;
  try {
    for (const chunk of chunks) {
      const borrowed = chunk.slice();
      try {
        decoder.push(borrowed, emit);
      } finally {
        borrowed.fill(0xee);
      }
    }
    if (end) decoder.end(emit);
  } catch (cause) {
    if (!(cause instanceof FrameError)) throw cause;
    error = cause.code;
    offset = cause.offset;
  }
  return { frames, error, offset, remaining: toHex(decoder.takeRemaining!()) };
}

/** Every cut that vectors are run with: whole, byte by byte, and in two at every place. */
export function* everyCut(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
}

/** Cuts `bytes` into pieces of the lengths given, over and over. */
export function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const length = lengths.length === 0 ? bytes.length : lengths[i % lengths.length]!;
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}

/** A codec with what the tests need to know about it. */
export interface Subject {
  name: string;
  codec: Codec<Uint8Array>;
  /** Makes any bytes into a message that the codec takes. */
  fit: (message: Uint8Array) => Uint8Array;
  /** How much of its memory a frame may take besides its limit. */
  overhead: number;
}

const asIs = (message: Uint8Array) => message;
const without = (...bad: number[]) => (message: Uint8Array) =>
  message.map((byte) => bad.includes(byte) ? 0x20 : byte);

/** Every byte codec, with a limit of `maxLength`. */
export function allCodecs(maxLength: number, discard?: (error: FrameError) => void): Subject[] {
  const options = discard === undefined
    ? { maxLength }
    : { maxLength, onTooLong: "discard" as const, onDiscard: discard };
  const packets = discard === undefined ? options : { ...options, onCorrupt: "discard" as const };
  const record = (message: Uint8Array) => {
    const frame = new Uint8Array(5);
    frame.set(message.subarray(0, 5));
    return frame;
  };
  const filled = (message: Uint8Array) => message.length === 0 ? Uint8Array.of(1) : message;
  const subjects: Subject[] = [
    { name: "lines", codec: lines(options), fit: without(0x0a, 0x0d), overhead: 2 },
    {
      name: "lines, \\r\\n",
      codec: lines({ ...options, ending: "\r\n" }),
      fit: without(0x0a),
      overhead: 2,
    },
    { name: "delimited, 1", codec: delimited(";", options), fit: without(0x3b), overhead: 1 },
    { name: "delimited, 3", codec: delimited("AAB", options), fit: without(0x41), overhead: 3 },
    {
      name: "delimited, several",
      codec: delimited(["\n", "\r\n", "END"], options),
      fit: without(0x0a, 0x0d, 0x45),
      overhead: 3,
    },
    { name: "fixed", codec: fixed(5), fit: record, overhead: 0 },
    { name: "varint", codec: varintPrefixed(options), fit: asIs, overhead: 10 },
    { name: "netstring", codec: netstring(options), fit: asIs, overhead: 18 },
    { name: "slip", codec: slip(packets), fit: filled, overhead: maxLength + 1 },
    { name: "cobs", codec: cobs(packets), fit: asIs, overhead: maxLength / 254 + 2 },
  ];
  for (const size of [2, 3, 4, 8] as const) {
    for (const littleEndian of [false, true]) {
      subjects.push({
        name: `length prefix of ${size}, ${littleEndian ? "little" : "big"}-endian`,
        codec: lengthPrefixed({ size, littleEndian, ...options }),
        fit: asIs,
        overhead: size,
      });
    }
  }
  subjects.push({
    name: "length prefix that counts itself behind two bytes",
    codec: lengthPrefixed({ size: 4, offset: 2, includesHeader: true, ...options }),
    fit: asIs,
    overhead: 6,
  });
  subjects.push({
    name: "length prefix with a byte that it does not count",
    codec: lengthPrefixed({ size: 3, adjustment: 1, strip: 4, ...options }),
    fit: (message) => message.subarray(0, maxLength - 1),
    overhead: 4,
  });
  for (const below of [lengthPrefixed(options), cobs(packets)]) {
    subjects.push({
      name: "checksummed",
      codec: checksummed(
        below,
        "crc32",
        discard === undefined ? {} : {
          onCorrupt: "discard",
          onDiscard: discard,
        },
      ),
      fit: (message) => message.subarray(0, maxLength - 4),
      overhead: maxLength / 254 + 6,
    });
  }
  return subjects;
}

/** A codec from outside the library: it knows only what the contract says, with progress or without. */
export function foreign<T>(codec: Codec<T>, hasProgress = false): Codec<T> {
  return {
    encode: (message) => codec.encode(message),
    decoder() {
      const inner = codec.decoder();
      return {
        push: (chunk, emit) => inner.push(chunk, emit),
        end: (emit) => inner.end(emit),
        takeRemaining: () => inner.takeRemaining!(),
        progress: hasProgress ? inner.progress : undefined,
      };
    },
  };
}
