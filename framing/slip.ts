/** SLIP: packets on a serial line, after RFC 1055. @module */
import { FrameError } from "../errors.ts";
import type { FramingCodec } from "./codec.ts";
import type { PacketOptions } from "./limits.ts";
import type { OutputBuffer } from "./output_buffer.ts";
import { packetCodec, type PacketRules, TOO_LONG } from "./_packet_codec.ts";
import { Slab } from "../common/slab.ts";

const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;

/**
 * SLIP packets: the byte C0 ends a packet; C0 and DB inside it are escaped as DB DC and DB DD.
 *
 * Empty packets, which senders use to flush noise from the line, are dropped. A byte that may not
 * follow an escape is `corrupt`.
 *
 * @param options Limit, and what to do about long or broken packets.
 * @returns The codec. Its `encode` throws a `FrameError` with code `too_long` for a message beyond the
 * limit, and `corrupt` for an empty one, which no receiver would see.
 * @throws {RangeError | TypeError} When an option is out of range or of the wrong kind.
 *
 * @example
 * ```ts
 * import { slip } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(slip().encode(Uint8Array.of(1, 0xc0)), Uint8Array.of(1, 0xdb, 0xdc, 0xc0));
 * ```
 */
export function slip(options: PacketOptions = {}): FramingCodec<Uint8Array> {
  return packetCodec({
    name: "slip",
    terminator: END,
    rules: (maxLength) => new SlipRules(maxLength),
    maxSize: (length) => 2 * length + 1,
    encode: encodePacket,
  }, options);
}

function encodePacket(message: Uint8Array, output: OutputBuffer): void {
  const { length } = message;
  if (length === 0) {
    throw new FrameError("corrupt", "Cannot write an empty message: SLIP has no empty packets", {
      length,
    });
  }
  let total = length + 1;
  for (let i = 0; i < length; i++) if (isSpecial(message[i]!)) total++;
  const start = output.reserve(total);
  const { bytes } = output;
  let at = start;
  if (total === length + 1) {
    bytes.set(message, at);
  } else {
    for (let i = 0; i < length; i++) {
      const byte = message[i]!;
      if (isSpecial(byte)) {
        bytes[at++] = ESC;
        bytes[at++] = byte === END ? ESC_END : ESC_ESC;
      } else {
        bytes[at++] = byte;
      }
    }
  }
  bytes[start + total - 1] = END;
  output.advance(total);
}

function isSpecial(byte: number): boolean {
  return byte === END || byte === ESC;
}

class SlipRules implements PacketRules {
  readonly #maxLength: number;
  readonly #slab = new Slab();
  /** How much of the packet was checked; less by an escape whose second byte is missing. */
  #checked = 0;
  /** How many bytes what was checked stands for. */
  #length = 0;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  check(
    bytes: Uint8Array,
    { start, stop, ended }: { start: number; stop: number; ended: boolean },
  ): string | typeof TOO_LONG | undefined {
    let at = start + this.#checked;
    const escape = bytes.subarray(at, stop).indexOf(ESC);
    const plain = escape === -1 ? stop - at : escape;
    at += plain;
    let length = this.#length + plain;
    for (; at < stop && length <= this.#maxLength; at++, length++) {
      if (bytes[at] !== ESC) continue;
      if (at + 1 === stop) {
        if (ended) return "it ends inside an escape";
        break;
      }
      const escaped = bytes[++at]!;
      if (escaped !== ESC_END && escaped !== ESC_ESC) {
        return `the byte 0x${escaped.toString(16).padStart(2, "0")} may not follow an escape`;
      }
    }
    if (length > this.#maxLength) return TOO_LONG;
    this.#checked = at - start;
    this.#length = length;
    return undefined;
  }

  decode(bytes: Uint8Array, start: number, stop: number): Uint8Array {
    const length = this.#length;
    if (length === stop - start) {
      return new Uint8Array(bytes.buffer, bytes.byteOffset + start, length);
    }
    const packet = this.#slab.take(length);
    let at = start;
    for (let i = 0; i < length; i++) {
      const byte = bytes[at++]!;
      packet[i] = byte !== ESC ? byte : bytes[at++] === ESC_END ? END : ESC;
    }
    return packet;
  }

  reset(): void {
    this.#checked = 0;
    this.#length = 0;
  }
}
