/**
 * Attempts in flight, in groups: those that began at about the same time share one abort signal and one
 * deadline.
 *
 * A group is young first: answers to its attempts may be arriving. Then it is old. When a share of the
 * time is over, its probes are asked again; at the end of the time it is given up.
 *
 * @module
 */
import type { Probe } from "./_probes.ts";

/** Attempts that began within so many milliseconds are a group. */
export const GROUP_SPAN = 5;

/** Attempts that began at about the same time. */
export interface Group {
  readonly startedAt: number;
  readonly controller: AbortController;
  /** Whether its probes are asked for the first time. */
  readonly isFirst: boolean;
  probes: Probe[]; // until they are asked again
  live: number;
  isOld: boolean;
}

/** All attempts of one isolate. */
export class Attempts {
  /** Attempts whose answer may be arriving. */
  young = 0;
  /** Milliseconds between two attempts of a probe. */
  readonly gap: number;

  readonly #span: number;
  // Groups in the order of their time; the last three for the first, second … attempts of a probe.
  readonly #ageing: Group[] = [];
  readonly #newest: (Group | undefined)[] = [];
  readonly #retrying: Group[][];
  readonly #ending: Group[][];

  constructor({ timeout, retries }: { timeout: number; retries: number }) {
    this.gap = timeout / (retries + 1);
    this.#span = Math.min(GROUP_SPAN, this.gap || GROUP_SPAN);
    this.#retrying = Array.from({ length: retries }, () => []);
    this.#ending = Array.from({ length: retries + 1 }, () => []);
  }

  /** Counts an attempt that begins now, and returns its group. */
  begin(probe: Probe, now: number): Group {
    const group = this.#groupOf(probe.asked++, now);
    group.probes.push(probe);
    group.live++;
    probe.live++;
    this.young++;
    return group;
  }

  /** Counts an attempt as over. */
  end(probe: Probe, group: Group): void {
    probe.live--;
    group.live--;
    if (!group.isOld) this.young--;
  }

  /** Marks the groups that began at `time` or before as old. */
  age(time: number): void {
    for (const group of takeUntil(this.#ageing, time)) {
      group.isOld = true;
      this.young -= group.live;
    }
  }

  /** The probes whose next attempt is due. */
  *due(now: number): Generator<Probe> {
    for (const groups of this.#retrying) {
      for (const group of takeUntil(groups, now - this.gap)) {
        yield* group.probes;
        group.probes = [];
      }
    }
  }

  /** Whether the time of a group is over. */
  isOverdue(now: number): boolean {
    return this.#ending.some(([first], attempt) =>
      first !== undefined && first.startedAt <= this.#deadline(now, attempt)
    );
  }

  /** Gives up the groups whose time is over. */
  giveUp(now: number): void {
    for (const [attempt, groups] of this.#ending.entries()) {
      abortAll(takeUntil(groups, this.#deadline(now, attempt)));
    }
  }

  /** Gives up all groups. */
  abort(): void {
    this.#ending.forEach(abortAll);
  }

  /** When the groups began whose time is over now. */
  #deadline(now: number, attempt: number): number {
    return now - (this.#ending.length - attempt) * this.gap;
  }

  #groupOf(attempt: number, now: number): Group {
    const newest = this.#newest[attempt];
    if (newest !== undefined && now - newest.startedAt < this.#span) return newest;
    const isFirst = attempt === 0;
    const controller = new AbortController();
    const group = { startedAt: now, controller, isFirst, probes: [], live: 0, isOld: false };
    this.#newest[attempt] = group;
    this.#ageing.push(group);
    this.#ending[attempt]?.push(group);
    this.#retrying[attempt]?.push(group);
    return group;
  }
}

function abortAll(groups: readonly Group[]): void {
  for (const { controller } of groups) controller.abort();
}

/** Takes the groups that began at `time` or before. */
function takeUntil(groups: Group[], time: number): Group[] {
  const count = groups.findIndex(({ startedAt }) => startedAt > time);
  return count === 0 ? [] : groups.splice(0, count < 0 ? Infinity : count);
}
