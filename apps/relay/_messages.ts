/**
 * The messages inside the reads of one side, whatever the bytes are.
 *
 * @module
 */
import { FrameSkipper, NOTHING } from "../../common/broken_frames.ts";
import type { EventStamp } from "../../common/event_clock.ts";
import { messageOf } from "../../common/system_reason.ts";
import type { Codec, Decoder } from "../../framing/mod.ts";
import type { RelayEvent } from "./events.ts";

/** What a read turned out to hold: an event without its time and side. */
export type Finding = FindingOf<RelayEvent>;

type FindingOf<Event> = Event extends { type: "message" | "partial" | "unframed" }
  ? Omit<Event, keyof EventStamp | "from">
  : never;

/** Broken messages of one side that are reported; then the messages are given up. */
const MAX_BROKEN = 1_000;

/** Messages that are found at a time: what one step takes, and what a read full of them may hold. */
const BATCH = 64;

/** Finds the messages of one side of one connection. */
export class Messages {
  readonly #decoder: Decoder<unknown>;
  readonly #skipper: FrameSkipper<unknown>;
  #lost = false;
  #count = 0;
  #reads = 0; // since the message that has begun
  #received = 0;
  #end = 0; // of the last message
  #errors = 0;

  constructor(codec: Codec<unknown>) {
    this.#decoder = codec.decoder();
    this.#skipper = new FrameSkipper(this.#decoder);
  }

  /**
   * What this read holds, found as it is asked for: a read can hold a million messages. All of it must
   * be asked for before the next call. Values that are bytes may be views of the chunk.
   */
  *push(chunk: Uint8Array): Generator<Finding, void> {
    if (this.#lost) return;
    const begin = this.#received;
    this.#received += chunk.length;
    this.#reads++;
    const readsBefore = this.#reads;
    const found: Finding[] = [];
    const emit = (value: unknown) => {
      const { frameStart = this.#end, position = this.#received } = this.#decoder.progress ?? {};
      const reads = frameStart >= begin ? 1 : readsBefore;
      found.push(this.#message(value, frameStart, position, reads));
      this.#end = position;
      this.#reads = 1;
      return found.length < BATCH;
    };
    for (let input = chunk; !this.#lost; input = NOTHING) {
      const broken = this.#skipper.push(input, emit);
      const isOver = broken === undefined && found.length < BATCH; // otherwise it may have more
      const last = found.at(-1);
      if (broken?.isLast && last?.type === "unframed") {
        found.splice(-1, 1, { ...last, lost: true });
        this.#lose();
      }
      yield* found.splice(0);
      if (broken !== undefined && !this.#lost) found.push(this.#broken(broken.error));
      if (isOver) break;
    }
    yield* found;
    const partial = this.#received - Math.max(this.#end, this.#decoder.progress?.position ?? 0);
    if (!this.#lost && partial > 0) {
      yield { type: "partial", number: this.#count + 1, length: partial };
    } else {
      this.#reads = 0;
    }
  }

  /** What the end of the stream completes, or leaves incomplete. */
  end(): Finding[] {
    if (this.#lost) return [];
    const findings: Finding[] = [];
    const emit = (value: unknown) => {
      const { frameStart = this.#end } = this.#decoder.progress ?? {};
      findings.push(this.#message(value, frameStart, this.#received, Math.max(1, this.#reads)));
    };
    try {
      this.#decoder.end(emit);
    } catch (error) {
      findings.push({ type: "unframed", reason: messageOf(error), lost: true });
    }
    this.#lost = true;
    return findings;
  }

  #message(value: unknown, offset: number, end: number, reads: number): Finding {
    return { type: "message", number: ++this.#count, offset, length: end - offset, reads, value };
  }

  #broken(error: unknown): Finding {
    const lost = ++this.#errors >= MAX_BROKEN;
    if (lost) this.#lose();
    this.#reads = 1;
    this.#end = Math.max(this.#end, this.#decoder.progress?.position ?? 0);
    return { type: "unframed", reason: messageOf(error), lost };
  }

  #lose(): void {
    this.#lost = true;
    this.#decoder.takeRemaining?.();
  }
}
