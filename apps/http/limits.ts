/**
 * How large a response may be and how long it may take: names, defaults and reasons.
 *
 * @module
 */
import { checkCount, checkTimeout } from "../../common/options.ts";

const KIB = 1024;

/**
 * How large a response may be. What is larger fails with an `HttpError` with the code `too_large`;
 * with a `Content-Length` before any of the body was read.
 */
export interface HttpLimits {
  /**
   * Bytes of the head, with the heads of interim (1xx) responses before it; and as many again for the
   * trailer section.
   *
   * @default {65_536} eight times what common servers send at most
   */
  maxHeadSize?: number | undefined;
  /**
   * Fields in the head, and as many again in the trailer section.
   *
   * @default {256}
   */
  maxFields?: number | undefined;
  /**
   * Bytes of the line before each chunk, which holds its size and extensions that no one uses.
   *
   * @default {4_096}
   */
  maxChunkLine?: number | undefined;
  /**
   * Bytes of the body as it is sent. It goes through memory piece by piece, so this guards the disk,
   * and the sender pays for every byte as well.
   *
   * @default {1_099_511_627_776} 1 TiB
   */
  maxBodySize?: number | undefined;
  /**
   * Bytes of a body that was sent in gzip or deflate, unpacked: a thousandth of it is enough to send
   * it, so this is where a small sender could fill a large disk. Beyond 1 MiB, more than 1,032 times
   * what was sent is refused as well: deflate packs no better, so it was packed over and over.
   *
   * @default {1_073_741_824} 1 GiB
   */
  maxDecodedSize?: number | undefined;
  /**
   * Bytes of the body per second, on average over the time spent waiting, of which `timeouts.idle` is
   * free at the beginning: fewer is a timeout, so that a server cannot keep its client forever with a
   * byte now and then. Use 0 for streams of events.
   *
   * @default {10}
   */
  minRate?: number | undefined;
}

/** How long each step of a fetch may take, in milliseconds: 0 is "now", `Infinity` is "without limit". */
export interface HttpTimeouts {
  /**
   * For connecting, name lookup and TLS handshake included. Each redirect begins anew.
   *
   * @default {30_000}
   */
  connect?: number | undefined;
  /**
   * From the request to the end of the response's head. Each redirect begins anew.
   *
   * @default {30_000}
   */
  head?: number | undefined;
  /**
   * Without a byte of the body while it is waited for.
   *
   * @default {30_000}
   */
  idle?: number | undefined;
  /**
   * For everything, from the call to the last byte of the body, the reader's own time included.
   *
   * @default {Infinity} because a large file may take hours; `idle` and `limits.minRate` end one
   * that makes no progress
   */
  total?: number | undefined;
}

/** Every limit. */
export type ResolvedLimits = Record<keyof HttpLimits, number>;
/** Every timeout. */
export type ResolvedTimeouts = Record<keyof HttpTimeouts, number>;

/** The limits, with their defaults. */
const DEFAULT_LIMITS: ResolvedLimits = {
  maxHeadSize: 64 * KIB,
  maxFields: 256,
  maxChunkLine: 4 * KIB,
  maxBodySize: KIB ** 4,
  maxDecodedSize: KIB ** 3,
  minRate: 10,
};

const DEFAULT_TIMEOUTS: ResolvedTimeouts = {
  connect: 30_000,
  head: 30_000,
  idle: 30_000,
  total: Infinity,
};

/** The names of limits. */
export const LIMIT_NAMES = Object.keys(DEFAULT_LIMITS) as readonly (keyof HttpLimits)[];
/** The names of timeouts. */
export const TIMEOUT_NAMES = Object.keys(DEFAULT_TIMEOUTS) as readonly (keyof HttpTimeouts)[];

/** Fills in the defaults and checks every value. */
export function resolveLimits(given: HttpLimits = {}): ResolvedLimits {
  const resolved = { ...DEFAULT_LIMITS };
  for (const name of LIMIT_NAMES) {
    resolved[name] = checkCount(`limits.${name}`, given[name] ?? resolved[name]);
  }
  return resolved;
}

/** Fills in the defaults and checks every value. */
export function resolveHttpTimeouts(given: HttpTimeouts = {}): ResolvedTimeouts {
  const resolved = { ...DEFAULT_TIMEOUTS };
  for (const name of TIMEOUT_NAMES) {
    resolved[name] = checkTimeout(`timeouts.${name}`, given[name] ?? resolved[name]);
  }
  return resolved;
}
