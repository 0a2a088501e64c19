/** The skeleton of codecs whose packets are escaped so that one byte can end them. @module */
import { scanCodec } from "./_byte_codec.ts";
import type { FramingCodec } from "./codec.ts";
import type { Cursor } from "./_cursor.ts";
import { checkOptions, type OptionNames } from "../common/options.ts";
import { CORRUPT_NAMES, DropPolicy } from "./_drop_policy.ts";
import { LengthLimit, LIMIT_NAMES } from "./_length_limit.ts";
import type { PacketOptions } from "./limits.ts";
import type { OutputBuffer } from "./output_buffer.ts";
import { refusePartial } from "./_counting_scanner.ts";
import { SearchScanner } from "./_search_scanner.ts";

const OPTIONS: OptionNames<PacketOptions> = { ...LIMIT_NAMES, ...CORRUPT_NAMES };

/** What {@linkcode PacketRules.check} returns for a packet that is too long. */
export const TOO_LONG = Symbol("too long");

/** How packets are escaped. */
export interface PacketRules {
  /**
   * Checks the packet from `start` to `stop`. While a packet grows, this is called with the same
   * start of the same packet, and more of it.
   *
   * @param ended Whether the packet is whole.
   * @returns What is wrong with it, if anything is.
   */
  check(
    bytes: Uint8Array,
    packet: { start: number; stop: number; ended: boolean },
  ): string | typeof TOO_LONG | undefined;
  /** Returns the contents of the whole packet that was checked last. */
  decode(bytes: Uint8Array, start: number, stop: number): Uint8Array;
  /** Forgets the packet that was checked last. */
  reset(): void;
}

/** A way to escape packets. */
export interface PacketFormat {
  /** The function that makes the codec, for messages. */
  name: string;
  /** The byte after each packet. */
  terminator: number;
  /** Makes the rules for packets of up to `maxLength` bytes. */
  rules: (maxLength: number) => PacketRules;
  /** The most bytes that a packet of `length` bytes takes, with its terminator. */
  maxSize: (length: number) => number;
  /** Writes a packet that is not too long. */
  encode: (message: Uint8Array, output: OutputBuffer) => void;
}

/** Makes a codec of packets. */
export function packetCodec(
  { name, terminator, rules, maxSize, encode }: PacketFormat,
  options: PacketOptions,
): FramingCodec<Uint8Array> {
  checkOptions<PacketOptions>(name, options, OPTIONS);
  const limit = new LengthLimit(options);
  const onCorrupt = DropPolicy.ofCorrupt(options);
  return scanCodec({
    scanner: () => new PacketScanner(limit, terminator, rules(limit.maxLength), onCorrupt),
    maxSize: maxSize(limit.maxLength),
    encodeInto(message, output) {
      limit.checkMessage(message.length);
      encode(message, output);
    },
  });
}

/** Finds packets by their last byte. Empty ones are dropped. */
class PacketScanner extends SearchScanner {
  readonly #rules: PacketRules;
  readonly #onCorrupt: DropPolicy;

  constructor(limit: LengthLimit, terminator: number, rules: PacketRules, onCorrupt: DropPolicy) {
    super(limit, terminator);
    this.#rules = rules;
    this.#onCorrupt = onCorrupt;
  }

  protected override search(cursor: Cursor): void {
    const { bytes } = cursor;
    const terminators = this.finder;
    const rules = this.#rules;
    let stop = terminators.find(cursor.start + this.searched);
    this.searched = 0;
    while (stop !== -1) {
      const { start } = cursor;
      const next = stop + 1;
      if (cursor.dropping || stop === start) {
        cursor.dropping = false;
        cursor.start = next;
      } else {
        const problem = rules.check(bytes, { start, stop, ended: true });
        if (problem === undefined) {
          const packet = rules.decode(bytes, start, stop);
          rules.reset();
          if (!cursor.emitOther(packet, next)) return;
        } else {
          this.#refuse(cursor, problem, next);
          if (cursor.stopped) return;
        }
      }
      stop = terminators.find(next);
    }
    this.#scanPartial(cursor);
  }

  override finish(cursor: Cursor): void {
    refusePartial(cursor);
  }

  override reset(): void {
    super.reset();
    this.#rules.reset();
  }

  #scanPartial(cursor: Cursor): void {
    const { bytes, start } = cursor;
    const stop = bytes.length;
    if (cursor.dropping) return void (cursor.start = stop);
    const problem = this.#rules.check(bytes, { start, stop, ended: false });
    if (problem === undefined) this.searched = stop - start;
    else this.#refuse(cursor, problem, stop, true);
  }

  /** Throws or drops the packet at the cursor, which reaches to index `next`. */
  #refuse(cursor: Cursor, problem: string | typeof TOO_LONG, next: number, isOpen = false): void {
    this.#rules.reset();
    if (problem === TOO_LONG) return this.limit.refuse(cursor, { next, isOpen });
    cursor.refuse(this.#onCorrupt, {
      next,
      isOpen,
      error: (make) =>
        make("corrupt", `Cannot read a packet: ${problem}`, { offset: cursor.position }),
    });
  }
}
