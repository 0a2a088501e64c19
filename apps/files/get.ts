/**
 * Downloads.
 *
 * @module
 */
import { checkVacant, lookAt } from "../../common/atomic_file.ts";
import { toPrintable } from "../../common/escape.ts";
import { checkCount, checkOptions, namesOf, type OptionNames } from "../../common/options.ts";
import type { TcpConnectOptions } from "../../tcp/mod.ts";
import { digestPart, receiveBytes } from "./_bytes.ts";
import { FILE_CLIENT_NAMES, type FileClientOptions, FileExchange } from "./_client.ts";
import { checkChecksum, createDigest, type Digest, type FileChecksum } from "./_digest.ts";
import { onDisk } from "./_disk.ts";
import { checkName, join, segmentsOf, split } from "./_names.ts";
import { PartialFile } from "./_partial_file.ts";
import { FileTransferError } from "./errors.ts";

/** How far a transfer has got. */
export interface FileProgress {
  /** The size of the whole file, in bytes. */
  readonly size: number;
  /** Bytes that are where they should be, those of an earlier download included. */
  readonly bytes: number;
  /** Bytes of an earlier download that were there already. */
  readonly resumedFrom: number;
}

/** What to download from where to where. */
export type GetFileOptions = FileClientOptions & {
  /**
   * The path of the new file, or a folder to put it in.
   *
   * @default {undefined} the last part of the name, in the current folder
   */
  output?: string | undefined;
  /**
   * Replace a file that is there already. Links, folders and devices are never replaced.
   *
   * @default {false}
   */
  force?: boolean | undefined;
  /**
   * Resume where an earlier download to the same path was broken off, if the source is unchanged.
   *
   * @default {true}
   */
  resume?: boolean | undefined;
  /**
   * What the file is verified with before it gets its name. Its length always is.
   *
   * @default {"sha256"}
   */
  checksum?: FileChecksum | undefined;
  /** How large the file may be. */
  limits?: {
    /**
     * The largest file to take, in bytes.
     *
     * @default {Infinity} because the caller has asked for this very file
     */
    maxSize?: number | undefined;
  } | undefined;
  /** Called for each piece that was written, up to 1 MiB. */
  onProgress?: ((progress: FileProgress) => void) | undefined;
};

const NAMES: OptionNames<TcpConnectOptions & GetFileOptions> = {
  ...FILE_CLIENT_NAMES,
  ...namesOf("output", "force", "resume", "checksum", "onProgress"),
  limits: { ...FILE_CLIENT_NAMES.limits, maxSize: true },
};

/** What was transferred. */
export interface FileTransferResult {
  /** The path of the new file on this side, or of the file that was sent. */
  readonly path: string;
  /** The size of the whole file, in bytes. */
  readonly size: number;
  /** Bytes that went over the wire. */
  readonly bytes: number;
  /** Bytes of an earlier download that were there already. */
  readonly resumedFrom: number;
  /** The checksum of the whole file that both sides agree on, in hexadecimal; `-` without one. */
  readonly checksum: string;
  /** Milliseconds between the request and the end. */
  readonly duration: number;
}

/**
 * Downloads a file.
 *
 * It grows under a hidden name beside its final one, is verified whole, and only then gets its name. The
 * name on this side comes from `name` or `output`, never from the wire. If the download breaks, what came
 * is kept, and the next call resumes after it, unless the source has changed; the whole is verified
 * either way.
 *
 * Cancellation: `signal` ends the call with its reason, and what came is kept.
 *
 * @param name The file on the server, such as `notes.txt` or `photos/2024/a.jpg`.
 * @param options Where the server is, where the file goes, how it is verified.
 * @returns What was transferred.
 * @throws {FileTransferError} If the file did not arrive; `code` says why, and `kept` after how many
 * bytes the next call resumes.
 * @throws {Deno.errors.ConnectionRefused} If no one listens there; and what else `connectTcp` throws.
 * @throws {RangeError | TypeError} If an option is out of range or does not exist.
 *
 * @example
 * ```ts
 * import { FileTransferError, getFile, serveFiles } from "@tincan/net/files";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${folder}/hello.txt`, "hello");
 * await using server = await serveFiles(folder, { port: 0, onListen() {} });
 * const { port } = server.addr;
 *
 * const output = `${folder}/copy.txt`;
 * const { size } = await getFile("hello.txt", { port, output, signal: AbortSignal.timeout(5_000) });
 * assertEquals(size, 5);
 *
 * await assertRejects(() => getFile("nothing.txt", { port }), FileTransferError, "no such file");
 * ```
 */
