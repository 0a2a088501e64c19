/**
 * Lists of files.
 *
 * @module
 */
import { toPrintable } from "../../common/escape.ts";
import { FILE_CLIENT_NAMES, type FileClientOptions, FileExchange } from "./_client.ts";
import { checkCount, checkOptions, namesOf, type OptionNames } from "../../common/options.ts";
import { nextTurn, spend } from "../../common/turn_budget.ts";
import type { TcpConnectOptions } from "../../tcp/mod.ts";
import { type FileEntry, MAX_LINE_LENGTH, parseEntry, parseOmitted } from "./_protocol.ts";
import { FileTransferError } from "./errors.ts";

/** How much of a list is read at once. */
const PIECE = 64 * 1024;

/** What to list. */
export type ListFilesOptions = FileClientOptions & {
  /**
   * The folder.
   *
   * @default {""} the one that is served
   */
  folder?: string | undefined;
  /** How long the list may be. */
  limits?: {
    /**
     * The longest list to take, in bytes.
     *
     * @default {33_554_432} 32 MiB, a hundred thousand names of the greatest length
     */
    maxListSize?: number | undefined;
    /**
     * Entries to take.
     *
     * @default {200_000} about 50 MB of memory
     */
    maxEntries?: number | undefined;
  } | undefined;
  /**
   * Called if entries of the folder are not in the list, with their number: their names hold control
   * characters or are no text, and so cannot be asked for.
   */
  onOmitted?: ((count: number) => void) | undefined;
};

const NAMES: OptionNames<TcpConnectOptions & ListFilesOptions> = {
  ...FILE_CLIENT_NAMES,
  ...namesOf("folder", "onOmitted"),
  limits: { ...FILE_CLIENT_NAMES.limits, ...namesOf("maxListSize", "maxEntries") },
};

/**
 * Asks a server which files it has.
 *
 * @param options Where the server is, and which folder.
 * @returns Files and folders, in the server's order (ours sorts by name).
 * @throws {FileTransferError} If the server refuses or breaks off; `code` says why.
 * @throws {Deno.errors.ConnectionRefused} If no one listens there; and what else `connectTcp` throws.
 * @throws {RangeError | TypeError} If an option is out of range or does not exist.
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
 * const [file] = await listFiles({ port: server.addr.port });
 * assertEquals([file?.name, file?.size], ["hello.txt", 5]);
 * ```
 */
export async function listFiles(options: ListFilesOptions): Promise<FileEntry[]> {
  checkOptions("listFiles", options, NAMES);
  const { folder: given = "", onOmitted, ...client } = options;
  const { maxListSize = 33_554_432, maxEntries = 200_000, ...limits } = options.limits ?? {};
  checkCount("limits.maxListSize", maxListSize);
  checkCount("limits.maxEntries", maxEntries);
  const folder = given.replace(/\/$/, "");
  const action = folder === "" ? "Cannot list the files" : `Cannot list "${toPrintable(folder)}"`;
  return await FileExchange.run(action, { ...client, limits }, async (exchange) => {
    const { size, tag } = await exchange.ask({ verb: "LIST", folder });
    if (size > maxListSize) {
      const message = `${action}: the list has ${size} bytes and the limit is ${maxListSize}`;
      throw new FileTransferError("too_large", message);
    }
    const entries = await readEntries(exchange, { action, size, maxEntries });
    await exchange.trailer();
    const omitted = parseOmitted(tag);
    if (omitted > 0) onOmitted?.(omitted);
    return entries;
  });
}

/** Reads the lines of a list while they come. */
async function readEntries(
  { conn, pace }: FileExchange,
  { action, size, maxEntries }: { action: string; size: number; maxEntries: number },
): Promise<FileEntry[]> {
  const entries: FileEntry[] = [];
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(Math.min(size, PIECE));
  let text = ""; // of the line that has not ended
  pace.begin("in");
  for (let left = size; left > 0;) {
    const n = await conn.read(buffer.subarray(0, left));
    if (n === null) {
      const message = `${action}: the other side ended after ${size - left} of ${size} bytes`;
      throw new FileTransferError("gone", message);
    }
    pace.bytes += n;
    left -= n;
    const lines = (text + decoder.decode(buffer.subarray(0, n), { stream: true })).split("\n");
    text = lines.pop() ?? "";
    if (text.length > MAX_LINE_LENGTH) parseEntry(text, action); // it is no entry, and says so
    for (const line of lines) {
      entries.push(parseEntry(line.replace(/\r$/, ""), action));
      if (entries.length > maxEntries) {
        const message = `${action}: the list has more entries than the limit, ${maxEntries}`;
        throw new FileTransferError("too_large", message);
      }
      if (spend()) await nextTurn();
    }
  }
  if (text !== "") parseEntry("", action); // a line without an end
  return entries;
}
