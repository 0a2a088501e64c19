/**
 * The bytes of files: from the disk to a connection, from a connection to the disk.
 *
 * Hashing and writing to the disk take time in which this process does nothing else. So they work on
 * pieces, and each piece counts against the budget of the turn of the event loop.
 *
 * @module
 */
import { pump } from "../../common/pump.ts";
import { nextTurn, spend } from "../../common/turn_budget.ts";
import { writeAll, writeAllSync } from "../../common/write_all.ts";
import type { TcpConnection } from "../../tcp/mod.ts";
import { diskError } from "./_disk.ts";
import type { Digest } from "./_digest.ts";
import type { Pace } from "./_pace.ts";
import { FileTransferError } from "./errors.ts";

/** How much of a file is read, hashed and sent at once: larger was not faster, and made others wait. */
const PIECE = 256 * 1024;
/** How much is received before it is hashed and written: a write through another thread has its price. */
const RECEIVED_PIECE = 1024 * 1024;

/** On a slow line less than a piece is written, so that little is lost if this process is killed. In
 * milliseconds. */
const WRITE_EVERY = 1_000;

/** Reads a file from `position` into `buffer`; fewer bytes than fit mean that it ends there. */
type ReadAt = (buffer: Uint8Array, position: number) => Promise<number>;

/** Which bytes to move. */
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
interface ReceiveMove extends Move {
  pace: Pace;
  /** The file, for messages. */
  path: string;
  /** Bytes of a disk that the other side reads before it sends the first one. */
  readFirst?: number | undefined;
  /**
   * Whether this process serves no one else and may wait for the disk: handing each write to another
   * thread costs up to half of the speed.
   */
  isAlone?: boolean | undefined;
  /** Called before bytes are written; what it throws ends the transfer. */
  beforeWrite?: ((bytes: number) => void) | undefined;
  /** Called after bytes were written. */
  onBytes: (bytes: number) => void;
}

/** A part of a file, computed into the digest without being sent. */
export function digestPart(
  read: ReadAt,
  move: Move,
  onBytes: (bytes: number) => void,
): Promise<void> {
  return readPieces(read, move, (piece) => {
    move.digest.update(piece);
    onBytes(piece.length);
  });
}

/** Sends a part of a file. The next piece is read while this one is hashed and written. */
export function sendBytes(
  conn: TcpConnection,
  read: ReadAt,
  move: Move & { pace: Pace; onBytes: (bytes: number) => void },
): Promise<void> {
  move.pace.sends();
  return readPieces(read, move, async (piece) => {
    const writing = conn.write(piece);
    move.digest.update(piece); // while the system hands the piece on
    await writing;
    move.pace.count(piece.length);
    move.onBytes(piece.length);
  });
}

/** Reads a part of a file, piece by piece. */
function readPieces(
  read: ReadAt,
  { action, from, to }: Move,
  take: (piece: Uint8Array) => void | Promise<void>,
): Promise<void> {
  let position = from;
  return pump(Math.min(PIECE, to - from), {
    async fill(buffer) {
      if (position === to) return 0;
      const n = await read(buffer.subarray(0, to - position), position).catch((error) => {
        throw diskError(`${action}: the file cannot be read`, error);
      });
      if (n === 0) {
        throw new FileTransferError("changed", `${action}: the file became shorter meanwhile`);
      }
      position += n;
      return n;
    },
    async drain(piece) {
      await take(piece);
      if (spend(piece.length)) await nextTurn();
    },
  });
}

/** Receives bytes into a file, after what it holds. What came before an error is kept. */
export function receiveBytes(
  conn: TcpConnection,
  file: Deno.FsFile,
  move: ReceiveMove,
): Promise<void> {
  const { action, from, to, pace, digest } = move;
  let left = to - from;
  let wroteAt = -Infinity; // so that the first bytes show at once that it has begun
  let failure: { error: unknown } | undefined;
  pace.receives();
  pace.allow(move.readFirst ?? 0);
  return pump(Math.min(RECEIVED_PIECE, left), {
    async fill(buffer) {
      let filled = 0;
      try {
        if (failure !== undefined) throw failure.error;
        while (left > 0 && filled < buffer.length) {
          const n = await conn.read(buffer.subarray(filled, filled + left));
          if (n === null) {
            const message = `${action}: the other side ended after ${to - left} of ${to} bytes`;
            throw new FileTransferError("gone", message);
          }
          pace.count(n);
          filled += n;
          left -= n;
          if (spend(n)) await nextTurn();
          if (performance.now() - wroteAt > WRITE_EVERY) break;
        }
      } catch (error) {
        if (filled === 0) throw error;
        failure = { error };
      }
      wroteAt = performance.now();
      move.beforeWrite?.(filled);
      return filled;
    },
    async drain(piece) {
      const writing = write(file, piece, move);
      digest.update(piece); // while the system writes it
      await writing;
      move.onBytes(piece.length);
    },
  });
}

async function write(
  file: Deno.FsFile,
  piece: Uint8Array,
  { isAlone = false, path }: ReceiveMove,
): Promise<void> {
  try {
    if (isAlone) writeAllSync(file, piece);
    else await writeAll(file, piece);
  } catch (error) {
    throw diskError(`Cannot write ${path}`, error);
  }
}
