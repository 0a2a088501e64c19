/**
 * What uploads may add to the folder that is served.
 *
 * @module
 */
import { checkCount } from "../../_internal/guard.ts";
import { join } from "./_paths.ts";
import { checkVacant, diskError, lookAt, place, removeIfThere } from "./_disk.ts";
import { partName } from "./_names.ts";
import type { Place } from "./_root.ts";
import { FileTransferError } from "./errors.ts";

/** A file takes at least so much of the quota, however small it is: that is what a disk gives it. */
const SMALLEST_SHARE = 4_096;

/** What clients may store. */
export interface UploadOptions {
  /**
   * Bytes that all uploads together may add while the server runs; each file counts for at least
   * 4,096.
   *
   * @default {1_073_741_824} 1 GiB
   */
  quota?: number;
  /**
   * Let an upload replace a file, if its client asks for that.
   *
   * @default {false}
   */
  replace?: boolean;
}

/** Counts what uploads add. */
export class Uploads {
  readonly #quota: number;
  readonly #replace: boolean;
  #used = 0;

  constructor({ quota = 1024 ** 3, replace = false }: UploadOptions) {
    this.#quota = checkCount("upload.quota", quota);
    this.#replace = replace;
  }

  /** Makes room for a file and begins it under a temporary name. Nothing is there if it throws. */
  async begin(to: Place, size: number, replace: boolean): Promise<Upload> {
    if (replace && !this.#replace) {
      throw new FileTransferError("forbidden", "Uploads may not replace files here");
    }
    const target = join(to.folder, to.base);
    checkVacant(await lookAt(target), target, replace);
    const share = Math.max(size, SMALLEST_SHARE);
    if (this.#used + share > this.#quota) {
      throw new FileTransferError("quota", `No more than ${this.#quota} bytes are taken here`);
    }
    this.#used += share;
    const giveBack = () => {
      this.#used -= share;
    };
    const path = join(to.folder, partName(to.base, `.${crypto.randomUUID().slice(0, 8)}`));
    try {
      const file = await Deno.open(path, { write: true, createNew: true });
      return new Upload(file, { path, target, replace, giveBack });
    } catch (error) {
      giveBack();
      throw diskError("The file cannot be written", error);
    }
  }
}

/** What an upload is made from. */
interface UploadInit {
  path: string;
  target: string;
  replace: boolean;
  giveBack: () => void;
}

/** A file that is being stored. */
export class Upload implements AsyncDisposable {
  /** Where the bytes go. */
  readonly file: Deno.FsFile;
  readonly #init: UploadInit;
  #isPlaced = false;

  constructor(file: Deno.FsFile, init: UploadInit) {
    this.file = file;
    this.#init = init;
  }

  /** Gives the file its name: it is complete. */
  async finish(): Promise<void> {
    const { path, target, replace } = this.#init;
    try {
      await place(path, target, replace);
    } catch (error) {
      throw diskError("The file cannot be written", error);
    }
    this.#isPlaced = true;
  }

  /** Closes the file, and removes it if it did not get its name. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.file.close();
    if (this.#isPlaced) return;
    await removeIfThere(this.#init.path);
    this.#init.giveBack();
  }
}
