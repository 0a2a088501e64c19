/**
 * Files that are ours alone, in folders in which others may write too.
 *
 * What another user has put into a shared folder under a name that we would choose must not become the
 * file that we hand on as verified: its owner could change it afterwards. So files are made anew, for
 * us alone, and an older one is taken up only if no one else can write to it.
 *
 * @module
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { isSameFile, lookAt, removeIfThere } from "./_disk.ts";
import { isThrowaway, throwawayName } from "./_names.ts";
import { join, split } from "./_paths.ts";

/** Read and write for the owner, nothing for others: while it grows it is no one else's business. */
const PRIVATE = 0o600;

/** Write permission of the group and of all others. */
const FOREIGN_WRITE = 0o022;

/** Where files cannot be locked, one that no one has written to for so long is given up, in
 * milliseconds. */
const STALE_AFTER = 24 * 60 * 60 * 1_000;

/** A lot is drawn so often until a name is free; the second time is already a wonder. */
const DRAWS = 8;

/** An open file and its path. */
export interface OwnFile {
  readonly file: Deno.FsFile;
  readonly path: string;
}

/** Makes a file for us alone under a name that no one can foresee, and locks it. */
export async function makeThrowaway(folder: string, base: string): Promise<OwnFile> {
  for (let draw = 1;; draw++) {
    const path = join(folder, throwawayName(base));
    try {
      const file = await makePrivate(path);
      // Whoever cleans up may have come between making and locking.
      if (await isHeld(file, path, true)) return { file, path };
      file.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists) || draw === DRAWS) throw error;
    }
  }
}

/** Makes a file for us alone, open for reading and writing. It must not be there. */
export function makePrivate(path: string): Promise<Deno.FsFile> {
  return Deno.open(path, { read: true, write: true, createNew: true, mode: PRIVATE });
}

/**
 * Locks a file, and checks that it still has its name. The system forgets the lock when this process
 * ends.
 *
 * @param otherwise What counts as the answer where files cannot be locked; unless it is given, the
 * system's error is thrown.
 */
export async function isHeld(
  file: Deno.FsFile,
  path: string,
  otherwise?: boolean,
): Promise<boolean> {
  const isLocked = await file.tryLock(true).catch((error) => {
    if (otherwise === undefined) throw error;
    return otherwise;
  });
  const there = await lookAt(path);
  return isLocked && there !== null && isSameFile(await file.stat(), there);
}

/** Opens a regular file without following a link; `null` if it is anything else, or gone. */
export async function openRegular(path: string): Promise<Deno.FsFile | null> {
  const there = await lookAt(path);
  if (there === null || !there.isFile) return null;
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true, write: true });
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
  const held = await file.stat();
  if (held.isFile && isSameFile(held, there)) return file;
  file.close();
  return null;
}

/** Whether a file belongs to the user who owns `own`. Where files have no owners, all are ours. */
export function isOfSameOwner(own: Deno.FileInfo, other: Deno.FileInfo): boolean {
  return own.uid === other.uid;
}

/** Whether no one but the owner can reach the contents: one name, and no foreign write permission. */
export function isExclusive({ nlink, mode }: Deno.FileInfo): boolean {
  return (nlink ?? 1) === 1 && ((mode ?? 0) & FOREIGN_WRITE) === 0;
}

/**
 * Gives a file of ours the permissions that a new file has in this folder.
 *
 * They are seen from a new file, because asking for the mask of the process takes another permission
 * of the runtime, and because a folder may have rules of its own.
 */
export async function makePublic({ file, path }: OwnFile, base: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  const [folder] = split(path);
  const example = join(folder, throwawayName(base));
  const made = await Deno.open(example, { write: true, createNew: true });
  let mode: number;
  try {
    mode = ((await made.stat()).mode ?? PRIVATE) & 0o777;
  } finally {
    made.close();
    await removeIfThere(example);
  }
  // By descriptor: under its path there could be a link by now.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const [held, there] = [await file.stat(), await handle.stat()];
    if (held.ino === there.ino && held.dev === there.dev) await handle.chmod(mode);
  } finally {
    await handle.close();
  }
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
      if (isFile && isThrowaway(name)) await removeIfStale(join(folder, name), own);
    }
  } catch {
    // A folder that cannot be read is not cleaned up; what led here does not depend on it.
  }
}

async function removeIfStale(path: string, own: Deno.FileInfo): Promise<void> {
  const file = await openRegular(path);
  if (file === null) return;
  try {
    const held = await file.stat();
    if (!isOfSameOwner(own, held) || !isExclusive(held)) return;
    if (await isAbandoned(file, path)) await Deno.remove(path);
  } finally {
    file.close();
  }
}

async function isAbandoned(file: Deno.FsFile, path: string): Promise<boolean> {
  try {
    return await isHeld(file, path);
  } catch {
    const { mtime } = await file.stat(); // no locks here
    return mtime !== null && Date.now() - mtime.getTime() > STALE_AFTER;
  }
}

/** Whether the system does not let us have the file, for whatever reason. */
function isRefusal(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.FilesystemLoop;
}
