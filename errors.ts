/**
 * The error types of tincan.
 *
 * The runtime's own classes are used wherever one fits: `Deno.errors.ConnectionRefused`,
 * `TimedOut`, `BrokenPipe`, `ConnectionReset`, `AddrInUse`, `UnexpectedEof` and so on. Such an error
 * carries the fields of {@linkcode NetErrorFields} (which operation, over which transport, between
 * which addresses, the system's code), its message is one plain line, and its `cause` is the error
 * the runtime threw. Three classes are tincan's own, because callers must tell them apart:
 *
 * - {@linkcode FrameError}: the bytes are not the frames the codec expects.
 * - {@linkcode LimitError}: a limit that you can set was reached.
 * - {@linkcode ClosedError}: this side closed it, so the call could not continue.
 *
 * @example Tell the failures of a connect apart
 * ```ts
 * import { connectTcp, isNetError } from "@tincan/net";
 *
 * try {
 *   await using conn = await connectTcp({ port: 1, timeout: 1000 });
 * } catch (error) {
 *   if (!isNetError(error)) throw error;
 *   console.log(error.operation, error.code, error.message);
 *   // connect ECONNREFUSED Cannot connect to 127.0.0.1:1: connection refused
 * }
 * ```
 *
 * @module
 */

/** The address of one end of a connection or datagram: host and port, or a path. */
export type SocketAddress = Deno.NetAddr | Deno.UnixAddr;

/** What was being done when an error arose. */
export type NetOperation =
  | "listen"
  | "accept"
  | "connect"
  | "resolve"
  | "handshake"
  | "read"
  | "write"
  | "closeWrite"
  | "close"
  | "bind"
  | "send"
  | "receive"
  | "request"
  | "multicast"
  | "frame";

/** What carried the bytes. */
export type NetTransport = "tcp" | "tls" | "unix" | "udp" | "unixpacket";

/** What every error that tincan raises about a socket says besides its message. */
export interface NetErrorFields {
  /** What was being done. */
  readonly operation: NetOperation;
  /** What carried the bytes. */
  readonly transport: NetTransport;
  /** The system's name for the failure, such as `"ECONNREFUSED"`, or tincan's own (`"ETLS"`). */
  readonly code: string;
  /** This side's address, where it is known. */
  readonly localAddr?: SocketAddress | undefined;
  /** The other side's address, where it is known. */
  readonly remoteAddr?: SocketAddress | undefined;
}

/** An error about a socket, with the fields that say which one and why. */
export type NetError = Error & NetErrorFields;

/**
 * Whether `error` was raised by tincan about a socket, so that its
 * {@linkcode NetErrorFields} can be read.
 *
 * @param error Anything that was caught.
 * @returns `true` if `error` carries an operation, a transport and a code.
 *
 * @example
 * ```ts
 * import { isNetError } from "@tincan/net/errors";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isNetError(new Error("something else")), false);
 * ```
 */
export function isNetError(error: unknown): error is NetError {
  return error instanceof Error && "operation" in error && "transport" in error && "code" in error;
}

/**
 * The base of all error classes of tincan. Each has a `code` that programs can compare; the message is
 * for people, and may change.
 *
 * @typeParam Code The codes of this class.
 *
 * @example Everything that tincan itself raises
 * ```ts
 * import { FrameError, TincanError } from "@tincan/net/errors";
 * import { assert } from "@std/assert";
 *
 * assert(new FrameError("corrupt", "Cannot read a frame") instanceof TincanError);
 * ```
 */
export class TincanError<Code extends string = string> extends Error {
  /** The name of the class, for messages and for `switch`. */
  override readonly name: string;
  /** What went wrong, for programs. */
  readonly code: Code;

  /**
   * Makes the error; its `name` is that of its class.
   *
   * @param code What went wrong.
   * @param message One line for people.
   * @param options The cause, if there is one.
   */
  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(
      message,
      options !== undefined && "cause" in options ? { cause: options.cause } : undefined,
    );
    this.name = new.target.name;
    this.code = code;
  }
}

/** Why bytes are not a frame. */
export type FrameErrorCode = "too_long" | "corrupt" | "truncated" | "checksum";

