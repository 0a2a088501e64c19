/**
 * Saving a body as a file.
 *
 * @module
 */
import { systemReason } from "../../common/system_reason.ts";
import { writeAll } from "../../common/write_all.ts";
import type { HttpResponse } from "./response.ts";

/** Pieces are gathered up to this size: each write has its price, whatever it writes. */
const BUFFER_SIZE = 1024 * 1024;

/** How to save a body. */
export interface SaveBodyOptions {
  /**
   * Is told how many bytes were written so far, after each write.
   *
   * @default {undefined} nobody
   */
  onProgress?: (bytes: number) => void;
}

/**
 * Saves the body of a response as a file: under a temporary name beside it first, and under its own
 * when the body is complete. So there is never half a file under that name; one that was there is
 * replaced as a whole, keeps its permissions, and stays if anything fails. Where a symbolic link leads,
 * there it is written. What is no file but a device or a pipe is written to as it is.
 *
 * Memory does not grow with the body.
 *
 * @param response What to save; its body must not have been read.
 * @param path Where to.
 * @param options Who is told of the progress.
 * @returns How many bytes were written.
 * @throws {HttpError} If the body is not whole or not as it should be.
 * @throws {Deno.errors.TimedOut} If it does not come in time.
 * @throws {Deno.errors.NotFound | Deno.errors.PermissionDenied | Deno.errors.IsADirectory} If it cannot
 * be written there.
 *
 * @example
 * ```ts
 * import { httpGet, saveBody } from "@tincan/net/http";
 * import { serveTcp } from "@tincan/net/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
 *   await conn.readUntil("\r\n\r\n");
 *   await conn.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
 * });
 *
 * const path = await Deno.makeTempFile();
 * const { port } = server.addr as Deno.NetAddr;
 * await using response = await httpGet(`http://127.0.0.1:${port}/`);
 * assertEquals(await saveBody(response, path), 5);
 * assertEquals(await Deno.readTextFile(path), "hello");
 * await Deno.remove(path);
 * ```
 */
export async function saveBody(
  response: HttpResponse,
  path: string,
  options: SaveBodyOptions = {},
): Promise<number> {
  const { onProgress = () => {} } = options;
  try {
    const target = await lookAt(path);
    return target.isSpecial
      ? await saveTo(target, target.path, response, onProgress)
      : await saveBeside(target, response, onProgress);
  } catch (error) {
    throw explain(error, path);
  }
}

/** Writes under another name, and under the right one at once when that is complete. */
async function saveBeside(
  target: Target,
  response: HttpResponse,
  onProgress: (bytes: number) => void,
): Promise<number> {
  const part = partName(target.path);
  try {
    const size = await saveTo(target, part, response, onProgress);
    await Deno.rename(part, target.path);
    return size;
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw error;
  }
}

async function saveTo(
  { isSpecial, exists, mode }: Target,
  path: string,
  response: HttpResponse,
  onProgress: (bytes: number) => void,
): Promise<number> {
  using file = await Deno.open(path, { write: true, createNew: !isSpecial, mode });
  if (exists && !isSpecial && Deno.build.os !== "windows") await Deno.chmod(path, mode);
  return await copy(response, file, onProgress);
}

/** Puts the system's errors about files into words. */
function explain(error: unknown, path: string): unknown {
  if (!(error instanceof Error)) return error;
  const reason = systemReason(error.message);
  if (reason === undefined) return error;
  const Class = error.constructor as ErrorConstructor;
  return new Class(`Cannot write ${path}: ${reason.toLowerCase()}`, { cause: error });
}

/** What stands where a file is to be written. */
interface Target {
  path: string;
  exists: boolean;
  isSpecial: boolean;
  mode: number;
}

async function lookAt(path: string): Promise<Target> {
  try {
    const real = await Deno.realPath(path);
    const info = await Deno.stat(real);
    if (info.isDirectory) {
      throw new Deno.errors.IsADirectory(`Cannot write ${path}: it is a directory`);
    }
    return {
      path: real,
      exists: true,
      isSpecial: !info.isFile,
      mode: (info.mode ?? 0o666) & 0o777,
    };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { path, exists: false, isSpecial: false, mode: 0o666 };
  }
}

/** A name in the same folder that nothing else has. */
function partName(path: string): string {
  const name = /[^/\\]*$/.exec(path)?.[0] ?? "";
  const folder = path.slice(0, path.length - name.length);
  return `${folder}.${name.slice(0, 40)}.${crypto.randomUUID()}.part`;
}

async function copy(
  response: HttpResponse,
  file: Deno.FsFile,
  onProgress: (bytes: number) => void,
): Promise<number> {
  let buffer = new Uint8Array(BUFFER_SIZE);
  let other = new Uint8Array(BUFFER_SIZE); // is being written while the first is filled
  let held = 0;
  let size = 0;
  let writing = Promise.resolve();
  const write = async (bytes: Uint8Array) => {
    await writeAll(file, bytes);
    size += bytes.length;
    onProgress(size);
  };
  const flush = async () => {
    await writing;
    writing = write(buffer.subarray(0, held));
    writing.catch(() => {}); // whoever waits for it is told
    [buffer, other] = [other, buffer];
    held = 0;
  };
  try {
    for await (const piece of response) {
      for (let at = 0; at < piece.length;) {
        const part = piece.subarray(at, at + BUFFER_SIZE - held);
        buffer.set(part, held);
        held += part.length;
        at += part.length;
        if (held === BUFFER_SIZE) await flush();
      }
    }
    await flush();
  } finally {
    await writing;
  }
  return size;
}
