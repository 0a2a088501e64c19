/** COBS: packets without zero bytes, after Cheshire and Baker. @module */
import type { FramingCodec } from "./codec.ts";
import type { PacketOptions } from "./limits.ts";
import type { OutputBuffer } from "./output_buffer.ts";
import { packetCodec, type PacketRules, TOO_LONG } from "./_packet_codec.ts";
import { Slab } from "../common/slab.ts";

const TERMINATOR = 0;
/** The code of a block of 254 bytes that stands for no zero. */
const FULL_BLOCK = 0xff;
const MAX_BLOCK = 254;

/**
 * Consistent overhead byte stuffing: each packet is rewritten without zero bytes, at a cost of one
 * byte in 254, and a zero byte ends it.
 *
 * Zero bytes with nothing in between, which senders use to flush noise from the line, are dropped. A
 * block that is shorter than its first byte announces is `corrupt`.
 *
 * @param options Limit, and what to do about long or broken packets.
 * @returns The codec. Its `encode` throws a `FrameError` with code `too_long` for a message beyond the
 * limit.
 * @throws {RangeError | TypeError} When an option is out of range or of the wrong kind.
 *
 * @example
 * ```ts
 * import { cobs } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cobs().encode(Uint8Array.of(0x11, 0, 0x22)), Uint8Array.of(2, 0x11, 2, 0x22, 0));
 * ```
 */
export function cobs(options: PacketOptions = {}): FramingCodec<Uint8Array> {
  const codec = packetCodec({
    name: "cobs",
    terminator: TERMINATOR,
    rules: (maxLength) => new CobsRules(maxLength),
    maxSize: maxEncodedLength,
    encode: encodePacket,
  }, options);
  // Memory of the right size: the packet was given room for the worst case.
  return { ...codec, encode: (message) => codec.encode(message).slice() };
}

function encodePacket(message: Uint8Array, output: OutputBuffer): void {
  const { length } = message;
  const start = output.reserve(maxEncodedLength(length));
  const { bytes } = output;
  let code = start;
  let at = start + 1;
  for (let i = 0; i < length; i++) {
    const byte = message[i]!;
    if (byte !== 0) {
      bytes[at++] = byte;
      // A block that is full and last needs none after it.
      if (at - code <= MAX_BLOCK || i === length - 1) continue;
    }
    bytes[code] = at - code;
    code = at++;
  }
  bytes[code] = at - code;
  bytes[at++] = TERMINATOR;
  output.advance(at - start);
}

/** The most bytes that a packet of `length` bytes can take, with its terminator. */
function maxEncodedLength(length: number): number {
  return length + Math.floor(length / MAX_BLOCK) + 2;
}

class CobsRules implements PacketRules {
  readonly #maxLength: number;
  readonly #slab = new Slab();
  /** How many bytes the packet checked last stands for. */
  #length = 0;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  check(
    bytes: Uint8Array,
    { start, stop, ended }: { start: number; stop: number; ended: boolean },
  ): string | typeof TOO_LONG | undefined {
    // Except for the first byte, at most one byte in 255 stands for nothing.
    const rest = stop - start - 1;
    if (rest - Math.floor(rest / 255) > this.#maxLength) return TOO_LONG;
    if (!ended) return undefined;
    let length = 0;
    let at = start;
    let code = 0;
    while (at < stop) {
      code = bytes[at]!;
      at += code;
      length += code === FULL_BLOCK ? MAX_BLOCK : code;
    }
    if (at > stop) return `its last block lacks ${at - stop} of the bytes it announces`;
    // Every block but a full one stands for a zero after it, unless it is the last.
    if (code !== FULL_BLOCK) length--;
    if (length > this.#maxLength) return TOO_LONG;
    this.#length = length;
    return undefined;
  }

  decode(bytes: Uint8Array, start: number, stop: number): Uint8Array {
    const length = this.#length;
    if (start + bytes[start]! === stop) {
      return new Uint8Array(bytes.buffer, bytes.byteOffset + start + 1, length);
    }
    // Memory from the slab is zero, so the zeros need not be written.
    const packet = this.#slab.take(length);
    let to = 0;
    for (let at = start; at < stop;) {
      const code = bytes[at]!;
      for (let i = 1; i < code; i++) packet[to++] = bytes[at + i]!;
      if (code !== FULL_BLOCK) to++;
      at += code;
    }
    return packet;
  }

  reset(): void {}
}
