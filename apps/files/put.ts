/**
 * Uploads.
 *
 * @module
 */
import { toPrintable } from "../../common/escape.ts";
import { checkOptions, namesOf, type OptionNames } from "../../common/options.ts";
import type { TcpConnectOptions } from "../../tcp/mod.ts";
import { sendBytes } from "./_bytes.ts";
import { FILE_CLIENT_NAMES, type FileClientOptions, FileExchange } from "./_client.ts";
import { checkChecksum, createDigest, type FileChecksum } from "./_digest.ts";
import { onDisk, readAt } from "./_disk.ts";
import { segmentsOf, split } from "./_names.ts";
import { formatRefusal, formatTrailer, parseTrailer } from "./_protocol.ts";
import { FileTransferError } from "./errors.ts";
import type { FileProgress, FileTransferResult } from "./get.ts";

/** What to store where. */
export type PutFileOptions = FileClientOptions & {
  /**
   * The name on the server, without folders: files are stored in the folder that is served.
   *
   * @default {undefined} the last part of the path
   */
  name?: string | undefined;
  /**
   * Ask to replace a file that is there already. The server must allow it.
   *
   * @default {false}
   */
  force?: boolean | undefined;
  /**
   * What the server verifies the file with before it gets its name. Its length always is.
   *
   * @default {"sha256"}
   */
  checksum?: FileChecksum | undefined;
  /** Called for each piece that was sent, up to 256 KiB. */
  onProgress?: ((progress: FileProgress) => void) | undefined;
};

const NAMES: OptionNames<TcpConnectOptions & PutFileOptions> = {
  ...FILE_CLIENT_NAMES,
  ...namesOf("name", "force", "checksum", "onProgress"),
};

/**
 * Stores a file on a server that takes uploads.
 *
 * Cancellation: `signal` ends the call with its reason; the server keeps nothing.
 *
 * @param path The file to send.
 * @param options Where the server is, and how the file is called there.
 * @returns What was transferred: the server has verified it and given it its name.
 * @throws {FileTransferError} If the server did not take it; `code` says why.
 * @throws {Deno.errors.ConnectionRefused} If no one listens there; and what else `connectTcp` throws.
 * @throws {RangeError | TypeError} If an option is out of range or does not exist.
 *
 * @example
 * ```ts
 * import { putFile, serveFiles } from "@tincan/net/files";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${folder}/here.txt`, "hello");
 * await using server = await serveFiles(folder, { port: 0, upload: { quota: 1e6 }, onListen() {} });
 * const { port } = server.addr;
 *
 * await putFile(`${folder}/here.txt`, { port, name: "there.txt" });
 * assertEquals(await Deno.readTextFile(`${folder}/there.txt`), "hello");
 * ```
 */
export async function putFile(path: string, options: PutFileOptions): Promise<FileTransferResult> {
  checkOptions("putFile", options, NAMES);
  const { name = split(path)[1], force = false, checksum = "sha256", onProgress, ...client } =
    options;
  segmentsOf(name);
  checkChecksum(checksum);
  const action = `Cannot put "${toPrintable(name)}"`;
  using file = await openRegular(path);
  const before = await file.stat();
  const { size } = before;
  const digest = await createDigest(checksum);
  const begin = performance.now();
  return await FileExchange.run(action, client, async (exchange) => {
    const { conn, pace } = exchange;
    await exchange.ask({ verb: "PUT", size, replace: force, checksum, name });
    // The server may refuse at any time, so its verdict is read from now on.
    const verdict = conn.readLine().then((line) => parseTrailer(line, action));
    let early: { error: unknown } | undefined;
    verdict.catch((error) => early = { error });
    let bytes = 0;
    const onBytes = (count: number) => {
      if (early !== undefined) throw early.error;
      bytes += count;
      onProgress?.({ size, bytes, resumedFrom: 0 });
    };
    const move = { action, from: 0, to: size, digest, pace, onBytes };
    let result: string;
    try {
      await sendBytes(conn, (buffer, position) => readAt(file, buffer, position), move);
      result = digest.result();
      const now = await file.stat();
      const isSameTime = Object.is(now.mtime?.getTime(), before.mtime?.getTime()); // which can be NaN
      if (now.size !== size || !isSameTime) {
        // What was sent may be half of one file and half of another.
        const message = `${action}: the file changed while it was sent`;
        const changed = new FileTransferError("changed", message);
        await conn.write(formatRefusal(changed));
        throw changed;
      }
      await conn.write(formatTrailer(result));
    } catch (error) {
      throw await reasonFor(error, verdict);
    }
    if (await verdict !== result) {
      throw new FileTransferError("protocol", `${action}: the server confirms another file`);
    }
    const duration = performance.now() - begin;
    return { path, size, bytes, resumedFrom: 0, checksum: result, duration };
  });
}

/** Opens a file to be sent; what is no regular file may never end. */
function openRegular(path: string): Promise<Deno.FsFile> {
  const action = `Cannot read ${toPrintable(path)}`;
  return onDisk(action, async () => {
    const { isFile } = await Deno.stat(path); // before opening: that would wait for a pipe's writer
    if (isFile) return await Deno.open(path);
    throw new FileTransferError("not_a_file", `${action}: it is not a regular file`);
  });
}

/** If sending fails because the server has said no and gone, what it said is the reason. */
async function reasonFor(error: unknown, verdict: Promise<unknown>): Promise<unknown> {
  if (error instanceof FileTransferError) return error;
  const said = await verdict.catch((reason) => reason);
  return said instanceof FileTransferError && said.code !== "gone" ? said : error;
}
