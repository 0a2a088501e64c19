/**
 * The probes of one isolate.
 *
 * A probe is a bare `Deno.connect`, not `connectTcp`: 65,535 of them at once need no connection objects,
 * no watchdogs, no deadlines of their own, and an isolate has about 15 microseconds for each.
 *
 * How many may be in flight follows from two things. The runtime serves at most 128 sockets that have
 * something to say in one turn of its loop and lets the others wait for ever longer, which makes an
 * answer look like none: so at most {@linkcode MAX_YOUNG} probes are out that are so young that their
 * answer may be arriving. Older ones wait for an answer that will hardly come; of these there may be
 * as many as there are descriptors.
 *
 * And no probe is given up while answers may wait unseen, because the machine is busy with something
 * else or that rule did not suffice: first nothing new is begun until a tick passes without an answer.
 *
 * @module
 */
import { translate } from "../../_internal/translate.ts";
import { readBanner } from "./_banner.ts";
import {
  CLOSED,
  DONE,
  HOST_UNREACHABLE,
  IMPOSSIBLE,
  type Job,
  NET_UNREACHABLE,
  NEXT,
  OPEN,
  type OpenPort,
  PROHIBITED,
  RESET,
  SILENT,
} from "./_job.ts";

/** Probes whose answer may be arriving: what the runtime serves fairly. */
const MAX_YOUNG = 128;
/** Milliseconds in which most answers arrive. */
const YOUNG_AGE = 10;
/** Milliseconds after which a probe is old although the loop does not keep up. */
const MAX_YOUNG_AGE = 100;
/** Probes started within so many milliseconds share one abort signal and one deadline. */
const GROUP_SPAN = 5;
/** Probes that an isolate takes from the common heap at once. */
const BLOCK = 64;
/** Descriptors that are left to others when there are too few. */
const SPARE_DESCRIPTORS = 16;
/** Milliseconds after which one more probe is dared when there were too few descriptors. */
const REGROW_AFTER = 100;
/** When packets are lost, no less than this many probes are in flight. */
const MIN_CONCURRENCY = 32;
/** The loop keeps up with the answers while its timer is no later than this, in milliseconds … */
const MAX_LAG = 5;
/** … and fewer answers than this arrive between two ticks of it. */
const QUIET = 64;
/** Milliseconds to wait for a descriptor when not one can be had, and how many times in a row. */
const FAMINE_PAUSE = 50;
const MAX_FAMINES = 100;

/** What the system says when it has no room for another socket. */
const EXHAUSTED = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EAGAIN"]);
/** With this many probes in flight, a missing address means that all source ports are in use. */
const MANY = 1_000;

const OUTCOME_OF: Readonly<Record<string, number>> = {
  ECONNREFUSED: CLOSED,
  ECONNRESET: RESET,
  ECONNABORTED: RESET,
  ETIMEDOUT: SILENT,
  EHOSTUNREACH: HOST_UNREACHABLE,
  EHOSTDOWN: HOST_UNREACHABLE,
  ENETUNREACH: NET_UNREACHABLE,
  ENETDOWN: NET_UNREACHABLE,
  EADDRNOTAVAIL: NET_UNREACHABLE,
  EACCES: PROHIBITED,
  EPERM: PROHIBITED,
};

/** One port of one host. */
interface Probe {
  readonly index: number;
  asked: number; // how often
  live: number; // attempts in flight
  queued: boolean; // to be asked (again)
  done: boolean;
}

/** Attempts that began at about the same time. */
interface Group {
  readonly startedAt: number;
  readonly controller: AbortController;
  readonly signal: AbortSignal;
  probes: Probe[];
  live: number;
  old: boolean;
}

/** Works on a job, beside the probers of other isolates, until nothing is left to take. */
export class Prober {
  readonly #job: Job;
  readonly #onOpen: (port: OpenPort) => void;
  readonly #finished = Promise.withResolvers<void>();

  #taken = 0; // the block this isolate works on
  #takenEnd = 0;
  #queue: Probe[] = []; // to be asked again
  #nothingLeft = false; // on the common heap
  #undecided = 0;
  #inFlight = 0;
  #young = 0;
  #limit: number;
  #regrown = 0; // when the limit was raised last
  #slowed = -Infinity; // and lowered, because packets were lost
  #famines = 0;
  #famine: ReturnType<typeof setTimeout> | undefined;
  #failure: unknown;
  #stopped = false;
  readonly #stopping = new AbortController();

  /** The youngest group of the first, second … attempts, which new probes may join. */
  readonly #current: (Group | undefined)[] = [];
  readonly #ageing: Group[] = [];
  readonly #retrying: Group[][]; // by attempt, in the order of their time
  readonly #ending: Group[][];
  readonly #gap: number; // milliseconds between two attempts
  readonly #span: number; // milliseconds in which a group takes in probes
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tickAt = 0;
  #answers = 0; // since the last tick
  #holding = false; // nothing new, until it is sure that no answer waits

