/**
 * What goes wrong with files, in this module's errors.
 *
 * @module
 */
import { PlaceError } from "../../common/atomic_file.ts";
import { toPrintable } from "../../common/escape.ts";
import { systemReason } from "../../common/system_reason.ts";
import { FileTransferError } from "./errors.ts";

/** Why the system refused, in words: `no space left on device`. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const reason = systemReason(message) ?? message;
  const plain = reason.replace(/^E[A-Z]+: /, "");
  return toPrintable(plain.charAt(0).toLowerCase() + plain.slice(1));
}

/**
 * Uses a file of this side.
 *
 * @param action What fails if that fails, for the message: `Cannot write a.txt`.
 * @throws {FileTransferError} If the file cannot be used.
 */
export async function onDisk<T>(action: string, use: () => T | Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (error instanceof FileTransferError) throw error;
    const isPlace = error instanceof PlaceError;
    const code = isPlace && error.code !== "replaced" ? error.code : "disk";
    const message = isPlace ? error.message : `${action}: ${reasonOf(error)}`;
    throw new FileTransferError(code, message, { cause: error });
  }
}

/** Reads a file at a position; fewer bytes than fit into the buffer mean that it ends there. */
export async function readAt(
  file: Deno.FsFile,
  buffer: Uint8Array,
  position: number,
): Promise<number> {
  await file.seek(position, Deno.SeekMode.Start);
  return await file.read(buffer) ?? 0;
}
