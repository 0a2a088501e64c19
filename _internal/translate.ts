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

const { errors } = Deno;

/** The system's codes: the class that the runtime throws, often without the code, and short words. */
const KNOWN: readonly (readonly [code: string, Class: ErrorClass | null, reason?: string])[] = [
  ["ETIMEDOUT", errors.TimedOut, "timed out"],
  ["ECONNREFUSED", errors.ConnectionRefused, "connection refused"],
  ["ECONNRESET", errors.ConnectionReset, "connection reset by the peer"],
  ["ECONNABORTED", errors.ConnectionAborted],
  ["ENOTCONN", errors.NotConnected],
  ["EPIPE", errors.BrokenPipe, "broken pipe, the peer is gone"],
  ["EADDRINUSE", errors.AddrInUse, "address already in use"],
  ["EADDRNOTAVAIL", errors.AddrNotAvailable, "no such address on this machine"],
  ["ENETUNREACH", errors.NetworkUnreachable, "network unreachable"],
  ["EHOSTUNREACH", null, "host unreachable"],
  ["ENOTCAPABLE", errors.NotCapable],
  ["EACCES", errors.PermissionDenied, "permission denied"],
  ["ENOENT", errors.NotFound, "no such file or directory"],
  ["EINTR", errors.Interrupted],
  ["EBADF", errors.BadResource],
  ["EBUSY", errors.Busy],
  ["EEOF", errors.UnexpectedEof],
  ["EINVALIDDATA", errors.InvalidData],
  ["EMFILE", null, "too many open files in this process"],
  ["ENFILE", null, "too many open files on this machine"],
  ["EMSGSIZE", null, "message too long for the network"],
  ["EINVAL", null, "the system does not take this address or option"],
  ["EAFNOSUPPORT", null, "the socket is of another address family"],
  ["UNKNOWN", null, "the system refused, and the runtime does not say why"],
];

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
  const known = KNOWN.find(([, Class]) => Class !== null && thrown instanceof Class);
  const code = codeOf(thrown) ?? (isTls(thrown, context) ? "ETLS" : known?.[0] ?? "EUNKNOWN");
  const byCode = KNOWN.find(([name]) => name === code);
  const reason = UNIX_REASONS[`${context.transport} ${context.operation} ${code}`] ??
    byCode?.[2] ?? tlsReason(thrown.message, context.operation === "handshake") ??
    thrown.message.replace(OS_ERROR, "");
  return netError(known?.[1] ?? byCode?.[1] ?? Error, code, reason, context, thrown);
}

/** The runtime throws a `TypeError` for the system's EINVAL too; that one has the system's code. */
function isAboutArguments(thrown: Error): boolean {
  if (!(thrown instanceof RangeError || thrown instanceof TypeError)) return false;
  return codeOf(thrown)?.startsWith("ERR_") ?? true;
}

function isTls(thrown: Error, { transport }: OperationContext): boolean {
  return thrown instanceof errors.InvalidData && transport === "tls";
}

/** Makes the error of a second caller in a direction that takes one at a time. */
export function busy(context: OperationContext): NetError {
  return netError(
    errors.Busy,
    "EBUSY",
    `another ${context.operation} is in progress on this connection`,
    context,
  );
}

/** What peers and networks cause all the time. */
const PEER_FAULTS = [
  ...[errors.ConnectionReset, errors.ConnectionAborted, errors.BrokenPipe, errors.NotConnected],
  ...[errors.TimedOut, errors.UnexpectedEof],
];

/**
 * Whether the peer or the network has caused an error, as opposed to a mistake in the handler.
 */
export function isPeerFault(error: unknown): boolean {
  return PEER_FAULTS.some((Class) => error instanceof Class) ||
    (isNetError(error) && error.code === "ETLS");
}