  constructor(job: Job, onOpen: (port: OpenPort) => void) {
    this.#job = job;
    this.#onOpen = onOpen;
    this.#limit = job.concurrency;
    this.#gap = job.timeout / (job.retries + 1);
    this.#span = Math.min(GROUP_SPAN, this.#gap);
    this.#retrying = Array.from({ length: job.retries + 1 }, () => []);
    this.#ending = Array.from({ length: job.retries + 1 }, () => []);
  }

  /** Asks until nothing is left. Rejects if asking is not possible at all. */
  async run(): Promise<void> {
    this.#schedule();
    this.#fill();
    await this.#finished.promise;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends early; `run` resolves when nothing is in flight any more. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#queue = [];
    clearTimeout(this.#timer);
    clearTimeout(this.#famine);
    this.#stopping.abort();
    for (const groups of this.#ending) for (const group of groups) group.controller.abort();
    if (this.#inFlight === 0) this.#finished.resolve();
  }

  #fill(): void {
    if (this.#stopped) return;
    const mayAsk = !this.#holding && this.#famine === undefined;
    if (mayAsk && this.#hasRoom) {
      const now = performance.now();
      do {
        const probe = this.#queue.pop() ?? this.#take();
        if (probe === undefined) break;
        this.#ask(probe, now);
      } while (this.#hasRoom);
    }
    // What may still be in flight was asked again although the first answer was on its way.
    if (this.#nothingLeft && this.#undecided === 0) this.stop();
  }

  get #hasRoom(): boolean {
    return this.#inFlight < this.#limit && this.#young < MAX_YOUNG;
  }

  /** The next probe of the common heap. */
  #take(): Probe | undefined {
    const { outcomes, counters } = this.#job;
    while (true) {
      while (this.#taken < this.#takenEnd) {
        const index = this.#taken++;
        if (outcomes[index] !== 0) continue; // somebody did it, and then was lost
        this.#undecided++;
        return { index, asked: 0, live: 0, queued: false, done: false };
      }
      this.#nothingLeft = Atomics.load(counters, NEXT) >= outcomes.length;
      if (this.#nothingLeft) return undefined;
      this.#taken = Atomics.add(counters, NEXT, BLOCK);
      this.#takenEnd = Math.min(this.#taken + BLOCK, outcomes.length);
    }
  }

  #ask(probe: Probe, now: number): void {
    probe.queued = false;
    if (probe.done) return; // answered while it waited to be asked again
    const { addresses, ports } = this.#job;
    const group = this.#groupOf(probe.asked, now);
    const hostname = addresses[probe.index % addresses.length] ?? "";
    const port = ports[Math.floor(probe.index / addresses.length)] ?? 0;
    const isFirst = probe.asked === 0;
    group.probes.push(probe);
    group.live++;
    probe.asked++;
    probe.live++;
    this.#young++;
    this.#inFlight++;
    const startedAt = performance.now();
    Deno.connect({ hostname, port, signal: group.signal }).then((conn) => {
      this.#landed(probe, group);
      this.#connected(conn, probe, startedAt, isFirst);
    }, (error: unknown) => {
      this.#landed(probe, group);
      if (!probe.done && !this.#stopped) this.#refused(error, probe, group, isFirst);
      this.#released();
    });
  }

  /** The group that an attempt beginning now belongs to. */
  #groupOf(attempt: number, now: number): Group {
    const current = this.#current[attempt];
    if (current !== undefined && now - current.startedAt < this.#span) return current;
    const controller = new AbortController();
    const { signal } = controller;
    const group: Group = { startedAt: now, controller, signal, probes: [], live: 0, old: false };
    this.#current[attempt] = group;
    this.#ageing.push(group);
    this.#ending[attempt]?.push(group);
    if (attempt < this.#job.retries) this.#retrying[attempt]?.push(group);
    return group;
  }

  #landed(probe: Probe, group: Group): void {
    probe.live--;
    group.live--;
    if (!group.old) this.#young--;
  }

  /** Somebody's place in the air is free again. */
  #released(): void {
    this.#inFlight--;
    if (!this.#stopped) this.#fill();
    else if (this.#inFlight === 0) this.#finished.resolve();
  }

  async #connected(
    conn: Deno.TcpConn,
    probe: Probe,
    startedAt: number,
    isFirst: boolean,
  ): Promise<void> {
    const latency = performance.now() - startedAt;
    this.#answers++;
    const { localAddr: local, remoteAddr: remote } = conn;
    // A connect to a free port of one's own machine can meet itself, if the system happens to give
    // it that port as its source. Nobody listens there.
    const isSelf = local.port === remote.port && local.hostname === remote.hostname;
    if (probe.done || isSelf || this.#stopped) {
      conn.close();
      if (isSelf && !probe.done) this.#decide(probe, CLOSED);
    } else {
      this.#answered(probe, isFirst);
      probe.done = true; // nobody needs to ask again meanwhile
      const { banner: limits } = this.#job;
      let banner: Uint8Array<ArrayBuffer> | undefined;
      if (limits === undefined) conn.close();
      else banner = await readBanner(conn, limits, this.#stopping.signal);
      this.#onOpen({ index: probe.index, latency, banner });
      this.#decide(probe, OPEN);
    }
    this.#released();
  }

  #refused(error: unknown, probe: Probe, group: Group, isFirst: boolean): void {
    const code = codeOf(error);
    if (code === undefined && group.signal.aborted) {
      if (probe.live === 0 && !probe.queued) this.#decide(probe, SILENT);
      return;
    }
    this.#answers++;
    if (code === undefined || error instanceof Deno.errors.NotCapable) {
      this.#fail(error, probe);
    } else if (EXHAUSTED.has(code) || (code === "EADDRNOTAVAIL" && this.#inFlight > MANY)) {
      this.#exhausted(error, probe);
    } else {
      this.#answered(probe, isFirst);
      this.#decide(probe, OUTCOME_OF[code] ?? IMPOSSIBLE);
    }
  }

  /** Notes an answer. When a second question is answered and the first was not, packets get lost:
   * then fewer at once arrive sooner. */
  #answered(probe: Probe, isFirst: boolean): void {
    if (isFirst || probe.live === 0) return;
    const now = performance.now();
    if (now - this.#slowed < this.#gap) return;
    this.#slowed = this.#regrown = now;
    this.#limit = Math.max(Math.min(MIN_CONCURRENCY, this.#limit), this.#limit >> 1);
  }

  #decide(probe: Probe, outcome: number): void {
    probe.done = true;
    this.#famines = 0;
    this.#undecided--;
    this.#job.outcomes[probe.index] = outcome;
    Atomics.add(this.#job.counters, DONE, 1);
  }

  /** There is no room for another socket: go on with as many as there were. */
  #exhausted(error: unknown, probe: Probe): void {
    probe.asked--;
    this.#regrown = performance.now();
    this.#limit = Math.max(1, Math.min(this.#limit, this.#inFlight - SPARE_DESCRIPTORS));
    this.#requeue(probe);
    if (this.#inFlight > 1 || this.#famine !== undefined) return;
    if (++this.#famines > MAX_FAMINES) return this.#fail(error, probe);
    this.#famine = setTimeout(() => {
      this.#famine = undefined;
      this.#fill();
    }, FAMINE_PAUSE);
  }

  #requeue(probe: Probe): void {
    if (probe.queued || this.#stopped) return;
    probe.queued = true;
    this.#queue.push(probe);
  }

  #fail(error: unknown, probe: Probe): void {
    const { addresses } = this.#job;
    const target = addresses[probe.index % addresses.length];
    this.#failure ??= translate(error, { operation: "connect", transport: "tcp", target });
    this.stop();
  }

  #schedule(): void {
    this.#tickAt = performance.now() + GROUP_SPAN;
    this.#timer = setTimeout(() => this.#tick(), GROUP_SPAN);
  }

  /** Lets groups grow old, asks again, gives up. */
  #tick(): void {
    const now = performance.now();
    const answers = this.#answers;
    const keepsUp = now - this.#tickAt <= MAX_LAG && answers < QUIET;
    this.#answers = 0;
    this.#schedule();
    this.#age(now - GROUP_SPAN - (keepsUp ? YOUNG_AGE : MAX_YOUNG_AGE));
    for (const groups of this.#retrying) {
      for (const group of takeUntil(groups, now - this.#gap)) {
        for (const probe of group.probes) if (!probe.done) this.#requeue(probe);
        group.probes = [];
      }
    }
    this.#giveUp(now, this.#holding && answers === 0);
    if (this.#limit < this.#job.concurrency && now - this.#regrown > REGROW_AFTER) {
      this.#regrown = now;
      this.#limit++;
    }
    this.#fill();
  }

  #age(begun: number): void {
    for (const group of takeUntil(this.#ageing, begun)) {
      group.old = true;
      this.#young -= group.live;
    }
  }

  /** Gives up the groups whose time is over, if it is sure that no answer waits; else makes sure. */
  #giveUp(now: number, isSure: boolean): void {
    this.#holding = false;
    for (const [attempt, groups] of this.#ending.entries()) {
      const begun = now - this.#job.timeout + attempt * this.#gap;
      if (isSure) { for (const group of takeUntil(groups, begun)) group.controller.abort(); }
      else if (groups[0] !== undefined && groups[0].startedAt <= begun) this.#holding = true;
    }
  }
}

/** Takes the groups that began at `time` or before. */
function takeUntil(groups: Group[], time: number): Group[] {
  let count = 0;
  for (const group of groups) {
    if (group.startedAt > time) break;
    count++;
  }
  return count === 0 ? [] : groups.splice(0, count);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}
