/**
 * Lists of files.
 *
 * @module
 */
import { toPrintable } from "../printable.ts";
import { Exchange, type FileClientOptions } from "./_client.ts";
import { checkCount } from "../../_internal/guard.ts";
import { parseAnswer, parseEntry, parseTrailer } from "./_protocol.ts";
import { FileTransferError } from "./errors.ts";

/** What a folder on a server holds. */
export interface FileEntry {
  /** Its name, without the folder's. It comes over the wire: escape it before you show it. */
  readonly name: string;
  /** Its size in bytes; 0 for a folder. */
  readonly size: number;
  /** When it was changed last; `null` if the server does not know. */
  readonly modified: Date | null;
  /** Whether it is a folder. */
  readonly isFolder: boolean;
}

/** What to list. */
export interface ListFilesOptions extends FileClientOptions {
  /**
   * The folder.
   *
   * @default {""} the one that is served
   */
  folder?: string;
  /**
   * The longest list to take, in bytes.
   *
   * @default {16_777_216} 16 MiB, more than a hundred thousand names
   */
  maxListSize?: number;
}

/**
 * Asks a server which files it has.
 *
 * @param options Where the server is, and which folder.
 * @returns Files and folders, in the server's order (ours sorts by name).
 * @throws {FileTransferError} If the server refuses or breaks off; `code` says why.
 * @throws {Deno.errors.ConnectionRefused} If nobody listens there; and what else `connectTcp` throws.
 * @throws {RangeError | TypeError} If an option is out of range.
 *
 * @example
 * ```ts
 * import { listFiles, serveFiles } from "@tincan/net/files";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${folder}/hello.txt`, "hello");
 * await using server = await serveFiles(folder, { port: 0, onListen() {} });
 *
 * const [file] = await listFiles({ port: (server.addr as Deno.NetAddr).port });
 * assertEquals([file?.name, file?.size], ["hello.txt", 5]);
 * ```
 */
export async function listFiles(options: ListFilesOptions): Promise<FileEntry[]> {
  const { maxListSize = 16 * 1024 * 1024 } = options;
  checkCount("maxListSize", maxListSize);
  const folder = (options.folder ?? "").replace(/\/$/, "");
  const action = folder === "" ? "Cannot list the files" : `Cannot list "${toPrintable(folder)}"`;
  await using exchange = await Exchange.open(action, options);
  try {
    await exchange.ask({ verb: "LIST", folder });
    const { size } = parseAnswer(await exchange.line(), action);
    if (size > maxListSize) {
      const message = `${action}: the list has ${size} bytes and the limit is ${maxListSize}`;
      throw new FileTransferError("too_large", message);
    }
    const body = await exchange.conn.readExactly(size);
    parseTrailer(await exchange.line(), action);
    const lines = new TextDecoder().decode(body ?? new Uint8Array()).split("\n");
    lines.pop(); // behind the last line end
    return lines.map((line) => parseEntry(line, action));
  } catch (error) {
    throw exchange.explain(error);
  }
}
