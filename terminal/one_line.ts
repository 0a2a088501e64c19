/** Failures of files in one line. @module */
import { systemReason } from "../common/system_reason.ts";

/**
 * Does something with a file.
 *
 * @param what What is done, such as `read notes.txt`.
 * @param action Does it.
 * @throws {Error} `Cannot read notes.txt: no such file`, if that fails.
 */
export async function inOneLine<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const isMissing = cause instanceof Deno.errors.NotFound && what.startsWith("read ");
    const reason = isMissing ? "no such file" : systemReason(message) ?? message;
    throw new Error(`Cannot ${what}: ${reason}`, { cause });
  }
}
