/**
 * A file that is being downloaded, under a hidden name beside its final one, with a note that says
 * what it is a part of. If this process is killed both stay, and the next download resumes there.
 *
 * In a folder in which others may write, what is under that name may be someone else's. Then the
 * download grows under a name that no one can foresee, and cannot be resumed.
 *
 * @module
 */
import {
  AtomicFile,
  isHeld,
  lookAt,
  makePrivate,
  placeFile,
  removeIfThere,
} from "../../common/atomic_file.ts";
import { toPrintable } from "../../common/escape.ts";
import { diskError } from "./_disk.ts";
import { NOTHING } from "./_digest.ts";
import { noteName, partName } from "./_names.ts";
import { isExclusive, isOfSameOwner, openRegular, removeStale } from "./_own_file.ts";
import { join, split } from "./_paths.ts";
import { cut, isTag } from "./_protocol.ts";
import { FileTransferError } from "./errors.ts";

/** A longer note is not one of ours. */
const MAX_NOTE_LENGTH = 8_192;

/** A download on the disk. */
export class PartialFile implements AsyncDisposable {
  /** Bytes that are there and can be resumed after; 0 if there is nothing. */
  length = 0;
  /** The state of the source that these bytes are of. */
  tag: string = NOTHING;

  readonly #target: string;
  readonly #folder: string;
  readonly #name: string;
  #path: string;
  #note: string | undefined; // `undefined` if there can be none
  #file: Deno.FsFile | undefined;
  #isDone = false;

  private constructor(target: string, name: string) {
    const [folder, base] = split(target);
    this.#target = target;
    this.#folder = folder;
    this.#path = join(folder, partName(base));
    this.#note = join(folder, noteName(base));
    this.#name = name;
  }

  /**
   * Looks for what an earlier download has left. Unless something is there, nothing is made yet.
   *
   * @param target The final path.
   * @param name The name on the server, which the note must agree with.
   * @throws {FileTransferError} With the code `busy`, if another process is downloading to it.
   */
  static async find(target: string, name: string): Promise<PartialFile> {
    const partial = new PartialFile(target, name);
    try {
      await partial.#find();
    } catch (error) {
      await partial[Symbol.asyncDispose]();
      throw diskError(`Cannot write ${toPrintable(target)}`, error);
    }
    return partial;
  }

