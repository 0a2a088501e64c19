/** Codecs with random options, each with its reference and with streams that are hard on it. */
import {
  checksummed,
  cobs,
  type Codec,
  delimited,
  fixed,
  FrameError,
  json,
  lengthPrefixed,
  lines,
  mapped,
  netstring,
  slip,
  text,
  varintPrefixed,
} from "@tincan/net/framing";
import { crc32 } from "node:zlib";
import { foreign } from "./_harness.ts";
import { between } from "../_util/random.ts";
import {
  cobsReference,
  delimitedReference,
  fixedReference,
  lengthPrefixedReference,
  linesReference,
  netstringReference,
  type Reference,
  type Rules,
  slipReference,
  varintReference,
  wrapped,
} from "./_reference.ts";

type Chance = () => number;

/** A codec with random options. */
export interface RandomCodec {
  description: string;
  codec: Codec<unknown>;
  reference: Reference;
  /** Whether it finds its frames with a decoder that is none of the module. */
  isForeign: boolean;
  /** A stream for it, whole or broken, one character for each byte. */
  stream: () => string;
}

/** A byte codec before it is wrapped. */
interface Base {
  description: string;
  codec: Codec<Uint8Array>;
  reference: Reference;
  maxLength: number;
  /** Encodes what fits, however long it is. */
  encode: (message: string) => string;
  /** The bytes that mean something in it. */
  special: string;
  /** Whether the contents of a frame are the message. */
  isPlain: boolean;
}

export function bytesOfString(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (each) => each.charCodeAt(0));
}

export function stringOfBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function pick<T>(chance: Chance, choices: readonly T[]): T {
  return choices[between(chance, 0, choices.length - 1)]!;
}

/** Whose errors are reported where. */
export type OnDiscard = (error: FrameError) => void;

