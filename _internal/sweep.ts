/**
 * One timer for all time-outs.
 *
 * A timer per read would cost more than the read. Instead everything that can time out registers
 * here once and is asked now and then whether its time has come; activity needs no clock at all,
 * because whoever is asked compares its byte counters with what they were when it was asked last.
 *
 * @module
 */

/** Something with a deadline that moves. */
export interface Sweepable {
  /**
   * Acts on every deadline that has passed.
   *
   * @param now `performance.now()`, in milliseconds.
   * @returns When to be asked again, on the same clock; `Infinity` for "not before I say so".
   */
  sweep(now: number): number;
}

/** The shortest time between two sweeps, so that a crowd of deadlines costs one pass. */
const MIN_GAP = 5;
/** Each so many entries make that gap 1 ms longer: sweeping stays well under 1 % of the time. */
const ENTRIES_PER_GAP_MS = 50;
/** The longest time a timer can be set for (a signed 32-bit number of milliseconds). */
const MAX_TIMER = 2 ** 31 - 1;

const entries = new Set<Sweepable>();
let timer: ReturnType<typeof setTimeout> | undefined;
let wakeAt = Infinity;

/**
 * Asks `entry` to sweep no later than about `at`, and from then on whenever it says.
 *
 * @param at On the clock of `performance.now()`, in milliseconds.
 */
export function watch(entry: Sweepable, at: number): void {
  entries.add(entry);
  if (at < wakeAt) arm(at, performance.now());
}

/** Forgets `entry`. With the last one gone, no timer is left. */
export function unwatch(entry: Sweepable): void {
  if (entries.delete(entry) && entries.size === 0) disarm();
}

function arm(at: number, now: number): void {
  disarm();
  wakeAt = at;
  timer = setTimeout(run, Math.min(Math.max(at - now, 0), MAX_TIMER));
  Deno.unrefTimer(timer); // whoever waits has an operation pending, and that keeps the process alive
}

function disarm(): void {
  clearTimeout(timer);
  timer = undefined;
  wakeAt = Infinity;
}

function run(): void {
  disarm();
  const now = performance.now();
  let next = Infinity;
  for (const entry of entries) next = Math.min(next, entry.sweep(now));
  // An entry may have called watch() while it was asked; the earlier of the two holds.
  next = Math.max(Math.min(next, wakeAt), now + MIN_GAP + entries.size / ENTRIES_PER_GAP_MS);
  if (entries.size > 0 && next < Infinity) arm(next, now);
}
