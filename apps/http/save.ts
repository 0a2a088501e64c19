/**
 * Saving a body as a file.
 *
 * @module
 */
import { AtomicFile } from "../../common/atomic_file.ts";
import { checkOptions } from "../../common/options.ts";
import { pump } from "../../common/pump.ts";
import { systemReason } from "../../common/system_reason.ts";
import { writeAll } from "../../common/write_all.ts";
import type { HttpResponse } from "./response.ts";

/** Pieces are gathered up to this size: each write costs the same, however little it writes. */
const BUFFER_SIZE = 1024 * 1024;

/** How to save a body. */
export interface SaveBodyOptions {
  /**
   * Receives how many bytes were written so far, after each write.
   *
   * @default {undefined} nothing is reported
   */
  onProgress?: ((bytes: number) => void) | undefined;
}

/**
 * Saves the body of a response as a file: under a temporary name beside it first, and under its own
 * when the body is complete. So there is never half a file under that name; one that was there is
 * replaced as a whole, keeps its permissions, and stays if anything fails. A symbolic link is followed.
 * A device or a pipe is written to as it is.
 *
 * Memory does not grow with the body.
 *
 * @param response What to save; its body must not have been read.
 * @param path Where to.
 * @param options A hook for the progress.
 * @returns How many bytes were written.
 * @throws {HttpError} If the body is incomplete or invalid.
 * @throws {Deno.errors.TimedOut} If it does not arrive in time.
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
 * const { port } = server.addr;
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
  checkOptions<SaveBodyOptions>("saveBody", options, { onProgress: true });
  const { onProgress = () => {} } = options;
  try {
    const target = await lookAt(path);
    if (target.isSpecial) {
      using file = await Deno.open(target.path, { write: true });
      return await copy(response, file, onProgress);
    }
    await using part = await AtomicFile.create(target.path);
    const size = await copy(response, part.file, onProgress);
    await part.place({ to: target.path, replace: true, mode: target.mode });
    return size;
  } catch (error) {
    throw explain(error, path);
  }
}

/** Turns the system's errors about files into ours, with the path. */
function explain(error: unknown, path: string): unknown {
  if (!(error instanceof Error)) return error;
  const reason = systemReason(error.message);
  if (reason === undefined) return error;
  const Class = error.constructor as ErrorConstructor;
  return new Class(`Cannot write ${path}: ${reason.toLowerCase()}`, { cause: error });
}

/** What is at the path to which a file is to be written. */
interface SavePath {
  path: string;
  /** Whether it is a device or a pipe. */
  isSpecial: boolean;
  /** The permissions of an existing file. */
  mode: number | undefined;
}

async function lookAt(path: string): Promise<SavePath> {
  try {
    const real = await Deno.realPath(path);
    const { isDirectory, isFile, mode } = await Deno.stat(real);
    if (isDirectory) {
      throw new Deno.errors.IsADirectory(`Cannot write ${path}: it is a directory`);
    }
    return { path: real, isSpecial: !isFile, mode: mode === null ? undefined : mode & 0o777 };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { path, isSpecial: false, mode: undefined };
  }
}

async function copy(
  response: HttpResponse,
  file: Deno.FsFile,
  onProgress: (bytes: number) => void,
): Promise<number> {
  const pieces = response[Symbol.asyncIterator]();
  let piece = new Uint8Array(0);
  let size = 0;
  try {
    await pump(BUFFER_SIZE, {
      async fill(buffer) {
        let held = 0;
        while (held < buffer.length) {
          if (piece.length === 0) {
            const { done, value } = await pieces.next();
            if (done) break;
            piece = value;
          }
          const part = piece.subarray(0, buffer.length - held);
          buffer.set(part, held);
          held += part.length;
          piece = piece.subarray(part.length);
        }
        return held;
      },
      async drain(bytes) {
        await writeAll(file, bytes);
        size += bytes.length;
        onProgress(size);
      },
    });
  } finally {
    await pieces.return?.();
  }
  return size;
}