  /** The file, once it was begun. */
  get file(): Deno.FsFile {
    if (this.#file === undefined) throw new TypeError("Cannot use the file before begin()");
    return this.#file;
  }

  /** Where the bytes are, for messages. */
  get path(): string {
    return toPrintable(this.#target);
  }

  /** Reads what is there. */
  async read(buffer: Uint8Array, position: number): Promise<number> {
    await this.file.seek(position, Deno.SeekMode.Start);
    return await this.file.read(buffer) ?? 0;
  }

  /** Forgets what is there: the next download begins at the beginning. */
  forget(): void {
    this.length = 0;
    this.tag = NOTHING;
  }

  /**
   * Gets ready for the bytes from `offset`: makes the file if it is not there, and notes what it will be
   * a part of.
   */
  async begin(offset: number, tag: string): Promise<void> {
    try {
      this.#file ??= await this.#make();
      if (offset > 0) {
        await this.#file.seek(offset, Deno.SeekMode.Start);
        return;
      }
      // In this order: a note never speaks of bytes that are not its own.
      await this.#removeNote();
      await this.#file.truncate(0);
      await this.#file.seek(0, Deno.SeekMode.Start);
      this.length = 0;
      this.tag = tag !== NOTHING && await this.#writeNote(tag) ? tag : NOTHING;
    } catch (error) {
      throw diskError(`Cannot write ${this.path}`, error);
    }
  }

  /** Gives the file its final name: it is complete. */
  async finish(replace: boolean): Promise<void> {
    try {
      await placeFile(this.file, this.#path, { to: this.#target, replace });
    } catch (error) {
      throw diskError(`Cannot write ${this.path}`, error);
    }
    this.#isDone = true;
    await this.#removeNote();
  }

  /** Removes what is there. */
  async discard(): Promise<void> {
    this.forget();
    if (this.#file === undefined) return;
    await this.#removeNote();
    await this.#file.truncate(0);
  }

  /** Closes the file. Bytes that can be resumed after are kept, and counted in the result. */
  async keep(): Promise<number> {
    const file = this.#file;
    if (file === undefined || this.#isDone) return 0;
    const { size } = await file.stat();
    return this.tag === NOTHING ? 0 : size;
  }

  /** Closes the file, and removes it if the next download could not resume it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    if (!this.#isDone && await this.keep() === 0) {
      await this.#removeNote();
      await removeIfThere(this.#path);
    }
    this.#file = undefined;
    file.close();
  }

  async #find(): Promise<void> {
    if (await lookAt(this.#path) === null) return;
    const fresh = await AtomicFile.create(this.#target); // shows which user we are, too
    let isUsed = false;
    try {
      const own = await fresh.file.stat();
      await removeStale(this.#folder, own);
      isUsed = await this.#adopt(own) === "foreign";
      if (isUsed) this.#use(fresh);
    } finally {
      if (!isUsed) await fresh[Symbol.asyncDispose]();
    }
  }

  /** Takes up what is there if it is ours, and ours alone. */
  async #adopt(own: Deno.FileInfo): Promise<"adopted" | "removed" | "foreign"> {
    const file = await openRegular(this.#path);
    if (file === null) return await lookAt(this.#path) === null ? "removed" : "foreign";
    let isAdopted = false;
    try {
      const held = await file.stat();
      if (!isOfSameOwner(own, held)) return "foreign";
      if (!await isHeld(file, this.#path)) throw this.#busy();
      if (!isExclusive(held)) {
        await Deno.remove(this.#path); // ours, but others may have written to it
        return "removed";
      }
      isAdopted = true;
      this.#file = file;
    } finally {
      if (!isAdopted) file.close();
    }
    const note = await this.#readNote(own);
    if (note === null) return "adopted";
    const [tag, name] = cut(note);
    if (name !== this.#name || !isTag(tag)) return "adopted";
    this.tag = tag;
    this.length = (await this.file.stat()).size;
    return "adopted";
  }

  async #make(): Promise<Deno.FsFile> {
    let file: Deno.FsFile;
    try {
      file = await makePrivate(this.#path);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      return this.#use(await AtomicFile.create(this.#target)); // it came meanwhile
    }
    try {
      if (await isHeld(file, this.#path)) return file;
      throw this.#busy();
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Grows in a file that the next download will not know. */
  #use({ file, path }: AtomicFile): Deno.FsFile {
    this.#path = path;
    this.#note = undefined;
    this.#file = file;
    return file;
  }

  #busy(): FileTransferError {
    return new FileTransferError(
      "busy",
      `Cannot write ${this.path}: another download to it is under way`,
    );
  }

  /** Reads the note, if it is ours alone; another's could pass other bytes off as those of the source. */
  async #readNote(own: Deno.FileInfo): Promise<string | null> {
    const file = this.#note === undefined ? null : await openRegular(this.#note);
    if (file === null) return null;
    try {
      const held = await file.stat();
      if (!isOfSameOwner(own, held) || !isExclusive(held) || held.size > MAX_NOTE_LENGTH) {
        return null;
      }
      const bytes = new Uint8Array(held.size);
      const n = await file.read(bytes) ?? 0;
      return new TextDecoder().decode(bytes.subarray(0, n));
    } finally {
      file.close();
    }
  }

  /** Makes the note; `false` if someone else's is in the way. */
  async #writeNote(tag: string): Promise<boolean> {
    if (this.#note === undefined) return false;
    try {
      const text = `${tag} ${this.#name}`;
      await Deno.writeTextFile(this.#note, text, { createNew: true, mode: 0o600 });
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      throw error;
    }
  }

  /** Removes the note, if it is ours. */
  async #removeNote(): Promise<void> {
    const there = this.#note === undefined ? null : await lookAt(this.#note);
    if (this.#note === undefined || there === null || !there.isFile) return;
    if (isOfSameOwner(await this.file.stat(), there)) await removeIfThere(this.#note);
  }
}
