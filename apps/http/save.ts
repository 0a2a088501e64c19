/**
 * Saving a body as a file.
 *
 * @module
 */
import type { HttpResponse } from "./response.ts";

/** Small pieces are gathered up to this size before they are written. */
const BUFFER_SIZE = 256 * 1024;

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
  const target = await lookAt(path);
  if (target.isSpecial) {
    using file = await Deno.open(target.path, { write: true });
    return await copy(response, file, onProgress);
  }
  const part = partName(target.path);
  const file = await Deno.open(part, { write: true, createNew: true, mode: target.mode });
  try {
    let size: number;
    try {
      if (target.exists && Deno.build.os !== "windows") await Deno.chmod(part, target.mode);
      size = await copy(response, file, onProgress);
    } finally {
      file.close();
    }
    await Deno.rename(part, target.path);
    return size;
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw error;
  }
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
  return `${folder}.${name.slice(0, 100)}.${crypto.randomUUID().slice(0, 8)}.part`;
}

async function copy(
  response: HttpResponse,
  file: Deno.FsFile,
  onProgress: (bytes: number) => void,
): Promise<number> {
  const buffer = new Uint8Array(BUFFER_SIZE);
  let held = 0;
  let size = 0;
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    size += bytes.length;
    onProgress(size);
  };
  for await (const piece of response) {
    if (held + piece.length > BUFFER_SIZE) {
      await write(buffer.subarray(0, held));
      held = 0;
    }
    if (piece.length >= BUFFER_SIZE) {
      await write(piece);
    } else {
      buffer.set(piece, held);
      held += piece.length;
    }
  }
  await write(buffer.subarray(0, held));
  return size;
}
