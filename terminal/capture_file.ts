/**
 * A capture in a file, to be continued.
 *
 * @module
 */
import { writeAll } from "../common/write_all.ts";
import { type CaptureEnd, endOfCapture } from "../apps/relay/mod.ts";
import { inOneLine } from "./one_line.ts";

/** A capture that is written to. */
export interface CaptureFile {
  /** The highest number of a connection that is in it already. */
  readonly lastId: number;
  /**
   * Writes all of the bytes at its end.
   *
   * @throws {Error} If that fails: then the capture has a hole in it.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Lets others continue it. */
  close(): void;
}

/**
 * Opens a capture to continue it, or a new one. Only one program at a time can do so.
 *
 * @throws {Error} If that fails.
 */
export async function openCapture(path: string): Promise<CaptureFile> {
  const doing = <T>(action: () => Promise<T>) => inOneLine(`write ${path}`, action);
  const file = await doing(() => Deno.open(path, { write: true, create: true, append: true }));
  const write = (bytes: Uint8Array) => doing(() => writeAll(file, bytes));
  const { lastId, isTorn } = await doing(() => continued(file, path)).catch((error) => {
    file.close();
    throw error;
  });
  if (isTorn) await write(new TextEncoder().encode("\n"));
  return { lastId, write, close: () => file.close() };
}

async function continued(file: Deno.FsFile, path: string): Promise<CaptureEnd> {
  const { isFile, size } = await file.stat();
  const isLocked = !isFile || await file.tryLock(true);
  if (!isLocked) throw new Error("another program is writing it");
  if (!isFile || size === 0) return { lastId: 0, isTorn: false };
  return await endOfCapture((await Deno.open(path)).readable);
}
