/**
 * Files that get their name when they are whole.
 *
 * In a folder in which others may write too, what another user has put under a name that we would choose
 * must not become the file that we hand on: its owner could change it afterwards. So a file is made
 * anew, for us alone, under a name that no one can foresee, and is checked before and after it gets its
 * own name.
 *
 * If this process is killed, the file stays under its temporary name, locked by no one. It is as safe
 * from a power failure as any file of the system that was not flushed.
 *
 * @module
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { TincanError } from "../errors.ts";
import { toPrintable } from "./escape.ts";

/** Read and write for the owner, nothing for others, while the file grows. */
const PRIVATE = 0o600;
/** How often a name is drawn: the second draw is already very unlikely. */
const DRAWS = 8;
/** Longer names, in UTF-8, are shortened before something is added to them. */
const MAX_BASE_LENGTH = 200;
/** Temporary names, exactly as they are made here. */
const TEMPORARY = /^\..+\.[0-9a-f]{16}\.tincan-temp$/s;

/** Why a file cannot get its name. */
const REFUSALS = {
  exists: "it exists already",
  not_a_file: "it is there and not a regular file",
  replaced: "someone else has replaced the file",
} as const;

/** Why a file cannot get its name; `replaced`: someone else has put another file under it. */
export type PlaceErrorCode = keyof typeof REFUSALS;

/** A file cannot get its name. */
export class PlaceError extends TincanError<PlaceErrorCode> {}

/** How a file gets its name. */
export interface PlaceOptions {
  /** The final path. */
  readonly to: string;
  /** Whether it may replace a regular file. What is anything else is never replaced. */
  readonly replace: boolean;
  /** Its permissions; by default those that a new file has in this folder. */
  readonly mode?: number | undefined;
}

/** A file that gets its name when it is whole, or is removed. */
export class AtomicFile implements AsyncDisposable {
  /** The open file, for reading and writing. */
  readonly file: Deno.FsFile;
  /** Where it grows: beside its target. */
  readonly path: string;
  #isPlaced = false;

  private constructor(file: Deno.FsFile, path: string) {
    this.file = file;
    this.path = path;
  }

  /**
   * Makes the file, for us alone, and locks it.
   *
   * @param target The final path, whose folder must be there.
   */
  static async create(target: string): Promise<AtomicFile> {
    for (let draw = 1;; draw++) {
      const path = temporaryPath(target);
      try {
        const file = await makePrivate(path);
        // A process that cleans up may have come between making and locking.
        if (await isHeld(file, path, true)) return new AtomicFile(file, path);
        file.close();
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists) || draw === DRAWS) throw error;
      }
    }
  }

  /**
   * Gives the file its final name.
   *
   * @throws {PlaceError} If what is there must stay.
   */
  async place(options: PlaceOptions): Promise<void> {
    await placeFile(this.file, this.path, options);
    this.#isPlaced = true;
  }

  /** Closes the file, and removes it if it did not get its name. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isPlaced) await removeIfThere(this.path);
    this.file.close();
  }
}

/**
 * Gives a file of ours its permissions and its final name, in one step.
 *
 * @param file The open file, which must be the one that has its final name at last.
 * @param from Its path so far.
 * @throws {PlaceError} If what is there must stay, or if someone else has replaced the file.
 */
export async function placeFile(
  file: Deno.FsFile,
  from: string,
  { to, replace, mode }: PlaceOptions,
): Promise<void> {
  const held = await file.stat();
  const check = async (path: string) => {
    const there = await lookAt(path);
    if (there === null || !isSameFile(held, there)) throw refusal("replaced", to);
  };
  await check(from);
  if (Deno.build.os !== "windows") await setMode(held, from, mode ?? await usualMode(to));
  await rename(from, to, replace);
  await check(to); // in a folder where others may rename our files, they could do it in between
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

/** What is there, without following links; `null` if nothing is. */
export async function lookAt(path: string): Promise<Deno.FileInfo | null> {
  return await Deno.lstat(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
}

/** What tells files apart. */
export type FileId = Pick<Deno.FileInfo, "dev" | "ino">;

/** Whether two looks were at the same file. */
export function isSameFile(one: FileId, other: FileId): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

/** Removes a file, if it is there. */
export async function removeIfThere(path: string): Promise<void> {
  // It was not there, or cannot be removed: what led here is the error to report.
  await Deno.remove(path).catch(() => {});
}

/** Whether a name is one that {@linkcode AtomicFile} makes. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

/**
 * Checks that a file can be put in the place of what is there.
 *
 * @throws {PlaceError} If what is there must stay.
 */
export function checkVacant(there: Deno.FileInfo | null, path: string, replace: boolean): void {
  if (there === null) return;
  if (!there.isFile) throw refusal("not_a_file", path);
  if (!replace) throw refusal("exists", path);
}

async function rename(from: string, to: string, replace: boolean): Promise<void> {
  if (!replace) {
    try {
      await Deno.link(from, to); // unlike a rename, this never replaces anything
      return await Deno.remove(from);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) throw refusal("exists", to);
      // A file system without links: look, and rename.
    }
  }
  checkVacant(await lookAt(to), to, replace);
  await Deno.rename(from, to);
}

/**
 * The permissions that a new file has in this folder. They are seen from a new file, because asking for
 * the mask of the process takes another permission of the runtime, and because a folder may have rules
 * of its own.
 */
async function usualMode(target: string): Promise<number> {
  const path = temporaryPath(target);
  const example = await Deno.open(path, { write: true, createNew: true });
  try {
    return ((await example.stat()).mode ?? PRIVATE) & 0o777;
  } finally {
    example.close();
    await removeIfThere(path);
  }
}

/** Sets permissions by descriptor: under the path there could be a link by now. */
async function setMode(held: Deno.FileInfo, path: string, mode: number): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (isSameFile(held, await handle.stat())) await handle.chmod(mode);
  } finally {
    await handle.close();
  }
}

/** A hidden path beside the target that no one can foresee. */
function temporaryPath(target: string): string {
  const isSeparator = Deno.build.os === "windows" ? /[\\/]/ : "/";
  const name = target.split(isSeparator).at(-1) ?? "";
  const isLong = new TextEncoder().encode(name).length > MAX_BASE_LENGTH;
  const shown = isLong ? [...name].slice(0, 40).join("") : name;
  const lot = crypto.getRandomValues(new Uint8Array(8)).toHex();
  return `${target.slice(0, target.length - name.length)}.${shown}.${lot}.tincan-temp`;
}

function refusal(code: PlaceErrorCode, path: string): PlaceError {
  return new PlaceError(code, `Cannot write ${toPrintable(path)}: ${REFUSALS[code]}`);
}
