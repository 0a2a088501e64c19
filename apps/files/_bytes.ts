/**
 * The loops that move the bytes of files, written for speed: one piece ahead, one piece long.
 *
 * Hashing and writing to the disk take time in which this process does nothing else. So they work on
 * pieces, and each piece counts against the budget of the turn of the event loop.
 *
 * @module
 */
import { nextTurn, spend } from "../../common/turn_budget.ts";
import { writeAll, writeAllSync } from "../../common/write_all.ts";
import type { TcpConnection } from "../../tcp/connection.ts";
import { diskError } from "./_disk.ts";
import type { Digest } from "./_digest.ts";
import type { Pace } from "./_pace.ts";
import { FileTransferError } from "./errors.ts";

/** How much of a file is read, hashed and sent at once: larger was not faster, and made others wait. */
const PIECE = 256 * 1024;
/** How much is received before it is hashed and written: a write through another thread has its price. */
const RECEIVED_PIECE = 1024 * 1024;

/** On a slow line less than a piece is written, so that little is lost if this process is killed. */
const WRITE_EVERY = 1_000;

/** Reads a file from `position` into `buffer`; fewer bytes than fit mean that it ends there. */
export type ReadAt = (buffer: Uint8Array, position: number) => Promise<number>;

/** Which bytes to move, and who looks at them. */
export interface Move {
  /** What is being done, for messages: `Cannot get "a.txt"`. */
  action: string;
  /** The first byte. */
  from: number;
  /** After the last byte. */
  to: number;
  digest: Digest;
}

/** What is needed to put received bytes into a file. */
export interface ReceiveMove extends Move {
  pace: Pace;
  /** The file, for messages. */
  path: string;
  /** Bytes of a disk that the other side reads before it sends the first one. */
  readFirst?: number;
  /**
   * Whether this process serves no one else and may wait for the disk: handing each write to another
   * thread costs up to half of the speed.
   */
  isAlone?: boolean;
  /** Called before bytes are written; what it throws ends the transfer. */
  beforeWrite?: (bytes: number) => void;
  /** Called after bytes were written. */
  onBytes: (bytes: number) => void;
}

/** A part of a file, computed into the digest without being sent. */
export async function digestPart(read: ReadAt, move: Move, onBytes: (bytes: number) => void) {
  for await (const piece of piecesOf(read, move)) {
    move.digest.update(piece);
    onBytes(piece.length);
    if (spend(piece.length)) await nextTurn();
  }
}

/** Sends a part of a file. The next piece is read while this one is written and hashed. */
export async function sendBytes(
  conn: TcpConnection,
  read: ReadAt,
  move: Move & { pace: Pace; onBytes: (bytes: number) => void },
): Promise<void> {
  move.pace.sends();
  for await (const piece of piecesOf(read, move)) {
    const writing = conn.write(piece);
    move.digest.update(piece); // while the system hands the piece on
    await writing;
    move.pace.count(piece.length);
    move.onBytes(piece.length);
    if (spend(piece.length)) await nextTurn();
  }
}

/** The pieces of a file, each valid until the next is asked for; that one is being read meanwhile. */
async function* piecesOf(read: ReadAt, { action, from, to }: Move): AsyncGenerator<Uint8Array> {
  if (from === to) return;
  const size = Math.min(PIECE, to - from);
  let current = new Uint8Array(size);
  let spare: Uint8Array<ArrayBuffer> | undefined;
  let ahead = read(current, from);
  try {
    for (let position = from; position < to;) {
      const n = await ahead.catch((error) => {
        throw diskError(`${action}: the file cannot be read`, error);
      });
      if (n === 0) {
        throw new FileTransferError("changed", `${action}: the file became shorter meanwhile`);
      }
      const piece = current.subarray(0, n);
      position += n;
      if (position < to) {
        [current, spare] = [spare ?? new Uint8Array(size), current];
        ahead = read(current.subarray(0, Math.min(size, to - position)), position);
      }
      yield piece;
    }
  } finally {
    await ahead.catch(() => {}); // the file must not be closed under it
  }
}

/** Receives bytes into a file, after what it holds. */
export async function receiveBytes(
  conn: TcpConnection,
  file: Deno.FsFile,
  move: ReceiveMove,
): Promise<void> {
  const { action, from, to, pace } = move;
  const sink = new Sink(file, move);
  pace.receives();
  pace.allow(move.readFirst ?? 0);
  try {
    for (let left = to - from; left > 0;) {
      const n = await conn.read(sink.room(left));
      if (n === null) {
        throw new FileTransferError(
          "gone",
          `${action}: the other side ended after ${to - left} of ${to} bytes`,
        );
      }
      pace.count(n);
      left -= n;
      await sink.add(n);
    }
  } finally {
    await sink.finish(); // also what came before an error is kept
  }
}

/** Collects what arrives, and writes and hashes it piece by piece. */
class Sink {
  readonly #file: Deno.FsFile;
  readonly #move: ReceiveMove;
  readonly #size: number;
  #buffer: Uint8Array<ArrayBuffer>;
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  #writing: Promise<void> | undefined; // of a whole piece, while the next one is being filled
  #wroteAt = -Infinity; // so that the first bytes show at once that it has begun

  constructor(file: Deno.FsFile, move: ReceiveMove) {
    this.#file = file;
    this.#move = move;
    this.#size = Math.min(RECEIVED_PIECE, move.to - move.from);
    this.#buffer = new Uint8Array(this.#size);
  }

  /** Where the next bytes go, `most` of them. */
  room(most: number): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(this.#filled, this.#filled + most);
  }

  /** Takes note of bytes that have come into the room. */
  async add(bytes: number): Promise<void> {
    this.#filled += bytes;
    if (this.#filled === this.#size) {
      await this.#writePiece();
    } else if (performance.now() - this.#wroteAt > WRITE_EVERY) {
      await this.finish();
    }
    if (spend(bytes)) await nextTurn();
  }

  /** Writes everything that has come. */
  async finish(): Promise<void> {
    if (this.#filled > 0) await this.#writePiece();
    await this.#settle();
  }

  /** Begins to write what has come, once what came before is written. */
  async #writePiece(): Promise<void> {
    await this.#settle();
    const piece = this.#buffer.subarray(0, this.#filled);
    this.#filled = 0;
    this.#move.beforeWrite?.(piece.length);
    [this.#buffer, this.#spare] = [this.#spare ?? new Uint8Array(this.#size), this.#buffer];
    this.#writing = this.#write(piece);
    this.#writing.catch(() => {}); // told at the next piece, or at the end
    this.#move.digest.update(piece); // while the system writes it
    this.#wroteAt = performance.now();
  }

  async #write(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      if (this.#move.isAlone) writeAllSync(this.#file, piece);
      else await writeAll(this.#file, piece);
    } catch (error) {
      throw diskError(`Cannot write ${this.#move.path}`, error);
    }
    this.#move.onBytes(piece.length);
  }

  async #settle(): Promise<void> {
    const writing = this.#writing;
    this.#writing = undefined;
    await writing;
  }
}
