/**
 * Why a file was not transferred.
 *
 * @module
 */
import { TincanError } from "../../errors.ts";

/**
 * Why a file was not transferred.
 *
 * | `code` | meaning |
 * |---|---|
 * | `not_found` | the server has no such file, or does not show it |
 * | `not_a_file` | it is a folder, a device, a pipe or a link, here or there |
 * | `not_readable` | the system does not let the server read it |
 * | `bad_name` | the name cannot be a file's: `..`, an absolute path, control characters, too long |
 * | `bad_request` | the other side does not understand the request |
 * | `forbidden` | the server takes no uploads, or does not let them replace files |
 * | `exists` | a file of that name is there already, here or there |
 * | `quota` | the server takes no more uploads |
 * | `too_many` | the folder holds more entries than can be listed |
 * | `too_large` | the file is larger than the caller allows |
 * | `too_slow` | nothing, or too little, came through |
 * | `changed` | the file changed while it was sent |
 * | `checksum` | what arrived is not what was sent |
 * | `disk` | a file cannot be read or written, mostly because the disk is full |
 * | `busy` | another download to the same name is under way, or the server has too much to do |
 * | `gone` | the other side ended before the file was complete |
 * | `protocol` | the other side does not speak this protocol |
 * | `failed` | the other side failed for reasons of its own |
 */
export type FileTransferErrorCode =
  | "not_found"
  | "not_a_file"
  | "not_readable"
  | "bad_name"
  | "bad_request"
  | "forbidden"
  | "exists"
  | "quota"
  | "too_many"
  | "too_large"
  | "too_slow"
  | "changed"
  | "checksum"
  | "disk"
  | "busy"
  | "gone"
  | "protocol"
  | "failed";

/**
 * A file was not transferred, and nothing stands under its final name.
 *
 * @example
 * ```ts
 * import { FileTransferError } from "@tincan/net/files";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new FileTransferError("not_found", 'Cannot get "a.txt": no such file');
 * assertEquals(error.code, "not_found");
 * assertEquals(error.kept, 0);
 * ```
 */
export class FileTransferError extends TincanError<FileTransferErrorCode> {
  /** Bytes of a broken download that are kept, after which the next one resumes. */
  readonly kept: number;

  /**
   * Makes the error.
   *
   * @param code Why the file was not transferred.
   * @param message One line for people.
   * @param options The cause, and what is kept.
   */
  constructor(
    code: FileTransferErrorCode,
    message: string,
    options: ErrorOptions & {
      /** Bytes of a broken download that are kept. */
      kept?: number | undefined;
    } = {},
  ) {
    super(code, message, options);
    this.kept = options.kept ?? 0;
  }
}
