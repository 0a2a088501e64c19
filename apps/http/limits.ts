/**
 * How large a response may be and how long it may take: names, defaults and reasons.
 *
 * @module
 */
import { checkCount, checkTimeout } from "../../common/options.ts";

const KIB = 1024;

/** Bytes of a head, unless said otherwise: eight times what common servers send at most. */
export const DEFAULT_MAX_HEAD_SIZE: number = 64 * KIB;
/** Bytes that `bytes()` and `text()` hold in memory, unless said otherwise. */
export const DEFAULT_MAX_MEMORY_SIZE: number = 64 * KIB * KIB;

/**
 * How large a response may be. What is larger fails with an `HttpError` with the code `too_large`;
 * with a `Content-Length` before any of the body was read.
 */
export interface HttpLimits {
  /**
   * Bytes of the head, with the heads of interim (1xx) responses before it; and as many again for the
   * trailer section.
   *
   * @default {65_536}
   */
  maxHeadSize?: number;
  /**
   * Fields in the head, and as many again in the trailer section.
   *
   * @default {256}
   */
  maxFields?: number;
  /**
   * Bytes of the line in front of each chunk, which holds its size and extensions that nobody uses.
   *
   * @default {4_096}
   */
  maxChunkLine?: number;
  /**
   * Bytes of the body as it is sent. It goes through memory piece by piece, so this guards the disk,
   * and the sender pays for every byte as well.
   *
   * @default {1_099_511_627_776} 1 TiB
   */
  maxBodySize?: number;
  /**
   * Bytes of a body that was sent in gzip or deflate, unpacked: a thousandth of it is enough to send
   * it, so this is where a small sender could fill a large disk. Beyond 1 MiB, more than 1,032 times
   * what was sent is refused as well: deflate packs no better, so it was packed over and over.
   *
   * @default {1_073_741_824} 1 GiB
   */
  maxDecodedSize?: number;
  /**
   * Bytes of the body per second, on average over each `timeouts.idle` spent waiting: fewer is a
   * time-out, so that a server cannot keep its client for ever with a byte now and then. 0 for streams
   * of events.
   *
   * @default {10}
   */
  minRate?: number;
}

/** How long a fetch may take over what. All in milliseconds; 0 and `Infinity` mean "no limit". */
export interface HttpTimeouts {
  /**
   * For connecting, name lookup and TLS handshake included. Each redirect begins anew.
   *
   * @default {30_000}
   */
  connect?: number;
  /**
   * From the request to the end of the response's head. Each redirect begins anew.
   *
   * @default {30_000}
   */
  head?: number;
  /**
   * Without a byte of the body while somebody waits for it.
   *
   * @default {30_000}
   */
  idle?: number;
  /**
   * For everything, from the call to the last byte of the body, the reader's own time included.
   *
   * @default {Infinity} because a large file may take hours; `idle` and `limits.minRate` see to it
   * that it goes on
   */
  total?: number;
}

const LIMITS: Required<HttpLimits> = {
  maxHeadSize: DEFAULT_MAX_HEAD_SIZE,
  maxFields: 256,
  maxChunkLine: 4 * KIB,
  maxBodySize: KIB ** 4,
  maxDecodedSize: KIB ** 3,
  minRate: 10,
};

const TIMEOUTS: Required<HttpTimeouts> = {
  connect: 30_000,
  head: 30_000,
  idle: 30_000,
  total: Infinity,
};

/** Fills in the defaults and checks every value. */
export function resolveLimits(given: HttpLimits = {}): Required<HttpLimits> {
  const resolved = { ...LIMITS };
  for (const name of Object.keys(LIMITS) as (keyof HttpLimits)[]) {
    const value = given[name];
    if (value !== undefined) resolved[name] = checkCount(`limits.${name}`, value);
  }
  return resolved;
}

/** Fills in the defaults and checks every value. */
export function resolveHttpTimeouts(given: HttpTimeouts = {}): Required<HttpTimeouts> {
  const resolved = { ...TIMEOUTS };
  for (const name of Object.keys(TIMEOUTS) as (keyof HttpTimeouts)[]) {
    const value = given[name];
    if (value !== undefined) resolved[name] = checkTimeout(`timeouts.${name}`, value);
  }
  return resolved;
}
