/**
 * Errors about a socket: one of the runtime's classes, a message that says what could not be done and
 * to whom, and the fields of `NetErrorFields`.
 *
 * @module
 */
import type { NetError, NetOperation, NetTransport, SocketAddress } from "../errors.ts";
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

/** The system's code of an error: `ECONNREFUSED`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

/** A class of errors with the usual constructor. */
export type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

/** What could not be done, in words; `<peer>` and `<here>` stand for the addresses. */
const FAILURES: Readonly<Record<NetOperation, string>> = {
  listen: "listen on <here>",
  bind: "bind on <here>",
  accept: "accept on <here>",
  connect: "connect to <peer>",
  resolve: "resolve <peer>",
  handshake: "finish the TLS handshake with <peer>",
  read: "read from <peer>",
  write: "write to <peer>",
  closeWrite: "close the connection to <peer>",
  close: "close the connection to <peer>",
  send: "send to <peer>",
  receive: "receive from <peer>",
  request: "get an answer from <peer>",
  multicast: "change the multicast groups of <here>",
  frame: "read a frame from <peer>",
};

/** What was being done, in words: `Cannot connect to 127.0.0.1:80`. */
function describe({ operation, localAddr, remoteAddr, target }: OperationContext): string {
  const here = localAddr ? formatAddr(localAddr) : target;
  const remote = remoteAddr ? formatAddr(remoteAddr) : target;
  const peer = operation === "resolve" ? target ?? remote : remote;
  const failure = operation === "receive" && peer === undefined
    ? "receive on <here>"
    : FAILURES[operation];
  return `Cannot ${
    failure.replace(/<(here|peer)>/, (_, end) => `${end === "here" ? here : peer}`)
  }`;
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
  const { operation, transport, localAddr, remoteAddr } = context;
  const fields = { operation, transport, code, localAddr, remoteAddr };
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) Object.defineProperty(error, name, { value, enumerable: true });
  }
  return error as NetError;
}

/** Makes the error of a name that has no address; `isPassing` if that may change. */
export function unresolved(
  context: OperationContext,
  isPassing: boolean,
  cause?: unknown,
): NetError {
  const [code, reason] = isPassing
    ? ["EAI_AGAIN", "the name server does not answer"]
    : ["ENOTFOUND", "no such host"];
  const resolving = { ...context, operation: "resolve" } as const;
  return netError(Deno.errors.NotFound, code, reason, resolving, cause);
}

/** Makes the error of a wait that took longer than allowed. */
export function timedOut(context: OperationContext, after: number, what = "no answer"): NetError {
  return netError(Deno.errors.TimedOut, "ETIMEDOUT", `${what} within ${after} ms`, context);
}
