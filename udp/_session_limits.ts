/**
 * The limits of sessions: of one peer, and of all together.
 *
 * @module
 */
import { checkCount, checkTimeout } from "../common/options.ts";
import type { UdpSessionsOptions } from "./sessions_options.ts";

/** The options that are numbers. */
type LimitName = {
  [Name in keyof UdpSessionsOptions]: NonNullable<UdpSessionsOptions[Name]> extends number ? Name
    : never;
}[keyof UdpSessionsOptions];

/** The limits, checked. */
export type SessionLimits = Readonly<Record<NonNullable<LimitName>, number>>;

/** Checks the limits, and fills in the defaults. */
export function sessionLimits(options: UdpSessionsOptions): SessionLimits {
  const { idle = 60_000, maxPeers = 4_096, maxQueue = 64, maxPeerQueueBytes = 1_048_576 } = options;
  const { maxTotalQueue = 16_384, maxQueueBytes = 16_777_216 } = options;
  checkCount("maxPeers", maxPeers, 1);
  const { maxUnconfirmed = Math.min(1_024, Math.ceil(maxPeers / 4)) } = options;
  checkCount("maxUnconfirmed", maxUnconfirmed, 1);
  const { maxUnconfirmedPerSource = Math.ceil(maxUnconfirmed / 4) } = options;
  return {
    idle: checkTimeout("idle", idle),
    maxPeers,
    maxUnconfirmed,
    maxUnconfirmedPerSource: checkCount("maxUnconfirmedPerSource", maxUnconfirmedPerSource, 1),
    maxQueue: checkCount("maxQueue", maxQueue, 1),
    maxPeerQueueBytes: checkCount("maxPeerQueueBytes", maxPeerQueueBytes),
    maxTotalQueue: checkCount("maxTotalQueue", maxTotalQueue, 1),
    maxQueueBytes: checkCount("maxQueueBytes", maxQueueBytes),
  };
}

/** What many sessions have in their queues together, and what they may have. */
export class QueueTotal {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  #count = 0;
  #bytes = 0;

  /** @param share The part of the limits that holds for these sessions. */
  constructor({ maxTotalQueue, maxQueueBytes }: SessionLimits, share: number) {
    this.#maxCount = Math.ceil(maxTotalQueue * share);
    this.#maxBytes = Math.ceil(maxQueueBytes * share);
  }

  /** Whether one more datagram of this length may wait. */
  fits(length: number): boolean {
    return this.#count < this.#maxCount && this.#bytes + length <= this.#maxBytes;
  }

  add(count: number, bytes: number): void {
    this.#count += count;
    this.#bytes += bytes;
  }

  remove(count: number, bytes: number): void {
    this.add(-count, -bytes);
  }
}
