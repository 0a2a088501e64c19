/**
 * What goes wrong with files, in this module's errors.
 *
 * @module
 */
import { PlaceError } from "../../common/atomic_file.ts";
import { toPrintable } from "../../common/escape.ts";
import { systemReason } from "../../common/system_reason.ts";
import { FileTransferError } from "./errors.ts";

/** Why the system refused, in words: `no space left on device`. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const reason = systemReason(message) ?? message;
  const plain = reason.replace(/^E[A-Z]+: /, "");
  return toPrintable(plain.charAt(0).toLowerCase() + plain.slice(1));
}

/** The error of a file of this side that cannot be used. */
export function diskError(action: string, error: unknown): unknown {
  if (error instanceof FileTransferError) return error;
  if (error instanceof PlaceError) {
    const { code, message } = error;
    return new FileTransferError(code === "replaced" ? "disk" : code, message, { cause: error });
  }
  return new FileTransferError("disk", `${action}: ${reasonOf(error)}`, { cause: error });
}
