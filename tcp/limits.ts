/**
 * The limits that every connection has.
 *
 * @module
 */
import { checkCount } from "../common/options.ts";

/** The limits of a connection. */
export interface TcpLimits {
  /**
   * Bytes that may wait to be written on one connection, besides the write under way.
   *
   * @default {16_777_216} enough for any burst of messages
   */
  maxWriteQueue?: number | undefined;
}

/** How many bytes may wait to be written on one connection. */
export function maxWriteQueueOf({ maxWriteQueue = 16_777_216 }: TcpLimits = {}): number {
  return checkCount("limits.maxWriteQueue", maxWriteQueue);
}
