/** The lines for one person, and where they go. @module */
/** Where a room's lines for one person go. */
export interface ChatOutput {
  /**
   * Takes a line, with its newline, as UTF-8. All members are given the same bytes: they must not be
   * changed, and they never are.
   */
  send(line: Uint8Array): void;
  /**
   * Settles when the lines sent so far are on their way. In the middle of what is long (the history, the
   * names) the room waits for it, and keeps what others say meanwhile for after it. Without it, all is
   * sent at once.
   */
  flush?(): Promise<void>;
  /** The person is to be disconnected once everything was sent. Called at most once. */
  end(): void;
}

/** Bytes that go out before the room waits for them to be taken: a history of the usual size fits. */
const PIECE = 8 * 1024;

/** Bytes said by others that may wait after a long answer: as much as for any slow reader. */
const MAX_BYTES_AFTER = 256 * 1024;

/** Lines said by others that may wait after a long answer, however short: no one reads back further. */
const MAX_LINES_AFTER = 1_000;

/**
 * Gives lines to an output. What one person gets at once, such as the history, goes out in pieces, each
 * after the one before was taken, so that no queue has to hold all of it; what others say meanwhile comes
 * after it.
 */
export class PacedLines {
  readonly #output: ChatOutput;
  readonly #onFull: () => void;
  #queue: Uint8Array[] | undefined; // while lines go out in pieces
  #next = 0; // of the queue
  #linesAfter = 0;
  #bytesAfter = 0;
  #ready: Promise<void> | undefined;

  /** `onFull` is called, instead of taking a line, when too much waits after a long answer. */
  constructor(output: ChatOutput, onFull: () => void) {
    this.#output = output;
    this.#onFull = onFull;
  }

  /** Settles when all pieces are on their way; `undefined` if none waits. */
  get ready(): Promise<void> | undefined {
    return this.#ready;
  }

  /** Sends a line. */
  send(line: Uint8Array): void {
    if (this.#queue === undefined) return this.#output.send(line);
    this.#linesAfter++;
    this.#bytesAfter += line.length;
    if (this.#linesAfter > MAX_LINES_AFTER || this.#bytesAfter > MAX_BYTES_AFTER) {
      return this.#onFull();
    }
    this.#queue.push(line);
  }

  /** Sends lines that are many together. */
  sendAll(lines: readonly Uint8Array[]): void {
    if (this.#queue !== undefined) return lines.forEach((line) => this.send(line));
    this.#queue = lines.slice();
    this.#ready = this.#sendPiece();
  }

  /** Forgets what waits. */
  drop(): void {
    this.#queue = undefined;
    this.#ready = undefined;
    this.#next = this.#linesAfter = this.#bytesAfter = 0;
  }

  /** Sends up to a piece, and sees to the rest. */
  #sendPiece(): Promise<void> | undefined {
    let bytes = 0;
    while (this.#queue !== undefined) {
      const line = this.#queue[this.#next];
      if (line === undefined) return this.drop() as undefined;
      if (bytes >= PIECE && this.#output.flush !== undefined) {
        // The failure is reported by `send`; what waits for the connection can be forgotten.
        return this.#output.flush().then(() => this.#sendPiece(), () => this.drop());
      }
      this.#next++;
      bytes += line.length;
      this.#output.send(line);
    }
    return undefined;
  }
}
