/**
 * What uploads may add to the folder that is served.
 *
 * @module
 */
import { AtomicFile, checkVacant, lookAt } from "../../common/atomic_file.ts";
import { checkCount } from "../../common/options.ts";
import { join } from "./_paths.ts";
import { diskError } from "./_disk.ts";
import { removeStale } from "./_own_file.ts";
import { FileTransferError } from "./errors.ts";

/** A file takes at least so much of the quota, however small it is: that is what a disk gives it. */
const SMALLEST_SHARE = 4_096;

/** How often it is looked for what killed servers have left, in milliseconds. */
const CLEAN_EVERY = 60 * 60 * 1_000;

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
  async begin(target: string, size: number, replace: boolean): Promise<Upload> {
    if (replace && !this.#replace) {
      throw new FileTransferError("forbidden", "Uploads may not replace files here");
    }
    let reserved = 0;
    try {
      checkVacant(await lookAt(target), target, replace);
      await this.clean();
      if (this.#used + Math.max(size, SMALLEST_SHARE) > this.#quota) throw this.#full();
      this.#reserve(SMALLEST_SHARE);
      reserved = SMALLEST_SHARE;
      const own = await AtomicFile.create(target);
      return new Upload(own, { target, replace, reserve: (bytes) => this.#reserve(bytes) });
    } catch (error) {
      this.#reserve(-reserved);
      throw diskError("The file cannot be written", error);
    }
  }

  #reserve(bytes: number): void {
    if (bytes > 0 && this.#used + bytes > this.#quota) throw this.#full();
    this.#used += bytes;
  }

  #full(): FileTransferError {
    return new FileTransferError("quota", `No more than ${this.#quota} bytes are taken here`);
  }
}

/** What an upload is made from. */
interface UploadInit {
  target: string;
  replace: boolean;
  /** Takes bytes of the quota, or gives them back. */
  reserve: (bytes: number) => void;
}

/** A file that is being stored. It takes of the quota what has come of it, not what was announced. */
class Upload implements AsyncDisposable {
  readonly #own: AtomicFile;
  readonly #init: UploadInit;
  #bytes = 0;
  #reserved = SMALLEST_SHARE;
  #isPlaced = false;

  constructor(own: AtomicFile, init: UploadInit) {
    this.#own = own;
    this.#init = init;
  }

  /** Where the bytes go. */
  get file(): Deno.FsFile {
    return this.#own.file;
  }

  /**
   * Reserves room for the next bytes.
   *
   * @throws {FileTransferError} With the code `quota`.
   */
  readonly reserve = (bytes: number): void => {
    this.#bytes += bytes;
    const missing = Math.max(0, this.#bytes - this.#reserved);
    this.#init.reserve(missing);
    this.#reserved += missing;
  };

  /** Gives the file its name: it is complete. */
  async finish(): Promise<void> {
    try {
      await this.#own.place({ to: this.#init.target, replace: this.#init.replace });
    } catch (error) {
      throw diskError("The file cannot be written", error);
    }
    this.#isPlaced = true;
  }

  /** Closes the file, and removes it if it did not get its name. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#own[Symbol.asyncDispose]();
    if (!this.#isPlaced) this.#init.reserve(-this.#reserved);
  }
}
