/**
 * Errors about a socket: one of the runtime's classes, a message that says what could not be done and
 * to whom, and the fields of `NetErrorFields`.
 *
 * @module
 */
import type {
  NetError,
  NetErrorFields,
  NetOperation,
  NetTransport,
  SocketAddress,
} from "../errors.ts";
import { formatAddr } from "./address.ts";

/** What was being done when an error arose. */
export interface OperationContext {
  operation: NetOperation;
  transport: NetTransport;
  localAddr?: SocketAddress | undefined;
  remoteAddr?: SocketAddress | undefined;
  /** The host and port as the caller named them, where there is no address yet. */
  target?: string | undefined;
}

/** A class of errors with the usual constructor. */
export type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

/** What was being done, in words: `Cannot connect to 127.0.0.1:80`. */
function describe(context: OperationContext): string {
  const remote = context.remoteAddr ? formatAddr(context.remoteAddr) : context.target;
  const local = context.localAddr ? formatAddr(context.localAddr) : context.target;
  switch (context.operation) {
    case "connect":
      return `Cannot connect to ${remote}`;
    case "resolve":
      return `Cannot resolve ${context.target ?? remote}`;
    case "listen":
    case "bind":
    case "accept":
      return `Cannot ${context.operation} on ${local}`;
    case "handshake":
      return `Cannot finish the TLS handshake with ${remote}`;
    case "receive":
      return remote === undefined ? `Cannot receive on ${local}` : `Cannot receive from ${remote}`;
    case "read":
      return `Cannot read from ${remote}`;
    case "request":
      return `Cannot get an answer from ${remote}`;
    case "write":
    case "send":
      return `Cannot ${context.operation} to ${remote}`;
    case "multicast":
      return `Cannot change the multicast groups of ${local}`;
    case "frame":
      return `Cannot read a frame from ${remote}`;
    case "close":
    case "closeWrite":
      return `Cannot close the connection to ${remote}`;
  }
}

/**
 * Makes an error of `Class` that carries the fields of {@linkcode NetErrorFields}.
 *
 * @param reason What went wrong, in words; it follows a colon.
 */
export function netError(
  Class: ErrorClass,
  code: string,
  reason: string,
  context: OperationContext,
  cause?: unknown,
): NetError {
  const error = new Class(
    `${describe(context)}: ${reason}`,
    cause === undefined ? undefined : { cause },
  );
  const fields: NetErrorFields = {
    operation: context.operation,
    transport: context.transport,
    code,
    localAddr: context.localAddr,
    remoteAddr: context.remoteAddr,
  };
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) Object.defineProperty(error, name, { value, enumerable: true });
  }
  return error as NetError;
}

/** Makes the error of a wait that took longer than allowed. */
export function timedOut(context: OperationContext, after: number, what = "no answer"): NetError {
  return netError(Deno.errors.TimedOut, "ETIMEDOUT", `${what} within ${after} ms`, context);
}
