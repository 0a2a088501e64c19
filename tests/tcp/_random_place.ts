/** A place in a stream of which every byte is known: what was taken so far, in whatever way. */
import { checkThrows, tooLong, valueOf } from "./_random_outcome.ts";
import { lineAt, type Message, type Reference } from "./_random_stream.ts";

const decoder = new TextDecoder();

/** Checks what is taken, and moves on. */
export class Place {
  readonly stream: Uint8Array;
  at = 0;

  constructor(stream: Uint8Array) {
    this.stream = stream;
  }

  /** Whether everything was taken. */
  get isEnd(): boolean {
    return this.at >= this.stream.length;
  }

  /** How many whole messages are to come, as far as it matters. */
  available(reference: Reference): number {
    let count = 0;
    let next = reference.next(this.stream, this.at);
    while (next !== undefined && ++count < 8) next = reference.next(this.stream, next.after);
    return count;
  }

  takeLine(outcome: { value: string | null } | { error: unknown }, maxLength: number): void {
    const line = lineAt(this.stream, this.at);
    if (line === undefined) throw new Error("there was a line to read");
    // Whether the CR of a CR LF counts is told only by what comes after it.
    if (line.message.length > maxLength) return checkThrows(outcome, tooLong);
    const value = valueOf(outcome);
    if (value !== decoder.decode(line.message)) {
      throw new Error(`gave ${JSON.stringify(value)}, not the line that is next`);
    }
    this.at = line.after;
  }

  takeMessage(message: Message | null, reference: Reference): void {
    const next = reference.next(this.stream, this.at);
    const expected = next && decoder.decode(next.message);
    const given = message instanceof Uint8Array ? decoder.decode(message) : message;
    if (given !== expected) {
      throw new Error(
        `gave ${JSON.stringify(given)}, expected ${JSON.stringify(expected)} (${reference.name})`,
      );
    }
    this.at = next?.after ?? this.at;
  }

  skipMessage(reference: Reference): void {
    this.at = reference.next(this.stream, this.at)?.after ?? this.at;
  }

  take(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] === this.stream[this.at + i]) continue;
      throw new Error(`gave ${JSON.stringify(decoder.decode(bytes))}: byte ${i} is wrong`);
    }
    this.at += bytes.length;
  }
}
