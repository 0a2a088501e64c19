/**
 * The limits of sessions.
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
