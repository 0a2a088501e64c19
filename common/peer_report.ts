/**
 * What servers report on stderr unless they have an `onError`, and what programs report about their
 * peers: a line for what a peer has caused, a stack for a mistake in the program. Neither can act on the
 * terminal, and neither can fill the disk.
 *
 * @module
 */
import { ClosedError, FrameError, isNetError, LimitError, type SocketAddress } from "../errors.ts";
import { formatAddr } from "./address.ts";
import { deadline } from "./deadline.ts";
import { escapeControls } from "./escape.ts";
import { messageOf } from "./system_reason.ts";

/** Reports of one kind in a second: enough to see what happens, and about 100 MB of log a day where a
 * peer fails as fast as it can. */
export const REPORTS_PER_SECOND = 10;
/** The longest line, in UTF-16 units: error messages quote what a peer sent, which may be long. */
export const MAX_REPORT_LENGTH = 400;
/** How many causes of an error are shown: a chain of them may be a circle. */
const MAX_CAUSES = 3;

const SECOND = 1_000;

/** What a program does for itself; everything else a socket does for its peer. */
const OWN_OPERATIONS = ["listen", "bind", "connect", "resolve", "multicast"];

/**
 * Whether an error follows from what a peer or the network did, so that a stack of this program
 * explains nothing: bytes that are not a frame, limits that a peer's data reached, a socket that failed.
 */
export function isCausedByPeer(error: unknown): boolean {
  if (error instanceof FrameError) return true;
  if (error instanceof LimitError) return error.code !== "requests"; // too many of our own
  return isNetError(error) && !OWN_OPERATIONS.includes(error.operation) &&
    !(error instanceof ClosedError) && !(error instanceof Deno.errors.Busy);
}

/** Where reports are written, and by which clock. */
export interface PeerReportOptions {
  /**
   * Writes one report: a line, or the lines of a stack.
   *
   * @default {console.error}
   */
  write?: ((text: string) => void) | undefined;
  /**
   * The clock, in milliseconds.
   *
   * @default {() => performance.now()}
   */
  now?: (() => number) | undefined;
}

/** The reports of one server or one program. */
export class PeerReport {
  readonly #lines: RateLimited;
  readonly #stacks: RateLimited; // so that a flood of lines does not hide a mistake

  constructor(options: PeerReportOptions = {}) {
    this.#lines = new RateLimited(options);
    this.#stacks = new RateLimited(options);
  }

  /** Reports an error of a handler or of the server itself: a line or a stack. */
  report(error: unknown, remoteAddr?: SocketAddress): void {
    if (isCausedByPeer(error)) this.line(error, remoteAddr);
    else this.mistake(error);
  }

  /** Reports a failure in a line, whatever its cause: an error by its message, anything else as text. */
  line(error: unknown, remoteAddr?: SocketAddress): void {
    this.#lines.print(() => lineOf(error, remoteAddr));
  }

  /** Reports a mistake in the program with its stack. */
  mistake(error: unknown): void {
    this.#stacks.print(() => stackOf(error));
  }

  /** Reports now how many reports were not shown. More reports may follow. */
  close(): void {
    this.#lines.close();
    this.#stacks.close();
  }
}

/** Prints a limited number of texts in each second and says how many it left out. */
export class RateLimited {
  readonly #write: (text: string) => void;
  readonly #now: () => number;
  readonly #perSecond: number;
  #began = -Infinity;
  #shown = 0;
  #hidden = 0;
  #cancel: (() => void) | undefined;

  constructor(options: PeerReportOptions = {}, perSecond: number = REPORTS_PER_SECOND) {
    const { write = console.error, now = () => performance.now() } = options;
    this.#write = write;
    this.#now = now;
    this.#perSecond = perSecond;
  }

  /** Prints a text, unless there were too many in this second. */
  print(text: () => string): void {
    const now = this.#now();
    if (now - this.#began >= SECOND) {
      this.close();
      this.#began = now;
      this.#shown = 0;
    }
    if (this.#shown < this.#perSecond) {
      this.#shown++;
      this.#write(text());
    } else if (this.#hidden++ === 0) {
      this.#cancel = deadline(this.#began + SECOND - now, () => this.close());
    }
  }

  /** Prints now how many were left out. */
  close(): void {
    this.#cancel?.();
    const hidden = this.#hidden;
    this.#hidden = 0;
    if (hidden > 0) {
      this.#write(`${hidden} more like this ${hidden === 1 ? "was" : "were"} not shown`);
    }
  }
}

/** `127.0.0.1:50123: Cannot read a line: …`; the messages of sockets name the peer already. */
function lineOf(error: unknown, remoteAddr: SocketAddress | undefined): string {
  const message = messageOf(error);
  const peer = remoteAddr === undefined ? "" : formatAddr(remoteAddr);
  const text = peer === "" || message.includes(peer) ? message : `${peer}: ${message}`;
  return escapeControls(text, MAX_REPORT_LENGTH);
}

/** An error as the runtime prints it, except that its message stays on its line: it may quote a peer
 * (as the one of `JSON.parse` does), which could write lines of the log otherwise. */
function stackOf(thrown: unknown, causes = 0): string {
  if (!(thrown instanceof Error)) {
    const text = typeof thrown === "string" ? thrown : Deno.inspect(thrown, { colors: false });
    return escapeControls(text, MAX_REPORT_LENGTH);
  }
  const { name, message, stack = "", cause } = thrown;
  const at = stack.indexOf(message);
  const frames = (at < 0 ? stack : stack.slice(at + message.length)).split("\n")
    .filter((line) => /^\s+at /.test(line))
    .map((line) => escapeControls(line, MAX_REPORT_LENGTH));
  const lines = [escapeControls(`${name}: ${message}`, MAX_REPORT_LENGTH), ...frames];
  if (cause !== undefined && causes < MAX_CAUSES) {
    lines.push(`Caused by ${stackOf(cause, causes + 1)}`);
  }
  return lines.join("\n");
}