/**
 * The bytes are not the frames that the codec expects, or a message cannot be written as a frame.
 *
 * | `code` | meaning |
 * |---|---|
 * | `too_long` | the frame is longer than the codec's limit; `length` and `limit` say by how much |
 * | `corrupt` | the bytes break the rules of the codec |
 * | `truncated` | the input ended inside a frame |
 * | `checksum` | the frame arrived whole but its checksum does not fit |
 *
 * @example
 * ```ts
 * import { FrameError } from "@tincan/net/errors";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new FrameError("too_long", "Cannot read a frame of 20 bytes: the limit is 16", {
 *   length: 20,
 *   limit: 16,
 *   offset: 0,
 * });
 * assertEquals(error.code, "too_long");
 * ```
 */
export class FrameError extends TincanError<FrameErrorCode> {
  /** The length seen or announced, in bytes, where it is known. */
  readonly length: number | undefined;
  /** The limit it was held against, in bytes, where there is one. */
  readonly limit: number | undefined;
  /** Where in the stream the frame began, in bytes since the decoder's first byte. */
  readonly offset: number | undefined;

  /**
   * Makes the error.
   *
   * @param code Why the bytes are not a frame.
   * @param message One line for people.
   * @param options Length, limit, offset and cause, as far as they are known.
   */
  constructor(
    code: FrameErrorCode,
    message: string,
    options: ErrorOptions & Partial<Pick<FrameError, "length" | "limit" | "offset">> = {},
  ) {
    super(code, message, options);
    this.length = options.length;
    this.limit = options.limit;
    this.offset = options.offset;
  }
}

/** Which limit was reached. */
export type LimitErrorCode = "read_buffer" | "write_queue" | "requests";

/** The base of {@linkcode LimitError} and {@linkcode ClosedError}: an error about a socket. */
export class SocketError<Code extends string> extends TincanError<Code> implements NetErrorFields {
  /** What was being done. */
  readonly operation: NetOperation;
  /** What carried the bytes. */
  readonly transport: NetTransport;
  /** This side's address, where it is known. */
  readonly localAddr: SocketAddress | undefined;
  /** The other side's address, where it is known. */
  readonly remoteAddr: SocketAddress | undefined;

  /**
   * Makes the error.
   *
   * @param code What went wrong.
   * @param message One line for people.
   * @param options The operation, and the addresses as far as they are known.
   */
  constructor(
    code: Code,
    message: string,
    options: ErrorOptions & Omit<NetErrorFields, "code">,
  ) {
    super(code, message, options);
    this.operation = options.operation;
    this.transport = options.transport;
    this.localAddr = options.localAddr;
    this.remoteAddr = options.remoteAddr;
  }
}

/**
 * A limit that you can set was reached. Nothing was lost on the socket: the call that met the limit
 * was refused before it did anything.
 *
 * @example
 * ```ts
 * import { LimitError } from "@tincan/net/errors";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new LimitError("write_queue", "Cannot queue more: 1024 bytes wait already", {
 *   operation: "write",
 *   transport: "tcp",
 *   limit: 1024,
 * });
 * assertEquals(error.limit, 1024);
 * ```
 */
export class LimitError extends SocketError<LimitErrorCode> {
  /** The limit, in the unit its name says. */
  readonly limit: number;

  /**
   * Makes the error.
   *
   * @param code Which limit was reached.
   * @param message One line for people.
   * @param options The limit, the operation, and the addresses as far as they are known.
   */
  constructor(
    code: LimitErrorCode,
    message: string,
    options: ErrorOptions & Omit<NetErrorFields, "code"> & Pick<LimitError, "limit">,
  ) {
    super(code, message, options);
    this.limit = options.limit;
  }
}

/**
 * How this side ended it: `closed` by `close()` or by the handler's return, `aborted` by `abort()`
 * or the server's `signal`, `draining` because the server is shutting down.
 */
export type ClosedErrorCode = "closed" | "aborted" | "draining";

/**
 * This side closed the socket, so the call could not continue. The peer is not to blame: what the peer
 * did arrives as `Deno.errors.ConnectionReset`, `BrokenPipe` or the end of the stream.
 *
 * @example
 * ```ts
 * import { ClosedError } from "@tincan/net/errors";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new ClosedError("closed", "Cannot read: the connection was closed here", {
 *   operation: "read",
 *   transport: "tcp",
 * });
 * assertEquals(error.code, "closed");
 * ```
 */
export class ClosedError extends SocketError<ClosedErrorCode> {}
