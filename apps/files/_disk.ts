/**
 * What goes wrong with files, in this module's errors.
 *
 * @module
 */
import { systemReason } from "../../common/system_reason.ts";
import { toPrintable } from "../../common/escape.ts";
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

/**
 * Gives a finished file its final name, in one step.
 *
 * @param file The file, which must be the one that has its final name at last.
 * @throws {FileTransferError} With the code `exists`, `not_a_file` or `disk`.
 */
export async function place(file: Deno.FsFile, { from, to, replace }: Move): Promise<void> {
  const held = await file.stat();
  const check = async (path: string) => {
    const there = await lookAt(path);
    if (there !== null && isSameFile(held, there)) return;
    const message = `Cannot write ${toPrintable(to)}: someone else has replaced the file`;
    throw new FileTransferError("disk", message);
  };
  await check(from);
  await rename({ from, to, replace });
  await check(to); // in a folder where others may rename our files, they could do it in between
}

/** What a file is called, and what it is to be called. */
interface Move {
  from: string;
  to: string;
  /** Whether it may replace a file. What is no regular file is never replaced. */
  replace: boolean;
}

/** Whether two looks were at the same file. */
export function isSameFile(one: Deno.FileInfo, other: Deno.FileInfo): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

async function rename({ from, to, replace }: Move): Promise<void> {
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
