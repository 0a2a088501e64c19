/**
 * A file that is being downloaded, under a hidden name beside its final one, with a note that says
 * what it is a part of. Whoever kills this process leaves both, and the next download goes on there.
 *
 * @module
 */
import { toPrintable } from "../printable.ts";
import { checkVacant, diskError, lookAt, place, removeIfThere } from "./_disk.ts";
import { NOTHING } from "./_digest.ts";
import { noteName, partName } from "./_names.ts";
import { join, split } from "./_paths.ts";
import { cut, isTag } from "./_protocol.ts";
import { FileTransferError } from "./errors.ts";

/** A longer note is not one of ours. */
const MAX_NOTE_LENGTH = 8_192;

/** A download on the disk. */
export class PartialFile implements AsyncDisposable {
  /** Bytes that are there and can be gone on behind; 0 if there is nothing. */
  length = 0;
  /** The state of the source that these bytes are of. */
  tag: string = NOTHING;

  readonly #target: string;
  readonly #path: string;
  readonly #note: string;
  readonly #name: string;
  #file: Deno.FsFile | undefined;
  #isDone = false;

  private constructor(target: string, name: string) {
    const [folder, base] = split(target);
    this.#target = target;
    this.#path = join(folder, partName(base));
    this.#note = join(folder, noteName(base));
    this.#name = name;
  }

  /**
   * Looks for what an earlier download has left. Nothing is made yet.
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
      await removeIfThere(this.#note);
      await this.#file.truncate(0);
      await this.#file.seek(0, Deno.SeekMode.Start);
      if (tag !== NOTHING) {
        await Deno.writeTextFile(this.#note, `${tag} ${this.#name}`, { createNew: true });
      }
      this.length = 0;
      this.tag = tag;
    } catch (error) {
      throw diskError(`Cannot write ${this.path}`, error);
    }
  }

  /** Gives the file its final name: it is complete. */
  async finish(replace: boolean): Promise<void> {
    try {
      await place(this.#path, this.#target, replace);
    } catch (error) {
      throw diskError(`Cannot write ${this.path}`, error);
    }
    this.#isDone = true;
    await removeIfThere(this.#note);
  }

  /** Removes what is there. */
  async discard(): Promise<void> {
    this.forget();
    if (this.#file === undefined) return;
    await removeIfThere(this.#note);
    await this.#file.truncate(0);
  }

  /** Closes the file. Bytes that can be gone on behind are kept, and counted in the result. */
  async keep(): Promise<number> {
    const file = this.#file;
    if (file === undefined || this.#isDone) return 0;
    const { size } = await file.stat();
    return this.tag === NOTHING ? 0 : size;
  }

  /** Closes the file, and removes it if the next download could not go on with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    if (!this.#isDone && await this.keep() === 0) {
      await removeIfThere(this.#note);
      await removeIfThere(this.#path);
    }
    this.#file = undefined;
    file.close();
  }

  async #find(): Promise<void> {
    const there = await lookAt(this.#path);
    if (there === null) return;
    checkVacant(there, this.#path, true); // a link would lead the bytes elsewhere
    const file = await Deno.open(this.#path, { read: true, write: true });
    this.#file = file;
    await this.#lock(file);
    const note = await this.#readNote();
    if (note === null) return;
    const [tag, name] = cut(note);
    if (name !== this.#name || !isTag(tag)) return;
    this.tag = tag;
    this.length = (await file.stat()).size;
  }

  async #make(): Promise<Deno.FsFile> {
    const file = await Deno.open(this.#path, { read: true, write: true, createNew: true });
    try {
      await this.#lock(file);
    } catch (error) {
      file.close();
      throw error;
    }
    return file;
  }

  /** Keeps other processes from the file. The system forgets the lock when this one ends. */
  async #lock(file: Deno.FsFile): Promise<void> {
    const isOurs = await file.tryLock(true);
    const [held, there] = [await file.stat(), await lookAt(this.#path)];
    if (isOurs && there?.ino === held.ino && there.dev === held.dev) return;
    this.#isDone = true; // it is not ours to remove
    throw new FileTransferError(
      "busy",
      `Cannot write ${this.path}: another download to it is under way`,
    );
  }

  async #readNote(): Promise<string | null> {
    const there = await lookAt(this.#note);
    if (there === null || !there.isFile || there.size > MAX_NOTE_LENGTH) return null;
    return await Deno.readTextFile(this.#note);
  }
}
