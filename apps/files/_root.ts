/**
 * The folder that is served, and nothing outside it.
 *
 * Three checks stand between a name from the wire and a file. The name is taken apart and each part
 * must be a plain one (`_names.ts`). The path is walked part by part without following links; a link
 * is resolved, and what it leads to must be inside and shown. The file is then opened without following
 * a link and without waiting for a pipe, and it is proved that it lies where the walk has been.
 *
 * That proof is needed because a user of this machine may exchange a folder for a link at any moment.
 * Where programs can open a file relative to a folder they hold, that is no danger; the runtime cannot.
 * So after opening, folders and file are looked at again, in random order, many times. To
 * smuggle in a file from outside, each look at a folder has to meet the folder and each look at the
 * file has to go through the link, so an attacker has to guess the order every time.
 *
 * What is outside, hidden or missing gets the same answer, so that no one learns what exists.
 *
 * @module
 */
import { constants, type Stats } from "node:fs";
import { open } from "node:fs/promises";
import { type FileId, isSameFile } from "../../common/atomic_file.ts";
import { nextTurn, spend } from "../../common/turn_budget.ts";
import { toPrintable } from "../../common/escape.ts";
import { reasonOf } from "./_disk.ts";
import { faultOf, isTemporary, join, relative, segmentsOf, SEPARATOR } from "./_names.ts";
import type { FileEntry } from "./_protocol.ts";
import { FileTransferError } from "./errors.ts";

/** Neither follows a link nor waits for a pipe's writer. Windows has no such flags. */
const CAREFULLY = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** How often the proof looks at folders and file: one attempt in 2^48 could succeed. It takes half a
 * millisecond, and nothing for a file in the folder itself. */
const ROUNDS = 48;

/** How many entries are looked at together when a folder is listed. */
const LOOK_TOGETHER = 64;

/** A file of the folder, opened for reading. */
export interface OpenFile extends AsyncDisposable {
  readonly size: number;
  /** Stands for this state of the file: another content has another tag. */
  readonly tag: string;
  /** When the file or what the system notes about it was changed last, in milliseconds since 1970. */
  readonly changed: number;
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Whether it has still the same state, so that a checksum that was computed may be remembered. */
  hasSameTag(): Promise<boolean>;
  /** Whether it has still the same size and time. A new name or new permissions make another tag, but
   * are no reason to give up a transfer. */
  isIntact(): Promise<boolean>;
}

/** What a folder holds. */
export interface List {
  entries: FileEntry[];
  /** Entries that are there and not shown, because their names cannot be asked for. */
  omitted: number;
}

/** What was found, and where. */
interface Found {
  path: string;
  info: Deno.FileInfo;
}

/** The folder that is served. */
export class Root {
  /** The folder, without links. */
  readonly path: string;
  readonly #hidden: boolean;

  private constructor(path: string, hidden: boolean) {
    this.path = path;
    this.#hidden = hidden;
  }

  /**
   * Looks at the folder.
   *
   * @param hidden Whether names that begin with a dot are shown.
   * @throws {FileTransferError} If it is not there, or no folder.
   */
  static async open(directory: string, hidden: boolean): Promise<Root> {
    const action = `Cannot serve ${toPrintable(directory)}`;
    try {
      const path = await Deno.realPath(directory);
      if ((await Deno.stat(path)).isDirectory) return new Root(path, hidden);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      const code = error instanceof Deno.errors.NotFound ? "not_found" : "not_readable";
      throw new FileTransferError(code, `${action}: ${reasonOf(error)}`, { cause: error });
    }
    throw new FileTransferError("not_a_file", `${action}: it is not a folder`);
  }

