/**
 * Files over TCP: a server of one folder, and downloads that are verified and resume where they broke.
 *
 * A request is one line, the answer is one line with the bytes after it, so that a peer in any language
 * takes fifteen lines; docs/files.md describes it and has one in Python.
 *
 * @example Serve a folder, list it, fetch a file
 * ```ts
 * import { getFile, listFiles, serveFiles } from "@tincan/net/files";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${folder}/hello.txt`, "hello");
 * await using server = await serveFiles(folder, { port: 0, onListen() {} });
 * const { port } = server.addr;
 *
 * assertEquals((await listFiles({ port })).map(({ name }) => name), ["hello.txt"]);
 * const { checksum } = await getFile("hello.txt", { port, output: `${folder}/copy.txt` });
 * assertEquals(checksum.slice(0, 8), "2cf24dba"); // SHA-256, which both sides have computed
 * ```
 *
 * @module
 */
export type { FileClientOptions } from "./_client.ts";
export type { FileChecksum } from "./_digest.ts";
export type { FileEntry } from "./_protocol.ts";
export type { UploadOptions } from "./_uploads.ts";
export { FileTransferError, type FileTransferErrorCode } from "./errors.ts";
export { type FileProgress, type FileTransferResult, getFile, type GetFileOptions } from "./get.ts";
export { listFiles, type ListFilesOptions } from "./list.ts";
export { putFile, type PutFileOptions } from "./put.ts";
export { serveFiles } from "./server.ts";
export type { FileServerOptions, FileTransferEvent } from "./server_options.ts";
