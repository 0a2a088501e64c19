/**
 * What goes wrong with files, in this module's errors.
 *
 * @module
 */
import { systemReason } from "../../_internal/system_reason.ts";
import { toPrintable } from "../printable.ts";
import { FileTransferError } from "./errors.ts";

/** Why the system refused, in words: `no space left on device`. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const reason = systemReason(message) ?? message;
  const plain = reason.replace(/^E[A-Z]+: /, "");
  return toPrintable(plain.charAt(0).toLowerCase() + plain.slice(1));
}

/** The error of a file of this side that cannot be used. */
export function diskError(action: string, error: unknown): unknown {
  if (error instanceof FileTransferError) return error;
  return new FileTransferError("disk", `${action}: ${reasonOf(error)}`, { cause: error });
}

/** What is there, without following links; `null` if nothing is. */
export async function lookAt(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Removes a file, if it is there. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch {
    // It was not there, or cannot be removed: what led here is the error to report.
  }
}

/** Writes all bytes. Synchronously, which is what makes downloads as fast as the network. */
export function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += file.writeSync(written === 0 ? bytes : bytes.subarray(written));
  }
}

/**
 * Gives a finished file its final name, in one step.
 *
 * @param replace Whether it may replace a file. What is no regular file is never replaced.
 * @throws {FileTransferError} With the code `exists` or `not_a_file`.
 */
export async function place(from: string, to: string, replace: boolean): Promise<void> {
  if (!replace) {
    try {
      await Deno.link(from, to); // unlike a rename, this never replaces anything
      return await Deno.remove(from);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) throw occupied(to);
      // A file system without links: look, and rename.
    }
  }
  checkVacant(await lookAt(to), to, replace);
  await Deno.rename(from, to);
}

/** Checks that a file can be put in the place of what is there. */
export function checkVacant(there: Deno.FileInfo | null, path: string, replace: boolean): void {
  if (there === null) return;
  if (!there.isFile) {
    throw new FileTransferError(
      "not_a_file",
      `Cannot write ${toPrintable(path)}: it is there and not a regular file`,
    );
  }
  if (!replace) throw occupied(path);
}

function occupied(path: string): FileTransferError {
  return new FileTransferError("exists", `Cannot write ${toPrintable(path)}: it exists already`);
}
