/** The scanner of codecs whose packets are escaped so that one byte can end them. @module */
import { ByteFinder } from "./_byte_finder.ts";
import type { Cursor } from "./_cursor.ts";
import type { OptionNames } from "../common/options.ts";
import { CORRUPT_NAMES, type DropPolicy } from "./_drop_policy.ts";
import type { MakeFrameError } from "./_frame_error.ts";
import { type LengthLimit, LIMIT_NAMES } from "./_length_limit.ts";
import type { PacketOptions } from "./limits.ts";
import type { Scanner } from "./_scan_decoder.ts";
import { refusePartial } from "./_counting_scanner.ts";

/** The options of codecs of packets. */
export const PACKET_NAMES: OptionNames<PacketOptions> = { ...LIMIT_NAMES, ...CORRUPT_NAMES };

/** What {@linkcode PacketRules.check} answers about a packet that is too long. */
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

/** What {@linkcode PacketScanner} needs. */
export interface PacketScannerOptions {
  /** The byte after each packet. */
  terminator: number;
  rules: PacketRules;
  limit: LengthLimit;
  /** What becomes of broken packets. */
  onCorrupt: DropPolicy;
}

/** Finds packets by their last byte. Empty ones are dropped. */
export class PacketScanner implements Scanner {
  readonly #terminator: number;
  readonly #terminators: ByteFinder;
  readonly #rules: PacketRules;
  readonly #limit: LengthLimit;
  readonly #onCorrupt: DropPolicy;
  /** How much of the packet begun is known to hold no terminator. */
  #searched = 0;

  constructor({ terminator, rules, limit, onCorrupt }: PacketScannerOptions) {
    this.#terminator = terminator;
    this.#terminators = new ByteFinder(terminator);
    this.#rules = rules;
    this.#limit = limit;
    this.#onCorrupt = onCorrupt;
  }

  scan(cursor: Cursor): void {
    this.#terminators.load(cursor.bytes);
    try {
      this.#scanPackets(cursor);
      if (!cursor.stopped) this.#scanPartial(cursor);
    } finally {
      this.#terminators.unload();
    }
  }

  #scanPackets(cursor: Cursor): void {
    const { bytes } = cursor;
    const terminators = this.#terminators;
    const rules = this.#rules;
    let stop = terminators.find(cursor.start + this.#searched);
    this.#searched = 0;
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
          this.#refuse(cursor, problem, { next, isOpen: false });
          if (cursor.stopped) return;
        }
      }
      stop = terminators.find(next);
    }
  }

  reach(chunk: Uint8Array, from: number): number {
    const stop = chunk.indexOf(this.#terminator, from);
    return stop === -1 ? chunk.length : stop + 1 - from;
  }

  finish(cursor: Cursor): void {
    refusePartial(cursor);
  }

  reset(): void {
    this.#searched = 0;
    this.#rules.reset();
  }

  #scanPartial(cursor: Cursor): void {
    const { bytes, start } = cursor;
    const stop = bytes.length;
    if (cursor.dropping) return void (cursor.start = stop);
    const problem = this.#rules.check(bytes, { start, stop, ended: false });
    if (problem === undefined) this.#searched = stop - start;
    else this.#refuse(cursor, problem, { next: stop, isOpen: true });
  }

  /** Throws or drops the packet at the cursor. */
  #refuse(
    cursor: Cursor,
    problem: string | typeof TOO_LONG,
    { next, isOpen }: { next: number; isOpen: boolean },
  ): void {
    this.#rules.reset();
    if (problem === TOO_LONG) {
      const error = (make: MakeFrameError) => this.#limit.error(cursor, { make });
      return cursor.refuse(this.#limit.policy, { next, isOpen, error });
    }
    cursor.refuse(this.#onCorrupt, {
      next,
      isOpen,
      error: (make) =>
        make("corrupt", `Cannot read a packet: ${problem}`, { offset: cursor.position }),
    });
  }
}
