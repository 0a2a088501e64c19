/**
 * What may go wrong while reading and writing, in words.
 *
 * @module
 */
import { ClosedError, LimitError, type NetOperation } from "../errors.ts";
import { formatAddr } from "../common/address.ts";
import { type ErrorClass, netError } from "../common/net_error.ts";
import { noteError } from "../_internal/unhandled.ts";
import { contextOf, type Link } from "./_link.ts";

/** Makes an error about a connection: an operation, and why it has failed. */
export function linkError(
  link: Link,
  operation: NetOperation,
  [Class, code]: readonly [ErrorClass, string],
  reason: string,
  cause?: unknown,
): Error {
  const error = netError(Class, code, reason, contextOf(link, operation), cause);
  return noteError(error, link.onUnhandled);
}

/** The kinds of errors that {@linkcode linkError} makes. */
export const LATE = [Deno.errors.TimedOut, "ETIMEDOUT"] as const;
export const RESET = [Deno.errors.ConnectionReset, "ECONNRESET"] as const;
export const TRUNCATED = [Deno.errors.UnexpectedEof, "EEOF"] as const;

/** Nothing has arrived in time. */
export function nothingArrived(link: Link, timeout: number): Error {
  return linkError(link, "read", LATE, `nothing arrived within ${timeout} ms`);
}

/** A message has begun and did not end within `timeouts.frame`. */
export function messageLate(link: Link, operation: "read" | "frame"): Error {
  const reason = `the message begun was not complete within ${link.timeouts.frame} ms`;
  return linkError(link, operation, LATE, reason);
}

/** A message is longer than `limit` bytes. */
export function tooLong(link: Link, limit: number): Error {
  const message = `Cannot read a message from ${
    formatAddr(link.remoteAddr)
  }: it is longer than the limit of ${limit} bytes`;
  const error = new LimitError("read_buffer", message, { ...contextOf(link, "read"), limit });
  return noteError(error, link.onUnhandled);
}

/** Too much waits to be written already. */
export function queueFull(link: Link, operation: "write" | "send", waiting: number): LimitError {
  const limit = link.maxWriteQueue;
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
