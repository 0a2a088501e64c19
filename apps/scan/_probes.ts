/**
 * The probes that one isolate works on, out of those that all of them share.
 *
 * @module
 */
import { DONE, NEXT, type ScanJob } from "./_job.ts";

/** Probes that an isolate takes from the shared ones at once. */
const BLOCK = 64;

/** One port of one host. */
export interface Probe {
  readonly index: number;
  readonly hostname: string;
  readonly port: number;
  asked: number; // how often
  live: number; // attempts in flight
  queued: boolean; // to be asked (again)
  done: boolean;
}

/** Hands out probes and notes what they came to. */
export class Probes {
  readonly #job: ScanJob;
  #next = 0; // of the block that this isolate works on
  #end = 0;
  #again: Probe[] = [];
  #undecided = 0;

  constructor(job: ScanJob) {
    this.#job = job;
  }

  /** Whether nothing is left to take, and all that were taken are decided. */
  get isDone(): boolean {
    const { outcomes, counters } = this.#job;
    return this.#undecided === 0 && this.#next >= this.#end &&
      Atomics.load(counters, NEXT) >= outcomes.length;
  }

  /** The next probe: one to be asked again, or a new one. */
  take(): Probe | undefined {
    for (let probe = this.#again.pop(); probe !== undefined; probe = this.#again.pop()) {
      probe.queued = false;
      if (!probe.done) return probe; // otherwise it was answered meanwhile
    }
    const { outcomes, counters, addresses, ports } = this.#job;
    while (true) {
      while (this.#next < this.#end) {
        const index = this.#next++;
        if (outcomes[index] !== 0) continue; // decided by an isolate that was lost
        this.#undecided++;
        const hostname = addresses[index % addresses.length] ?? "";
        const port = ports[Math.floor(index / addresses.length)] ?? 0;
        return { index, hostname, port, asked: 0, live: 0, queued: false, done: false };
      }
      if (Atomics.load(counters, NEXT) >= outcomes.length) return undefined;
      this.#next = Atomics.add(counters, NEXT, BLOCK);
      this.#end = Math.min(this.#next + BLOCK, outcomes.length);
    }
  }

  /** Has a probe asked again. */
  askAgain(probe: Probe): void {
    if (probe.queued || probe.done) return;
    probe.queued = true;
    this.#again.push(probe);
  }

  /** Notes the outcome of a probe. */
  decide(probe: Probe, outcome: number): void {
    probe.done = true;
    this.#undecided--;
    this.#job.outcomes[probe.index] = outcome;
    Atomics.add(this.#job.counters, DONE, 1);
  }
}
