/**
 * What servers report on stderr unless they have an `onError`: a line for what a peer has caused, a
 * stack for a mistake in the program. Neither can act on the terminal, and neither can fill the disk.
 *
 * @module
 */
import { ClosedError, FrameError, isNetError, LimitError, type SocketAddress } from "../errors.ts";
import { formatAddr } from "./address.ts";
import { deadline } from "./deadline.ts";
import { escapeControls } from "./escape_controls.ts";

/** Reports of one kind in a second: enough to see what happens, and about 100 MB of log a day where a
 * peer fails as fast as it can. */
export const REPORTS_PER_SECOND = 10;
/** The longest line, in UTF-16 units: error messages quote what a peer sent, which may be long. */
export const MAX_REPORT_LENGTH = 400;
/** How many causes of an error are shown: a chain of them may be a circle. */
const MAX_CAUSES = 3;

const SECOND = 1_000;

/** What a socket was doing for its peer when it failed, as opposed to calls that set it up. */
const PEER_OPERATIONS: ReadonlySet<string> = new Set(
  [
    "accept",
    "handshake",
    "read",
    "write",
    "closeWrite",
    "close",
    "receive",
    "send",
    "request",
    "frame",
  ],
);

/**
 * Whether an error follows from what a peer or the network did, so that a stack of this program
 * explains nothing: bytes that are not a frame, limits that a peer's data reached, a socket that failed.
 */
export function isCausedByPeer(error: unknown): boolean {
  if (error instanceof FrameError) return true;
  if (error instanceof LimitError) return error.code !== "requests"; // too many of our own
  return isNetError(error) && PEER_OPERATIONS.has(error.operation) &&
    !(error instanceof ClosedError) && !(error instanceof Deno.errors.Busy);
}

/** Reports for one server; {@linkcode close} ends them. */
export class PeerReport {
  readonly #lines: Limited;
  readonly #stacks: Limited; // so that a flood of lines does not hide a mistake

  /** @param now The clock, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#lines = new Limited(now);
    this.#stacks = new Limited(now);
  }

  /** Reports an error of a handler or of the server itself: a line or a stack. */
  report(error: unknown, remoteAddr?: SocketAddress): void {
    if (isCausedByPeer(error)) this.#lines.print(() => lineOf(error as Error, remoteAddr));
    else this.mistake(error);
  }

  /** Reports a mistake in the program with its stack. */
  mistake(error: unknown): void {
    this.#stacks.print(() => stackOf(error));
  }

  /** Reports what is still to be said about reports that were not shown. */
  close(): void {
    this.#lines.close();
    this.#stacks.close();
  }
}

/** Prints a limited number of texts in each second and says how many it left out. */
class Limited {
  readonly #now: () => number;
  #began = -Infinity;
  #shown = 0;
  #hidden = 0;
  #cancel: (() => void) | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  print(text: () => string): void {
    const now = this.#now();
    if (now - this.#began >= SECOND) {
      this.close();
      this.#began = now;
      this.#shown = 0;
    }
    if (this.#shown < REPORTS_PER_SECOND) {
      this.#shown++;
      console.error(text());
    } else if (this.#hidden++ === 0) {
      this.#cancel = deadline(this.#began + SECOND - now, () => this.close());
    }
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const hidden = this.#hidden;
    this.#hidden = 0;
    if (hidden > 0) {
      console.error(`${hidden} more like this ${hidden === 1 ? "was" : "were"} not shown`);
    }
  }
}

/** `127.0.0.1:50123: Cannot read a line: …`; the messages of sockets name the peer already. */
function lineOf(error: Error, remoteAddr: SocketAddress | undefined): string {
  const { message } = error;
  const peer = remoteAddr === undefined ? "" : formatAddr(remoteAddr);
  const text = peer === "" || message.includes(peer) ? message : `${peer}: ${message}`;
  return escapeControls(text, MAX_REPORT_LENGTH);
}

/** An error as the runtime prints it, except that its message stays on its line: it may quote a peer
 * (as the one of `JSON.parse` does), who could write lines of the log otherwise. */
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
