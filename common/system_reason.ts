/**
 * The messages of errors.
 *
 * @module
 */

/** The message of what was thrown, which may be anything. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/**
 * The system's words in a message of the runtime: `No space left on device` of
 * `No space left on device (os error 28): write 'copy.iso'`.
 *
 * @returns `undefined` if the message is not the system's.
 */
export function systemReason(message: string): string | undefined {
  return /^(.*?)\s*\(os error \d+\)/s.exec(message)?.[1];
}
