/**
 * What peers do wrong, told to people.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import { formatAddr } from "../common/address.ts";
import { printNote } from "./output.ts";

/** Lines in one interval: a person reads no more, and a peer cannot fill a disk with its mistakes. */
const MAX_LINES = 10;
/** The interval in milliseconds. */
const INTERVAL = 1_000;
/** Characters of a line: a peer's words may be in it. */
const MAX_LENGTH = 500;

/**
 * Says on stderr what peers do wrong: one line for each failure, with the peer's address, with
 * everything escaped that a terminal might obey, and no more than ten lines a second. Those that are
 * left out are counted.
 */
export class PeerNotes {
  readonly #write: (line: string) => void;
  readonly #now: () => number;
  #since = -Infinity;
  #lines = 0;
  #leftOut = 0;

  /** Begins; the parameters are for tests. */
  constructor(write: (line: string) => void = printNote, now = () => performance.now()) {
    this.#write = write;
    this.#now = now;
  }

  /**
   * Tells of a failure.
   *
   * @param error An error, of which the message is told, or the message.
   * @param addr The peer, if it is known.
   */
  tell(error: unknown, addr?: SocketAddress): void {
    if (this.#now() - this.#since >= INTERVAL) {
      this.flush();
      this.#since = this.#now();
      this.#lines = 0;
    }
    if (++this.#lines > MAX_LINES) {
      this.#leftOut++;
      return;
    }
    const message = (error instanceof Error ? error.message : String(error)).replace(
      /\s*\n\s*/g,
      " ",
    );
    const name = addr === undefined ? "" : formatAddr(addr);
    // The messages of this package's own network errors name the peer.
    const line = name === "" || message.includes(name) ? message : `${name}: ${message}`;
    this.#write(line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line);
  }

  /** Says how many lines were left out, if any were. */
  flush(): void {
    const count = this.#leftOut;
    this.#leftOut = 0;
    if (count > 0) this.#write(`${count} more like this ${count === 1 ? "was" : "were"} not shown`);
  }
}
