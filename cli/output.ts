/** The standard output, shared by all that have something to show. @module */
import { foreignPrinter } from "../terminal/program.ts";

/** Writes what one source has sent, after what others wrote before. */
export type Printer = (data: Uint8Array) => Promise<void>;

/**
 * The standard output. What is written in one call stays together; on a terminal, what the terminal
 * might obey is escaped.
 */
export class StandardOutput {
  #last: Promise<void> = Promise.resolve();

  /** Makes the printer of one source. */
  printer(): Printer {
    const print = foreignPrinter();
    return (data) => this.#last = this.#last.then(() => print(data));
  }
}
