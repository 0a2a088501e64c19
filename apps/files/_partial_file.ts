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
import { NOTHING } from "./_digest.ts";
import { onDisk, readAt } from "./_disk.ts";
import { join, nameBeside, NOTE, PART, split } from "./_names.ts";
import { isOfSameOwner, isOursAlone, openRegular, removeStale } from "./_own_file.ts";
import { cut, TAG } from "./_protocol.ts";
import { FileTransferError } from "./errors.ts";

/** A longer note is not one of ours. */
const MAX_NOTE_LENGTH = 8_192;

/** A download on the disk. */
export class PartialFile implements AsyncDisposable {
  /** Bytes that are there and can be resumed after; 0 if there is nothing. */
  length = 0;
  /** The state of the source that these bytes are of. */
  tag: string = NOTHING;
  /** What fails if the disk does, for messages. */
  readonly action: string;

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
    this.#path = join(folder, nameBeside(base, PART));
    this.#note = join(folder, nameBeside(base, NOTE));
    this.#name = name;
    this.action = `Cannot write ${toPrintable(target)}`;
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
    await using cleanup = new AsyncDisposableStack();
    cleanup.use(partial);
    await onDisk(partial.action, () => partial.#find());
    cleanup.move(); // the caller closes it
    return partial;
  }

  /** The file, once it was begun. */
  get file(): Deno.FsFile {
    if (this.#file === undefined) throw new TypeError("Cannot use the file before begin()");
    return this.#file;
  }

  /** Reads what is there. */
  read(buffer: Uint8Array, position: number): Promise<number> {
    return readAt(this.file, buffer, position);
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
  begin(offset: number, tag: string): Promise<void> {
    return onDisk(this.action, async () => {
      this.#file ??= await this.#make();
      await this.#file.seek(offset, Deno.SeekMode.Start);
      if (offset > 0) return;
      // In this order: a note never speaks of bytes that are not its own.
      await this.#removeNote();
      await this.#file.truncate(0);
      this.length = 0;
      this.tag = tag !== NOTHING && await this.#writeNote(tag) ? tag : NOTHING;
    });
  }

  /** Gives the file its final name: it is complete. */
  async finish(replace: boolean): Promise<void> {
    await onDisk(
      this.action,
      () => placeFile(this.file, this.#path, { to: this.#target, replace }),
    );
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

  /** How many bytes stay, after which the next download can resume. */
  async kept(): Promise<number> {
    if (this.#file === undefined || this.#isDone || this.tag === NOTHING) return 0;
    return (await this.#file.stat()).size;
  }

  /** Closes the file, and removes it if the next download could not resume it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#file === undefined) return;
    if (!this.#isDone && await this.kept() === 0) {
      await this.#removeNote();
      await removeIfThere(this.#path);
    }
    this.#file.close();
    this.#file = undefined;
  }

  async #find(): Promise<void> {
    if (await lookAt(this.#path) === null) return;
    await using cleanup = new AsyncDisposableStack();
    const fresh = cleanup.use(await AtomicFile.create(this.#target)); // shows which user we are, too
    const own = await fresh.file.stat();
    await removeStale(this.#folder, own);
    if (await this.#adopt(own)) return;
    this.#use(fresh);
    cleanup.move();
  }

  /** Opens what is there, if it is ours alone; `false` if it is someone else's and has to stay. */
  async #adopt(own: Deno.FileInfo): Promise<boolean> {
    using cleanup = new DisposableStack();
    const file = cleanup.use(await openRegular(this.#path));
    if (file === null) return await lookAt(this.#path) === null;
    const held = await file.stat();
    if (!isOfSameOwner(own, held)) return false;
    if (!await isHeld(file, this.#path)) throw this.#busy();
    if (!isOursAlone(own, held)) {
      await Deno.remove(this.#path); // others may have written to it
      return true;
    }
    this.#file = file;
    cleanup.move();
    const [tag, name] = cut(await this.#readNote(own));
    if (name !== this.#name || !TAG.test(tag)) return true;
    this.tag = tag;
    this.length = (await file.stat()).size;
    return true;
  }

  async #make(): Promise<Deno.FsFile> {
    using cleanup = new DisposableStack();
    try {
      const file = cleanup.use(await makePrivate(this.#path));
      if (!await isHeld(file, this.#path)) throw this.#busy();
      cleanup.move();
      return file;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      return this.#use(await AtomicFile.create(this.#target)); // it came meanwhile
    }
  }

  /** Downloads into a file that the next download cannot find. */
  #use({ file, path }: AtomicFile): Deno.FsFile {
    this.#path = path;
    this.#note = undefined;
    this.#file = file;
    return file;
  }

  #busy(): FileTransferError {
    const message = `${this.action}: another download to it is under way`;
    return new FileTransferError("busy", message);
  }

  /** Reads the note, if it is ours alone; another's could pass other bytes off as those of the source. */
  async #readNote(own: Deno.FileInfo): Promise<string> {
    using file = this.#note === undefined ? null : await openRegular(this.#note);
    if (file === null) return "";
    const held = await file.stat();
    if (!isOursAlone(own, held) || held.size > MAX_NOTE_LENGTH) return "";
    const bytes = new Uint8Array(held.size);
    const n = await file.read(bytes) ?? 0;
    return new TextDecoder().decode(bytes.subarray(0, n));
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
