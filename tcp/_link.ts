/**
 * What the parts of one connection know about the socket below them.
 *
 * @module
 */
import type { NetOperation, NetTransport, SocketAddress } from "../errors.ts";
import type { OperationContext } from "../common/net_error.ts";
import type { ReportUnhandled } from "../_internal/unhandled.ts";
import type { Timeouts } from "./timeouts.ts";

/** The calls of the runtime's stream sockets that a connection is made of. */
export interface RawSocket {
  read(buffer: Uint8Array): Promise<number | null>;
  write(data: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/** A socket with the names of its ends. */
export interface NamedSocket {
  readonly socket: RawSocket;
  readonly transport: NetTransport;
  readonly localAddr: SocketAddress;
  readonly remoteAddr: SocketAddress;
}

/** The socket of a connection, and what limits its use. */
export interface Link extends NamedSocket {
  readonly timeouts: Timeouts;
  readonly maxWriteQueue: number;
  /** Receives errors of this connection that no one has handled; for connections of a server. */
  readonly onUnhandled?: ReportUnhandled | undefined;
}

/** Says which operation on which connection failed. */
export function contextOf(link: Link, operation: NetOperation): OperationContext {
  return {
    operation,
    transport: link.transport,
    localAddr: link.localAddr,
    remoteAddr: link.remoteAddr,
  };
}
