/**
 * What uploads may add to the folder that is served.
 *
 * @module
 */
import { AtomicFile, checkVacant, lookAt, type PlaceOptions } from "../../common/atomic_file.ts";
import { checkCount } from "../../common/options.ts";
import { onDisk } from "./_disk.ts";
import { join } from "./_names.ts";
import { removeStale } from "./_own_file.ts";
import { FileTransferError } from "./errors.ts";

/** A file takes at least so much of the quota, however small it is: that is what a disk gives it. */
const SMALLEST_SHARE = 4_096;

/** How often the files of killed servers are looked for, in milliseconds. */
const CLEAN_EVERY = 60 * 60 * 1_000;

/** What fails, for messages. */
const WRITING = "The file cannot be written";

/** What clients may store. */
export interface UploadOptions {
  /**
   * Bytes that all uploads together may add while the server runs; each file counts for at least
   * 4,096.
   *
   * @default {1_073_741_824} 1 GiB
   */
  quota?: number | undefined;
  /**
   * Let an upload replace a file, if its client asks for that.
   *
   * @default {false}
   */
  replace?: boolean | undefined;
}

/** Counts what uploads add. */
export class Uploads {
  readonly #folder: string;
  readonly #quota: number;
  readonly #replace: boolean;
  #used = 0;
  #cleanedAt = -Infinity;

  constructor(folder: string, { quota = 1024 ** 3, replace = false }: UploadOptions) {
    this.#folder = folder;
    this.#quota = checkCount("upload.quota", quota);
    this.#replace = replace;
  }

  /** Removes what killed servers of this user have left in the folder, now and then. */
  async clean(): Promise<void> {
    if (performance.now() - this.#cleanedAt < CLEAN_EVERY) return;
    this.#cleanedAt = performance.now();
    try {
      await using own = await AtomicFile.create(join(this.#folder, "clean"));
      await removeStale(this.#folder, await own.file.stat());
    } catch {
      // The folder cannot be written to: the uploads will fail and say so.
    }
  }

  /** Begins a file under a temporary name. Nothing is there if it throws. */
  begin(target: string, size: number, replace: boolean): Promise<Upload> {
    if (replace && !this.#replace) {
      throw new FileTransferError("forbidden", "Uploads may not replace files here");
    }
    return onDisk(WRITING, async () => {
      checkVacant(await lookAt(target), target, replace);
      await this.clean();
      this.#check(Math.max(size, SMALLEST_SHARE));
      this.take(SMALLEST_SHARE);
      try {
        return new Upload(this, await AtomicFile.create(target), { to: target, replace });
      } catch (error) {
        this.take(-SMALLEST_SHARE);
        throw error;
      }
    });
  }

  /**
   * Takes bytes of the quota; a negative number gives them back.
   *
   * @throws {FileTransferError} With the code `quota`.
   */
  take(bytes: number): void {
    if (bytes > 0) this.#check(bytes);
    this.#used += bytes;
  }

  #check(bytes: number): void {
    if (this.#used + bytes <= this.#quota) return;
    throw new FileTransferError("quota", `No more than ${this.#quota} bytes are taken here`);
  }
}

/** A file that is being stored. It counts against the quota with the bytes that were received, not with
 * those that were announced. */
class Upload implements AsyncDisposable {
  readonly #uploads: Uploads;
  readonly #own: AtomicFile;
  readonly #place: PlaceOptions;
  #bytes = 0;
  #taken = SMALLEST_SHARE; // of the quota, to be given back unless the file gets its name

  constructor(uploads: Uploads, own: AtomicFile, place: PlaceOptions) {
    this.#uploads = uploads;
    this.#own = own;
    this.#place = place;
  }

  /** Where the bytes go. */
  get file(): Deno.FsFile {
    return this.#own.file;
  }

  /**
   * Takes room for the next bytes.
   *
   * @throws {FileTransferError} With the code `quota`.
   */
  reserve(bytes: number): void {
    this.#bytes += bytes;
    const missing = Math.max(0, this.#bytes - this.#taken);
    this.#uploads.take(missing);
    this.#taken += missing;
  }

  /** Gives the file its name: it is complete. */
  async finish(): Promise<void> {
    await onDisk(WRITING, () => this.#own.place(this.#place));
    this.#taken = 0;
  }

  /** Closes the file, and removes it if it did not get its name. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#own[Symbol.asyncDispose]();
    this.#uploads.take(-this.#taken);
  }
}
