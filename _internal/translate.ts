/**
 * The one place where the runtime's errors become tincan's: the same class with a message that
 * says what could not be done and to whom, and with fields to tell failures apart.
 *
 * @module
 */
import {
  codeOf,
  type ErrorClass,
  netError,
  type OperationContext,
  unresolved,
} from "../common/net_error.ts";
import { isNetError, type NetError } from "../errors.ts";
import { tlsReason } from "./tls_reason.ts";

/** Classes the runtime throws without a code, and the code they stand for. */
const CLASS_CODES: readonly [ErrorClass, string][] = [
  [Deno.errors.TimedOut, "ETIMEDOUT"],
  [Deno.errors.ConnectionRefused, "ECONNREFUSED"],
  [Deno.errors.ConnectionReset, "ECONNRESET"],
  [Deno.errors.ConnectionAborted, "ECONNABORTED"],
  [Deno.errors.NotConnected, "ENOTCONN"],
  [Deno.errors.BrokenPipe, "EPIPE"],
  [Deno.errors.AddrInUse, "EADDRINUSE"],
  [Deno.errors.AddrNotAvailable, "EADDRNOTAVAIL"],
  [Deno.errors.NetworkUnreachable, "ENETUNREACH"],
  [Deno.errors.NotCapable, "ENOTCAPABLE"],
  [Deno.errors.PermissionDenied, "EACCES"],
  [Deno.errors.NotFound, "ENOENT"],
  [Deno.errors.Interrupted, "EINTR"],
  [Deno.errors.BadResource, "EBADF"],
  [Deno.errors.Busy, "EBUSY"],
  [Deno.errors.UnexpectedEof, "EEOF"],
  [Deno.errors.InvalidData, "EINVALIDDATA"],
];

/** Short words for the codes people meet. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by the peer",
  EPIPE: "broken pipe, the peer is gone",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "no such address on this machine",
  ETIMEDOUT: "timed out",
  ENETUNREACH: "network unreachable",
  EHOSTUNREACH: "host unreachable",
  EMFILE: "too many open files in this process",
  ENFILE: "too many open files on this machine",
  EACCES: "permission denied",
  EMSGSIZE: "message too long for the network",
  EINVAL: "the system does not take this address or option",
  UNKNOWN: "the system refused, and the runtime does not say why",
  EAFNOSUPPORT: "the socket is of another address family",
  ENOENT: "no such file or directory",
};

/** What the same codes mean where the address is a file. */
const UNIX_REASONS: Readonly<Record<string, string>> = {
  "unix connect ENOENT": "no such socket",
  "unix listen EADDRINUSE": "address already in use (if no server uses it, remove the file)",
};

const RESOLVE_FAILURE = /failed to lookup address information:?\s*(.*)/;
const OS_ERROR = /\s*\(os error \d+\)\s*$/;

/**
 * Turns what the runtime threw into tincan's error.
 *
 * Errors about the caller's arguments (`TypeError`, `RangeError`) and tincan's own pass unchanged.
 */
export function translate(thrown: unknown, context: OperationContext): unknown {
  if (!(thrown instanceof Error) || isNetError(thrown)) return thrown;
  if (isAboutArguments(thrown)) return thrown;
  const lookup = RESOLVE_FAILURE.exec(thrown.message);
  if (lookup) {
    return unresolved(context, /temporary/i.test(lookup[1] ?? ""), thrown);
  }
  const code = errorCode(thrown, context);
  const reason = UNIX_REASONS[`${context.transport} ${context.operation} ${code}`] ??
    REASONS[code] ?? tlsReason(thrown.message, context.operation === "handshake") ??
    thrown.message.replace(OS_ERROR, "");
  return netError(errorClass(thrown, code), code, reason, context, thrown);
}

/** The runtime throws a `TypeError` for the system's EINVAL too; that one has the system's code. */
function isAboutArguments(thrown: Error): boolean {
  if (!(thrown instanceof RangeError || thrown instanceof TypeError)) return false;
  return codeOf(thrown)?.startsWith("ERR_") ?? true;
}

function errorCode(thrown: Error, context: OperationContext): string {
  const code = codeOf(thrown);
  if (code !== undefined) return code;
  if (thrown instanceof Deno.errors.InvalidData && context.transport === "tls") return "ETLS";
  return CLASS_CODES.find(([Class]) => thrown instanceof Class)?.[1] ?? "EUNKNOWN";
}

/** The class of what was thrown; the modules under `node:` throw plain errors with the code. */
function errorClass(thrown: Error, code: string): ErrorClass {
  const known = CLASS_CODES.find(([Class]) => thrown instanceof Class) ??
    CLASS_CODES.find(([, known]) => known === code);
  return known?.[0] ?? Error;
}

/** Makes the error of a second caller in a direction that takes one at a time. */
export function busy(context: OperationContext): NetError {
  return netError(
    Deno.errors.Busy,
    "EBUSY",
    `another ${context.operation} is in progress on this connection`,
    context,
  );
}

/**
 * Whether the peer or the network has caused an error: what every server meets all the time, as opposed
 * to a mistake in the handler.
 */
export function isPeerFault(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.TimedOut ||
    error instanceof Deno.errors.UnexpectedEof ||
    (isNetError(error) && error.code === "ETLS");
}