  /** Opens a file to be sent. */
  async openFile(name: string): Promise<OpenFile> {
    const found = await this.#walk(this.#segments(name));
    if (!found.info.isFile) throw notAFile(found.info.isDirectory);
    const folders = await this.#foldersTo(found.path).catch(refuse);
    const handle = await open(found.path, CAREFULLY).catch(refuse);
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw notAFile(false);
      if (folders.length > 0) prove([...folders, { path: found.path, info: stat }]);
      const tag = tagOf(stat);
      return {
        size: stat.size,
        tag,
        changed: Math.max(stat.mtimeMs || 0, stat.ctimeMs), // a time can be none
        read: async (buffer, position) =>
          (await handle.read(buffer, 0, buffer.length, position)).bytesRead,
        hasSameTag: async () => tagOf(await handle.stat()) === tag,
        isIntact: async () => {
          const now = await handle.stat();
          return now.size === stat.size && Object.is(now.mtimeMs, stat.mtimeMs);
        },
        [Symbol.asyncDispose]: () => handle.close(),
      };
    } catch (error) {
      await handle.close();
      return refuse(error);
    }
  }

  /**
   * What a folder holds: files and folders, sorted by name. Links are shown as what they lead to, if
   * that is inside.
   *
   * @throws {FileTransferError} With the code `too_many`, if it holds more than `limit` entries.
   */
  async list(folder: string, limit: number): Promise<List> {
    const segments = folder === "" ? [] : this.#segments(folder);
    const found = await this.#walk(segments);
    if (!found.info.isDirectory) throw notAFile(false);
    const names = await this.#namesIn(found.path, limit).catch(refuse);
    const list: List = { entries: [], omitted: 0 };
    for (let at = 0; at < names.length; at += LOOK_TOGETHER) {
      const some = names.slice(at, at + LOOK_TOGETHER);
      const looks = some.map((name) => this.#entry(segments, found.path, name));
      for (const entry of await Promise.all(looks)) {
        if (entry === "omitted") list.omitted++;
        else if (entry !== null) list.entries.push(entry);
      }
      if (spend()) await nextTurn();
    }
    const again = await this.#walk(segments);
    if (!isSameFile(again.info, found.info)) throw notFound();
    return list;
  }

  /** The names that are shown, sorted. */
  async #namesIn(path: string, limit: number): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(path)) {
      if (spend()) await nextTurn();
      if (!this.#shows(name)) continue;
      if (names.push(name) > limit) {
        throw new FileTransferError("too_many", `The folder holds more than ${limit} entries`);
      }
    }
    return names.sort();
  }

  /**
   * The path for a file that is to be stored: in the folder itself. On the way through another one the
   * bytes could be led outside, and the proof would come too late.
   */
  targetFor(name: string): string {
    const [base = "", ...more] = this.#segments(name);
    if (more.length === 0) return join(this.path, base);
    throw new FileTransferError("bad_name", "Files are stored in the folder itself only");
  }

  #segments(name: string): string[] {
    const segments = segmentsOf(name);
    if (!segments.every((segment) => this.#shows(segment))) throw notFound();
    return segments;
  }

  #shows(segment: string): boolean {
    return (this.#hidden || !segment.startsWith(".")) && !isTemporary(segment);
  }

  /** What the segments lead to. */
  async #walk(segments: readonly string[]): Promise<Found> {
    let path = this.path;
    try {
      let info = await Deno.lstat(path);
      for (const segment of segments) {
        if (!info.isDirectory) throw notFound();
        path = join(path, segment);
        info = await Deno.lstat(path);
        if (!info.isSymlink) continue;
        path = await this.#resolve(path);
        info = await Deno.lstat(path);
      }
      return { path, info };
    } catch (error) {
      return refuse(error);
    }
  }

  /** Where a link leads to, if that is inside and shown. */
  async #resolve(link: string): Promise<string> {
    let path: string;
    try {
      path = await Deno.realPath(link);
    } catch {
      throw notFound(); // whatever the reason: it may be about something outside
    }
    const inside = relative(this.path, path);
    if (inside === null) throw notFound();
    const segments = inside === "" ? [] : inside.split(SEPARATOR);
    if (!segments.every((segment) => this.#shows(segment))) throw notFound();
    return path;
  }

  /** The folders on a path without links, the one that is served left out. */
  async #foldersTo(path: string): Promise<Found[]> {
    const folders: Found[] = [];
    const segments = (relative(this.path, path) ?? "").split(SEPARATOR).slice(0, -1);
    let folder = this.path;
    for (const segment of segments) {
      folder = join(folder, segment);
      const info = await Deno.lstat(folder);
      if (!info.isDirectory) throw notFound();
      folders.push({ path: folder, info });
    }
    return folders;
  }

  /** One entry of a list; `null` if it is not shown, `"omitted"` if it cannot be asked for. */
  async #entry(
    folder: readonly string[],
    path: string,
    name: string,
  ): Promise<FileEntry | null | "omitted"> {
    if (faultOf(name) !== undefined) return "omitted"; // a name with a line end, say
    try {
      let info = await Deno.lstat(join(path, name));
      if (info.isSymlink) ({ info } = await this.#walk([...folder, name]));
      if (!info.isFile && !info.isDirectory) return null;
      const size = info.isFile ? info.size : 0;
      return { name, size, modified: info.mtime, isFolder: info.isDirectory };
    } catch (error) {
      // The runtime puts U+FFFD in the place of what is no text, and no file has the name it makes.
      const isLost = name.includes("\ufffd") || error instanceof Deno.errors.PermissionDenied;
      return isLost ? "omitted" : null;
    }
  }
}

/** Proves that all of this was there together: see the top of this file. Not asynchronous, so that it is
 * over before much can happen. */
function prove(all: readonly { path: string; info: FileId }[]): void {
  for (const random of crypto.getRandomValues(new Uint8Array(ROUNDS))) {
    const order = random & 1 ? all : all.toReversed();
    for (const { path, info } of order) {
      if (!isSameFile(Deno.lstatSync(path), info)) throw notFound();
    }
  }
}

/** What stands for the state of a file: a file that was replaced has another number, one that was
 * changed another time, even if its time was set back: no one can set the time of the last change. The
 * checksum catches the rest. */
function tagOf({ size, mtimeMs, ctimeMs, ino }: Stats): string {
  const parts = [size, Math.trunc(mtimeMs), Math.trunc(ctimeMs), ino];
  return parts.map((part) => part.toString(36)).join(".");
}

/** Throws the refusal that stands for an error of the system. */
function refuse(error: unknown): never {
  if (error instanceof FileTransferError) throw error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EMFILE" || code === "ENFILE" || code === "EIO") {
    const message = `The server failed: ${reasonOf(error)}`;
    throw new FileTransferError("failed", message, { cause: error });
  }
  const isDenied = error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable || code === "EACCES" || code === "EPERM";
  if (!isDenied) throw notFound();
  throw new FileTransferError("not_readable", "The server may not read it", { cause: error });
}

function notFound(): FileTransferError {
  return new FileTransferError("not_found", "No such file");
}

function notAFile(isFolder: boolean): FileTransferError {
  const message = isFolder ? "It is a folder" : "It is not a regular file";
  return new FileTransferError("not_a_file", message);
}
