/**
 * What the isolates that work on one scan share.
 *
 * @module
 */
import type { ScanLimits } from "./options.ts";
import type { PortResult, PortState } from "./report.ts";

/** The work and how to do it. Every isolate has one; the memory in it is shared by all. */
export interface ScanJob extends ScanLimits {
  readonly addresses: readonly string[];
  readonly ports: readonly number[];
  /** One outcome for each probe: number `i` is port `i / hosts` of host `i % hosts`. */
  readonly outcomes: Uint8Array<SharedArrayBuffer>;
  /** The next probe that no isolate has taken, and how many are done. */
  readonly counters: Int32Array<SharedArrayBuffer>;
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

type Meaning = Pick<PortResult, "state" | "reason">;

/** What a probe can come to: the state, the reason, and the system's codes for it. */
const OUTCOMES: readonly (readonly [PortState, string, ...string[]])[] = [
  ["filtered", "not asked"],
  ["open", "accepted"],
  ["closed", "refused", "ECONNREFUSED"],
  ["filtered", "no answer", "ETIMEDOUT"],
  ["filtered", "not possible"],
  ["closed", "reset", "ECONNRESET", "ECONNABORTED"],
  ["filtered", "host unreachable", "EHOSTUNREACH", "EHOSTDOWN"],
  ["filtered", "network unreachable", "ENETUNREACH", "ENETDOWN", "EADDRNOTAVAIL"],
  ["filtered", "not permitted", "EACCES", "EPERM"],
];
const OF_CODES = new Map(
  OUTCOMES.flatMap(([, , ...codes], outcome) => codes.map((code) => [code, outcome] as const)),
);

const MEANINGS = OUTCOMES.map(([state, reason]) => ({ state, reason }));

/** Places in the list of outcomes. */
export const OPEN = 1;
export const CLOSED = 2;
export const SILENT = 3;
const IMPOSSIBLE = 4;

/** The outcome of a probe that failed with a code of the system. */
export function outcomeOf(code: string): number {
  return OF_CODES.get(code) ?? IMPOSSIBLE;
}

/** What an outcome means. */
export function meaningOf(outcome: number): Meaning {
  return MEANINGS[outcome] as Meaning;
}
