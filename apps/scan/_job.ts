/**
 * What the isolates that work on one scan share.
 *
 * @module
 */
import type { PortState } from "./report.ts";

/** How long to wait for what open ports say, and how much of it to keep. */
export interface BannerLimits {
  timeout: number;
  maxLength: number;
}

/** The work and how to do it. Every isolate has one; the memory in it is shared by all. */
export interface ScanJob {
  readonly addresses: readonly string[];
  readonly ports: readonly number[];
  /** One outcome for each probe: number `i` is port `i / hosts` of host `i % hosts`. */
  readonly outcomes: Uint8Array<SharedArrayBuffer>;
  /** The next probe that no isolate has taken, and how many are done. */
  readonly counters: Int32Array<SharedArrayBuffer>;
  /** Milliseconds a port has to answer. */
  readonly timeout: number;
  /** How often it is asked again in that time. */
  readonly retries: number;
  /** Probes at one time in this isolate. */
  readonly concurrency: number;
  readonly banner: BannerLimits | undefined;
}

/** Places in {@linkcode ScanJob.counters}. */
export const NEXT = 0;
export const DONE = 1;

/** An open port, as an isolate reports it. */
export interface OpenPort {
  index: number;
  latency: number;
  banner: Uint8Array<ArrayBuffer> | undefined;
}

/** What the probes of a job can come to: the state and the reason. 0 stands for "not done". */
export const OUTCOMES: readonly (readonly [PortState, string])[] = [
  ["filtered", "not asked"],
  ["open", "accepted"],
  ["closed", "refused"],
  ["closed", "reset"],
  ["filtered", "no answer"],
  ["filtered", "host unreachable"],
  ["filtered", "network unreachable"],
  ["filtered", "not permitted"],
  ["filtered", "not possible"],
];

export const OPEN = 1;
export const CLOSED = 2;
export const RESET = 3;
export const SILENT = 4;
export const HOST_UNREACHABLE = 5;
export const NET_UNREACHABLE = 6;
export const PROHIBITED = 7;
export const IMPOSSIBLE = 8;