function randomBase(chance: Chance, onDiscard: OnDiscard): Base {
  const rules: Rules = {
    maxLength: pick(chance, [1, 2, 5, 12, 40, 300]),
    dropsLong: chance() < 0.5,
    dropsCorrupt: chance() < 0.5,
  };
  const { maxLength } = rules;
  const options = {
    maxLength,
    onTooLong: rules.dropsLong ? "discard" : "error",
    onDiscard,
  } as const;
  const packets = { ...options, onCorrupt: rules.dropsCorrupt ? "discard" : "error" } as const;
  const keepEnd = chance() < 0.3;
  const description = JSON.stringify({ ...rules, keepEnd });
  switch (between(chance, 0, 7)) {
    case 0: {
      const ending = pick(chance, ["\n", "\r\n"] as const);
      return {
        description: `lines ${description}`,
        codec: lines({ ...options, keepEnd, ending }),
        reference: linesReference({ ...rules, keepEnd }),
        maxLength,
        encode: (message) => message + ending,
        special: "\r\n",
        isPlain: !keepEnd,
      };
    }
    case 1: {
      const delimiters = pick(chance, [
        [";"],
        ["AAB"],
        ["\n", "\r\n", "END"],
        ["aab", "bb"],
        ["\0\0"],
        ["abab", "\n"],
      ]);
      return {
        description: `delimited ${JSON.stringify(delimiters)} ${description}`,
        codec: delimited(delimiters.map(bytesOfString), { ...options, keepEnd }),
        reference: delimitedReference(delimiters, { ...rules, keepEnd }),
        maxLength,
        encode: (message) => message + delimiters[0]!,
        special: delimiters.join(""),
        isPlain: !keepEnd,
      };
    }
    case 2: {
      const size = pick(chance, [1, 2, 5, 17, 400]);
      return {
        description: `fixed ${size}`,
        codec: fixed(size),
        reference: fixedReference(size),
        maxLength: size,
        encode: (message) => message.slice(0, size).padEnd(size, "."),
        special: "",
        isPlain: false,
      };
    }
    case 3: {
      const size = pick(chance, [1, 2, 3, 4, 8] as const);
      const offset = pick(chance, [0, 0, 2]);
      const layout = {
        size,
        offset,
        littleEndian: chance() < 0.5,
        adjustment: pick(chance, [0, 0, 1, -1, 3]),
        includesHeader: chance() < 0.3,
        strip: pick(chance, [offset + size, offset + size, 0, offset, offset + size + 1]),
      };
      const bias = layout.adjustment - (layout.includesHeader ? offset + size : 0);
      const encode = (message: string): string => {
        const length = BigInt.asUintN(8 * size, BigInt(message.length - bias));
        const hex = length.toString(16).padStart(2 * size, "0").match(/../g)!;
        if (layout.littleEndian) hex.reverse();
        const field = hex.map((each) => String.fromCharCode(parseInt(each, 16))).join("");
        return "h".repeat(offset) + field + message;
      };
      return {
        description: `lengthPrefixed ${JSON.stringify(layout)} ${description}`,
        codec: lengthPrefixed({ ...options, ...layout }),
        reference: lengthPrefixedReference(layout, rules),
        maxLength,
        encode,
        special: "\0\x01\x02\x05\xff",
        isPlain: layout.strip === offset + size && bias === 0,
      };
    }
    case 4:
      return {
        description: `varint ${description}`,
        codec: varintPrefixed(options),
        reference: varintReference(rules),
        maxLength,
        encode: (message) => {
          const groups = message.length.toString(2).padStart(70, "0").match(/.{7}/g)!.reverse();
          while (groups.at(-1) === "0000000" && groups.length > 1 && chance() < 0.95) groups.pop();
          return groups.map((bits, i) =>
            String.fromCharCode(parseInt(bits, 2) | (i < groups.length - 1 ? 0x80 : 0))
          ).join("") + message;
        },
        special: "\0\x01\x05\x80\xff",
        isPlain: true,
      };
    case 5:
      return {
        description: `netstring ${description}`,
        codec: netstring(options),
        reference: netstringReference(rules),
        maxLength,
        encode: (message) => `${message.length}:${message},`,
        special: "0123456789:,",
        isPlain: true,
      };
    case 6:
      return {
        description: `slip ${description}`,
        codec: slip(packets),
        reference: slipReference(rules),
        maxLength,
        encode: (message) =>
          message.replaceAll("\xdb", "\xdb\xdd").replaceAll("\xc0", "\xdb\xdc") + "\xc0",
        special: "\xc0\xdb\xdc\xdd",
        isPlain: true,
      };
    default:
      return {
        description: `cobs ${description}`,
        codec: cobs(packets),
        reference: cobsReference(rules),
        maxLength,
        encode: (message) =>
          message.split("\0").map((part) =>
            (part.match(/.{1,254}/gs) ?? [""]).map((block, i, all) => {
              const isCut = i < all.length - 1;
              return String.fromCharCode(isCut ? 255 : block.length + 1) + block;
            }).join("")
          ).join("") + "\0",
        special: "\0\x01\x02\xff",
        isPlain: true,
      };
  }
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function strictText(value: string): string | undefined {
  try {
    return strict.decode(bytesOfString(value));
  } catch {
    return undefined;
  }
}

/** Makes a codec with random options, wrapped or not. */
export function randomCodec(chance: Chance, onDiscard: OnDiscard): RandomCodec {
  const base = randomBase(chance, onDiscard);
  const drops = chance() < 0.5;
  const options = { onCorrupt: drops ? "discard" : "error", onDiscard } as const;
  const isForeign = chance() < 0.2;
  const below = isForeign ? foreign(base.codec, true) : base.codec;
  const described = (name: string): string =>
    `${name}${drops ? ", dropping" : ""}${isForeign ? ", foreign" : ""}: ${base.description}`;
  let contents = (): string => randomContents(chance, base);
  let made: Omit<RandomCodec, "isForeign" | "stream">;
  switch (between(chance, 0, 5)) {
    case 0: {
      const reference = wrapped(base.reference, drops, (value) => {
        const text = strictText(value);
        const { length } = value;
        return text === undefined ? { code: "corrupt", length } : { value: text };
      });
      made = { description: described("text"), codec: text(below, options), reference };
      break;
    }
    case 1: {
      const reference = wrapped(base.reference, drops, (value) => {
        const text = strictText(value);
        if (text === undefined) return { code: "corrupt", length: value.length };
        try {
          return { value: JSON.parse(text) };
        } catch {
          return { code: "corrupt" };
        }
      });
      contents = () =>
        pick(chance, ["1", '"é"', "{}", "[1,2]", "null", "", "x", "{", "\u00ff", " 7\t"])
          .slice(0, base.maxLength + 1);
      made = { description: described("json"), codec: json(below, options), reference };
      break;
    }
    case 2: {
      const reference = wrapped(base.reference, drops, (value) => {
        const { length } = value;
        if (length < 4) return { code: "corrupt", length };
        const sum = crc32(bytesOfString(value.slice(0, -4))).toString(16).padStart(8, "0");
        const stored = Array.from(
          value.slice(-4),
          (each) => each.charCodeAt(0).toString(16).padStart(2, "0"),
        ).join("");
        return sum === stored ? { value: value.slice(0, -4) } : { code: "checksum", length };
      });
      const plain = contents;
      contents = () => {
        const message = plain();
        const sum = crc32(bytesOfString(message));
        const stored = [24, 16, 8, 0].map((bits) => String.fromCharCode((sum >>> bits) & 255));
        return chance() < 0.9 ? message + stored.join("") : message;
      };
      const codec = checksummed(below, "crc32", options);
      made = { description: described("checksummed"), codec, reference };
      break;
    }
    case 3: {
      const reference = wrapped(base.reference, drops, (value) => {
        if (value.length % 3 === 2) return { code: "corrupt" };
        return value.startsWith("a") ? { code: "checksum", length: 77 } : { value: value.length };
      });
      const codec = mapped<Uint8Array, unknown>(below, {
        ...options,
        decode: (frame) => {
          if (frame.length % 3 === 2) throw new RangeError("not this length");
          if (frame[0] === 0x61) throw new FrameError("checksum", "mine", { length: 77 });
          return frame.length;
        },
        encode: () => new Uint8Array(0),
      });
      made = { description: described("mapped"), codec, reference };
      break;
    }
    default:
      made = {
        description: base.description + (isForeign ? ", foreign" : ""),
        codec: below,
        reference: base.reference,
      };
  }
  return { ...made, isForeign, stream: () => randomStream(chance, base, contents) };
}

/** A message for a byte codec, with the frame that it should become. */
export interface RandomMessage {
  description: string;
  codec: Codec<Uint8Array>;
  reference: Reference;
  message: string;
  encoded: string;
}

export function randomMessage(chance: Chance): RandomMessage {
  for (;;) {
    const base = randomBase(chance, () => {});
    // Where a frame is more than its message, or the other way round, vectors say what it is.
    if (!base.isPlain) continue;
    const message = randomContents(chance, base);
    return { ...base, message, encoded: base.encode(message) };
  }
}

function randomContents(chance: Chance, { maxLength, special }: Base): string {
  const length = pick(chance, [
    0,
    1,
    between(chance, 0, 6),
    between(chance, 0, maxLength),
    maxLength - 1,
    maxLength,
    maxLength + 1,
    between(chance, maxLength, 3 * maxLength),
  ]);
  const alphabet = pick(chance, [
    `${special}a`,
    "abc",
    "\xff\xc3\xa9\xef\xbf\xbda",
    "\0\x01a\xdb\xc0",
  ]);
  const one = pick(chance, [...alphabet]);
  const isUniform = chance() < 0.3;
  let text = "";
  while (text.length < length) text += isUniform ? one : pick(chance, [...alphabet]);
  return text;
}

function randomStream(chance: Chance, base: Base, contents: () => string): string {
  let stream = "";
  const isDense = chance() < 0.03;
  const count = isDense ? between(chance, 1500, 4000) : between(chance, 0, 12);
  const dense = isDense ? base.encode(contents().slice(0, 3)) : "";
  const garbage = chance() < 0.5 ? 0 : chance() * 0.3;
  for (let i = 0; i < count; i++) {
    if (isDense && chance() < 0.98) {
      stream += dense;
      continue;
    }
    let piece = base.encode(contents());
    if (chance() < garbage) piece = damaged(chance, piece, base.special);
    if (chance() < garbage / 4) piece = randomContents(chance, base);
    stream += piece;
  }
  return chance() < 0.3 ? stream.slice(0, between(chance, 0, stream.length)) : stream;
}

function damaged(chance: Chance, piece: string, special: string): string {
  const at = between(chance, 0, Math.max(0, piece.length - 1));
  const other = pick(chance, [...special, "\0", "\xff", "9", "a"]);
  const instead = pick(chance, [other, "", other + (piece[at] ?? "")]);
  return piece.slice(0, at) + instead + piece.slice(at + 1);
}
