/**
 * Files in folders in which others may write too: an older file is reused, or removed, only if it is
 * ours and no one else can write to it.
 *
 * @module
 */
import { isHeld, isSameFile, isTemporaryName, lookAt } from "../../common/atomic_file.ts";
import { join } from "./_names.ts";

/** Write permission of the group and of all others. */
const FOREIGN_WRITE = 0o022;

/** Where files cannot be locked, one that was not written to for this long counts as abandoned, in
 * milliseconds. */
const STALE_AFTER = 24 * 60 * 60 * 1_000;

/** The errors by which the system says that we cannot have a file. */
const NOT_OURS = [
  Deno.errors.PermissionDenied,
  Deno.errors.NotFound,
  Deno.errors.FilesystemLoop,
];

/** Opens a regular file without following a link; `null` if it is anything else, or gone. */
export async function openRegular(path: string): Promise<Deno.FsFile | null> {
  const there = await lookAt(path);
  if (there === null || !there.isFile) return null;
  using cleanup = new DisposableStack();
  try {
    const file = cleanup.use(await Deno.open(path, { read: true, write: true }));
    const held = await file.stat();
    if (!held.isFile || !isSameFile(held, there)) return null;
    cleanup.move(); // the caller closes it
    return file;
  } catch (error) {
    if (NOT_OURS.some((refusal) => error instanceof refusal)) return null;
    throw error;
  }
}

/** Whether a file belongs to the user who owns `own`. Where files have no owners, all are ours. */
export function isOfSameOwner(own: Deno.FileInfo, other: Deno.FileInfo): boolean {
  return own.uid === other.uid;
}

/** Whether the file of our own user can be reached by no one else: it has one name, and no foreign write
 * permission. */
export function isOursAlone(own: Deno.FileInfo, other: Deno.FileInfo): boolean {
  const { nlink, mode } = other;
  return isOfSameOwner(own, other) && (nlink ?? 1) === 1 && ((mode ?? 0) & FOREIGN_WRITE) === 0;
}

/**
 * Removes what killed processes of this user have left in a folder. A file is removed only if its name
 * is one that this module makes, if it belongs to this user, and if no process holds it.
 *
 * @param own A file of this user.
 */
export async function removeStale(folder: string, own: Deno.FileInfo): Promise<void> {
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && isTemporaryName(name)) await removeIfStale(join(folder, name), own);
    }
  } catch {
    // A folder that cannot be read is not cleaned up; what led here does not depend on it.
  }
}

async function removeIfStale(path: string, own: Deno.FileInfo): Promise<void> {
  using file = await openRegular(path);
  if (file === null || !isOursAlone(own, await file.stat())) return;
  if (await isAbandoned(file, path)) await Deno.remove(path);
}

async function isAbandoned(file: Deno.FsFile, path: string): Promise<boolean> {
  try {
    return await isHeld(file, path);
  } catch {
    const { mtime } = await file.stat(); // no locks here
    return mtime !== null && Date.now() - mtime.getTime() > STALE_AFTER;
  }
}
