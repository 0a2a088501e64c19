/**
 * The messages inside the reads of one side. Whatever the bytes are, the relaying goes on.
 *
 * @module
 */
import type { Codec, Decoder } from "../../framing/codec.ts";

/** What a read turned out to hold. */
export type Finding =
  | {
    type: "message";
    number: number;
    offset: number;
    length: number;
    reads: number;
    value: unknown;
  }
  | { type: "partial"; number: number; length: number }
  | { type: "unframed"; reason: string; lost: boolean };

/** Broken messages of one side that are reported; then the messages are given up. */
const MAX_BROKEN = 1_000;

const NOTHING = new Uint8Array(0);

/** Finds the messages of one side of one connection. */
export class Messages {
  readonly #decoder: Decoder<unknown>;
  #lost = false;
  #count = 0;
  #reads = 0; // since the message that has begun
  #received = 0;
  #end = 0; // of the last message
  #broken = 0;

  constructor(codec: Codec<unknown>) {
    this.#decoder = codec.decoder();
  }

  /** What this read holds. Values that are bytes may be views of the chunk. */
  push(chunk: Uint8Array): Finding[] {
    if (this.#lost) return [];
    const findings: Finding[] = [];
    const begin = this.#received;
    this.#received += chunk.length;
    this.#reads++;
    const readsBefore = this.#reads;
    const emit = (value: unknown) => {
      const { frameStart = this.#end, position = this.#received } = this.#decoder.progress ?? {};
      const reads = frameStart >= begin ? 1 : readsBefore;
      this.#end = position;
      this.#reads = 1;
      const length = position - frameStart;
      const number = ++this.#count;
      findings.push({ type: "message", number, offset: frameStart, length, reads, value });
    };
    this.#run(findings, emit, chunk);
    const partial = this.#received - Math.max(this.#end, this.#decoder.progress?.position ?? 0);
    if (!this.#lost && partial > 0) {
      findings.push({ type: "partial", number: this.#count + 1, length: partial });
    } else {
      this.#reads = 0;
    }
    return findings;
  }

  /** What the end of the stream completes, or leaves incomplete. */
  end(): Finding[] {
    if (this.#lost) return [];
    const findings: Finding[] = [];
    const reads = Math.max(1, this.#reads);
    const emit = (value: unknown) => {
      const { frameStart = this.#end } = this.#decoder.progress ?? {};
      const length = this.#received - frameStart;
      const number = ++this.#count;
      findings.push({ type: "message", number, offset: frameStart, length, reads, value });
    };
    try {
      this.#decoder.end(emit);
    } catch (error) {
      findings.push({ type: "unframed", reason: messageOf(error), lost: true });
    }
    this.#lost = true;
    return findings;
  }

  /** Decodes; when only the contents of a message are broken, goes on behind it. */
  #run(findings: Finding[], emit: (value: unknown) => void, chunk: Uint8Array): void {
    let failure: unknown;
    for (let input = chunk;; input = NOTHING) {
      try {
        this.#decoder.push(input, emit);
        return;
      } catch (error) {
        const last = findings.at(-1);
        if (error === failure && last?.type === "unframed") {
          last.lost = true;
        } else {
          const lost = ++this.#broken >= MAX_BROKEN;
          findings.push({ type: "unframed", reason: messageOf(error), lost });
        }
        if (error === failure || this.#broken >= MAX_BROKEN) {
          this.#lost = true;
          this.#decoder.takeRemaining();
          return;
        }
        failure = error;
        this.#reads = 1;
        this.#end = Math.max(this.#end, this.#decoder.progress?.position ?? 0);
      }
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
