/**
 * The bytes of files: from the disk to a connection, from a connection to the disk.
 *
 * Hashing and synchronous writes block the event loop. So they work on pieces, and each piece counts
 * against the budget of the loop's turn.
 *
 * @module
 */
import { pump } from "../../common/pump.ts";
import { nextTurn, spend } from "../../common/turn_budget.ts";
import { writeAll, writeAllSync } from "../../common/write_all.ts";
import type { TcpConnection } from "../../tcp/mod.ts";
import { onDisk } from "./_disk.ts";
import type { Digest } from "./_digest.ts";
import type { Pace } from "./_pace.ts";
import { FileTransferError } from "./errors.ts";

/** How much of a file is read, hashed and sent at once: larger was not faster, and made others wait. */
const PIECE = 256 * 1024;
/** How much is received before it is hashed and written: a write through another thread is expensive. */
const RECEIVED_PIECE = 1024 * 1024;

/** How long, in milliseconds, received bytes may wait for a piece to be full: little is lost if this
 * process is killed. */
const WRITE_EVERY = 1_000;

/** Reads a file from `position` into `buffer`; fewer bytes than fit mean that it ends there. */
type ReadAt = (buffer: Uint8Array, position: number) => Promise<number>;

/** Which bytes to take, and what they are for. */
interface Part {
  /** What is being done, for messages: `Cannot get "a.txt"`. */
  action: string;
  /** The first byte. */
  from: number;
  /** After the last byte. */
  to: number;
  digest: Digest;
}

/** Which bytes to move over a connection. */
interface Move extends Part {
  pace: Pace;
  /** Called after bytes were sent or written. */
  onBytes?: ((bytes: number) => void) | undefined;
}

/** What is needed to put received bytes into a file. */
interface ReceiveMove extends Move {
  /** What fails if the disk does, for messages: `Cannot write a.txt`. */
  writing: string;
  /** Bytes of a disk that the other side reads before it sends the first one. */
  readFirst?: number | undefined;
  /**
   * Whether this process serves no one else and may wait for the disk: handing each write to another
   * thread costs up to half of the speed.
   */
  isAlone?: boolean | undefined;
  /** Called before bytes are written; what it throws ends the transfer. */
  beforeWrite?: ((bytes: number) => void) | undefined;
}

/** A part of a file, computed into the digest without being sent. */
export function digestPart(
  read: ReadAt,
  part: Part,
  signal: AbortSignal | undefined,
): Promise<void> {
  return readPieces(read, part, (piece) => {
    part.digest.update(piece);
    signal?.throwIfAborted();
  });
}

/** Sends a part of a file. The next piece is read while this one is hashed and written. */
export function sendBytes(conn: TcpConnection, read: ReadAt, move: Move): Promise<void> {
  move.pace.begin("out");
  return readPieces(read, move, async (piece) => {
    const writing = conn.write(piece);
    move.digest.update(piece); // while the system hands the piece on
    await writing;
    move.pace.bytes += piece.length;
    move.onBytes?.(piece.length);
  });
}

/** Reads a part of a file, piece by piece. */
function readPieces(
  read: ReadAt,
  { action, from, to }: Part,
  take: (piece: Uint8Array) => void | Promise<void>,
): Promise<void> {
  let position = from;
  return pump(Math.min(PIECE, to - from), {
    async fill(buffer) {
      if (position === to) return 0;
      const n = await onDisk(
        `${action}: the file cannot be read`,
        () => read(buffer.subarray(0, to - position), position),
      );
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
  let wroteAt = -Infinity; // so that the first bytes are written at once
  let failure: { error: unknown } | undefined;
  pace.begin("in", move.readFirst);
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
          pace.bytes += n;
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
      const writing = onDisk(
        move.writing,
        () => move.isAlone ? writeAllSync(file, piece) : writeAll(file, piece),
      );
      digest.update(piece); // while the system writes it
      await writing;
      move.onBytes?.(piece.length);
    },
  });
}