export async function getFile(name: string, options: GetFileOptions): Promise<FileTransferResult> {
  checkOptions("getFile", options, NAMES);
  const { output, force = false, resume = true, checksum = "sha256", onProgress, ...client } =
    options;
  const { maxSize = Infinity, ...limits } = options.limits ?? {};
  checkName(name);
  checkChecksum(checksum);
  checkCount("limits.maxSize", maxSize);
  if (output === "") {
    throw new TypeError('Cannot use option "output" as a path: current value is ""');
  }
  const action = `Cannot get "${toPrintable(name)}"`;
  const target = await chooseTarget(name, output);
  await onDisk(
    `Cannot write ${toPrintable(target)}`,
    async () => checkVacant(await lookAt(target), target, force),
  );
  await using partial = await PartialFile.find(target, name);
  if (!resume) partial.forget();
  const download: Download = {
    ...{ name, action, target, force, checksum, maxSize, partial, onProgress },
    client: { ...client, limits },
  };
  try {
    return await run(download);
  } catch (error) {
    const wasResumed = partial.length > 0;
    if (!(error instanceof FileTransferError)) throw error;
    if (error.code !== "checksum") throw await withKept(error, partial);
    await partial.discard();
    if (!wasResumed) throw error;
  }
  return await run(download); // what was there was not what it should be: from the beginning
}

/** One download, as far as it is the same for a second attempt. */
interface Download {
  name: string;
  action: string;
  target: string;
  force: boolean;
  checksum: FileChecksum;
  maxSize: number;
  partial: PartialFile;
  client: FileClientOptions;
  onProgress: GetFileOptions["onProgress"];
}

async function run(download: Download): Promise<FileTransferResult> {
  const { name, action, target, force, checksum, partial, client } = download;
  const begun = await digestOfPart(download);
  const begin = performance.now();
  return await FileExchange.run(action, client, async (exchange) => {
    const { length, tag: known } = partial;
    const answer = await exchange.ask({ verb: "GET", offset: length, tag: known, checksum, name });
    const { size, offset, tag } = answer;
    if (offset !== 0 && (offset !== length || tag !== known)) {
      throw new FileTransferError("protocol", `${action}: the server sends another part of it`);
    }
    if (size > download.maxSize) {
      const message = `${action}: it has ${size} bytes and the limit is ${download.maxSize}`;
      throw new FileTransferError("too_large", message);
    }
    const digest = offset > 0 ? begun : await createDigest(checksum);
    await partial.begin(offset, tag);
    let bytes = offset;
    const onBytes = (count: number) => {
      bytes += count;
      download.onProgress?.({ size, bytes, resumedFrom: offset });
    };
    await receiveBytes(exchange.conn, partial.file, {
      ...{ action, from: offset, to: size, digest, pace: exchange.pace, onBytes },
      writing: partial.action,
      isAlone: true,
      readFirst: offset, // the server reads that much before it sends the rest
    });
    const trailer = await exchange.trailer();
    const result = digest.result();
    if (trailer !== result) {
      throw new FileTransferError("checksum", `${action}: what arrived is not what was sent`);
    }
    await partial.finish(force);
    return {
      path: target,
      size,
      bytes: size - offset,
      resumedFrom: offset,
      checksum: result,
      duration: performance.now() - begin,
    };
  });
}

/** The checksum of what is there already. Computed before the server is asked, so that it need not
 * wait; if the server has another state of the file, the result is not used. */
async function digestOfPart({ checksum, partial, action, client }: Download): Promise<Digest> {
  const digest = await createDigest(checksum);
  if (checksum === "none") return digest;
  const part = { action, from: 0, to: partial.length, digest };
  await digestPart((buffer, position) => partial.read(buffer, position), part, client.signal);
  return digest;
}

async function withKept(error: FileTransferError, partial: PartialFile): Promise<unknown> {
  if (error.code === "changed") await partial.discard(); // the source is not what it was
  const kept = await partial.kept();
  if (kept === 0) return error;
  return new FileTransferError(error.code, error.message, { cause: error.cause, kept });
}

/** The path of the new file: from what the user said, never from the wire. */
async function chooseTarget(name: string, output: string | undefined): Promise<string> {
  const isFolder = output !== undefined && (await followTo(output))?.isDirectory === true;
  if (output !== undefined && !isFolder) {
    if (split(output)[1] !== "") return output;
    throw new FileTransferError("disk", `Cannot write ${toPrintable(output)}: no such folder`);
  }
  const base = name.slice(name.lastIndexOf("/") + 1);
  segmentsOf(base); // it must be a name here too, not `..`
  return isFolder ? join(output, base) : base;
}

async function followTo(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return null;
  }
}
