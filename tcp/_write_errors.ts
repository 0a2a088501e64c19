/**
 * What may go wrong while writing, in words.
 *
 * @module
 */
import { ClosedError, LimitError } from "../errors.ts";
import { formatAddr } from "../common/address.ts";
import { noteError } from "../_internal/unhandled.ts";
import { contextOf, type Link } from "./_link.ts";

/** Too much waits to be written already. */
export function queueFull(
  link: Link,
  operation: "write" | "send",
  { waiting, limit }: { waiting: number; limit: number },
): LimitError {
  const message = `Cannot ${operation} to ${
    formatAddr(link.remoteAddr)
  }: ${waiting} bytes wait already and the limit is ${limit}`;
  const error = new LimitError("write_queue", message, { ...contextOf(link, "write"), limit });
  return noteError(error, link.onUnhandled);
}

/** This side was ended. */
export function writeEnded(link: Link): ClosedError {
  return new ClosedError(
    "closed",
    `Cannot write to ${formatAddr(link.remoteAddr)}: this side was ended with closeWrite()`,
    contextOf(link, "write"),
  );
}
