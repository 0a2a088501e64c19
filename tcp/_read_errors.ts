/**
 * What may go wrong while reading, in words.
 *
 * @module
 */
import { LimitError } from "../errors.ts";
import { formatAddr } from "../common/address.ts";
import { netError, timedOut } from "../common/net_error.ts";
import { noteError } from "../_internal/unhandled.ts";
import { contextOf, type Link } from "./_link.ts";

/** Nothing has arrived in time. */
export function nothingArrived(link: Link, timeout: number): Error {
  return noteError(
    timedOut(contextOf(link, "read"), timeout, "nothing arrived"),
    link.onUnhandled,
  );
}

/** A message has begun and did not end in time. */
export function notComplete(link: Link, operation: "read" | "frame", frame: number): Error {
  const error = timedOut(contextOf(link, operation), frame, "the message begun was not complete");
  return noteError(error, link.onUnhandled);
}

/** A message is longer than `limit` bytes. */
export function tooLong(link: Link, limit: number): Error {
  const message = `Cannot read a message from ${
    formatAddr(link.remoteAddr)
  }: it is longer than the limit of ${limit} bytes`;
  const error = new LimitError("read_buffer", message, { ...contextOf(link, "read"), limit });
  return noteError(error, link.onUnhandled);
}

/** The stream has ended with `held` bytes, before `what` was there. */
export function endedBefore(link: Link, held: number, what: string): Error {
  const reason = `the stream ended after ${held} bytes, before ${what}`;
  const error = netError(Deno.errors.UnexpectedEof, "EEOF", reason, contextOf(link, "read"));
  return noteError(error, link.onUnhandled);
}

/** The peer has reset the connection, as a write was told. */
export function resetByPeer(link: Link, cause: unknown): Error {
  const reason = "connection reset by the peer";
  return netError(
    Deno.errors.ConnectionReset,
    "ECONNRESET",
    reason,
    contextOf(link, "read"),
    cause,
  );
}
