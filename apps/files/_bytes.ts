/**
 * The two loops that move the bytes of files, written for speed: one piece ahead, one piece long.
 *
 * @module
 */
import type { TcpConnection } from "../../tcp/connection.ts";
import { diskError, writeAll } from "./_disk.ts";
import type { Digest } from "./_digest.ts";
import type { Pace } from "./_pace.ts";
import { FileTransferError } from "./errors.ts";

/** How much is read, hashed and written at once: larger was not faster. */
const PIECE = 1024 * 1024;

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
  /** Behind the last byte. */
  to: number;
  digest: Digest;
}

/** A part of a file, computed into the digest without being sent. */
export async function digestPart(read: ReadAt, move: Move, onBytes: (bytes: number) => void) {
  for await (const piece of piecesOf(read, move)) {
    move.digest.update(piece);
    onBytes(piece.length);
  }
}

/** Sends a part of a file. The next piece is read while this one is written and hashed. */
export async function sendBytes(
  conn: TcpConnection,
  read: ReadAt,
  move: Move & { pace: Pace; onBytes: (bytes: number) => void },
): Promise<void> {
  for await (const piece of piecesOf(read, move)) {
    const writing = conn.write(piece);
    move.digest.update(piece); // while the system hands the piece on
    await writing;
    move.pace.count(piece.length);
    move.onBytes(piece.length);
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

/** Receives bytes into a file, behind what it holds. */
export async function receiveBytes(
  conn: TcpConnection,
  file: Deno.FsFile,
  move: Move & { pace: Pace; path: string; onBytes: (bytes: number) => void },
): Promise<void> {
  const { action, from, to, digest, pace, path, onBytes } = move;
  const buffer = new Uint8Array(Math.min(PIECE, to - from));
  let filled = 0;
  let lastWrite = -Infinity; // so that the first bytes show at once that it has begun
  const keep = () => {
    const piece = buffer.subarray(0, filled);
    digest.update(piece);
    try {
      writeAll(file, piece);
    } catch (error) {
      throw diskError(`Cannot write ${path}`, error);
    }
    onBytes(filled);
    filled = 0;
    lastWrite = performance.now();
  };
  for (let left = to - from; left > 0;) {
    let n: number | null;
    try {
      n = await conn.read(buffer.subarray(filled, Math.min(buffer.length, filled + left)));
    } catch (error) {
      keep();
      throw error;
    }
    if (n === null) {
      keep();
      throw new FileTransferError(
        "gone",
        `${action}: the other side ended after ${to - left} of ${to} bytes`,
      );
    }
    pace.count(n);
    filled += n;
    left -= n;
    if (filled === buffer.length || left === 0 || performance.now() - lastWrite > WRITE_EVERY) {
      keep();
    }
  }
}
