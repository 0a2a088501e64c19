/**
 * The probes of one isolate: begins them, and notes what came of them.
 *
 * A probe is a bare `Deno.connect`, not `connectTcp`: 65,535 of them at once need no connection objects,
 * no watchdogs, no deadlines of their own, and an isolate has about 15 microseconds for each.
 *
 * | state | new probes | ends when |
 * |---|---|---|
 * | `probing` | while there is room | the time of a group is over: `holding`; no descriptor can be had and nothing is in flight: `waiting`; all is decided: `stopped` |
 * | `holding` | none | a tick passes without an answer: the group is given up, `probing` |
 * | `waiting` | none | a pause is over: `probing`; the pauses were too many: `stopped`, with an error |
 * | `stopped` | none | nothing is in flight any more: `run` settles |
 *
 * There is room while fewer probes are in flight than {@linkcode Concurrency} allows, and fewer than
 * {@linkcode MAX_YOUNG} of them are young. The runtime serves at most 128 ready sockets in one turn of its
 * loop, and the others wait longer and longer, so that an answer would look like none. An answer to an
 * older probe is unlikely; of these there may be as many as there are descriptors.
 *
 * `holding` is there because answers may wait unseen although there is such a limit, when the machine is
 * busy with something else.
 *
 * @module
 */
import { codeOf, netError } from "../../common/net_error.ts";
import { isSelfConnect } from "../../common/self_connect.ts";
import { systemReason } from "../../common/system_reason.ts";
import { Attempts, type Group, GROUP_SPAN } from "./_attempts.ts";
import { readBanner } from "./_banner.ts";
import { Concurrency } from "./_concurrency.ts";
import { CLOSED, OPEN, type OpenPort, outcomeOf, type ScanJob, SILENT } from "./_job.ts";
import { type Probe, Probes } from "./_probes.ts";

/** Probes whose answer may be arriving: what the runtime serves fairly. */
const MAX_YOUNG = 128;
/** Milliseconds in which most answers arrive. */
const YOUNG_AGE = 10;
/** Milliseconds after which a probe is old although the loop does not keep up. */
const MAX_YOUNG_AGE = 100;
/** Milliseconds between two ticks. */
const TICK = GROUP_SPAN;
/** The loop keeps up with the answers while its timer is no later than this, in milliseconds … */
const MAX_LAG = 5;
/** … and fewer answers than this arrive between two ticks of it. */
const QUIET = 64;
/** Milliseconds to wait when not a single descriptor can be had, and how many times in a row. */
const PAUSE = 50;
const MAX_PAUSES = 100;

/** The system's codes when it has no room for another socket. */
const EXHAUSTED = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EAGAIN"]);
/** With this many probes in flight, a missing address means that all source ports are in use. */
const MANY = 1_000;

/** Works on a job, beside the probers of other isolates, until nothing is left to take. */
export class Prober {
  readonly #job: ScanJob;
  readonly #onOpen: (port: OpenPort) => void;
  readonly #probes: Probes;
  readonly #attempts: Attempts;
  readonly #concurrency: Concurrency;
  readonly #finished = Promise.withResolvers<void>();
  readonly #stopping = new AbortController();

  #state: "probing" | "holding" | "waiting" | "stopped" = "probing";
  #inFlight = 0; // also those whose banner is being read
  #answers = 0; // since the last tick
  #tickAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pauses = 0; // in a row
  #pausedUntil = 0;
  #failure: unknown;

  constructor(job: ScanJob, onOpen: (port: OpenPort) => void) {
    this.#job = job;
    this.#onOpen = onOpen;
    this.#probes = new Probes(job);
    this.#attempts = new Attempts(job);
    this.#concurrency = new Concurrency(job.concurrency);
  }

  /** Probes until nothing is left. Rejects if probing is not possible at all. */
  async run(): Promise<void> {
    this.#schedule();
    this.#fill();
    await this.#finished.promise;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends early; `run` resolves when nothing is in flight any more. */
  stop(): void {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    clearTimeout(this.#timer);
    this.#stopping.abort();
    this.#attempts.abort();
    if (this.#inFlight === 0) this.#finished.resolve();
  }

  #fill(): void {
    if (this.#state === "probing" && this.#hasRoom) {
      const now = performance.now();
      do {
        const probe = this.#probes.take();
        if (probe === undefined) break;
        this.#begin(probe, now);
      } while (this.#hasRoom);
    }
    // What may still be in flight was asked again although the first answer was on its way.
    if (this.#probes.isDone) this.stop();
  }

  get #hasRoom(): boolean {
    return this.#inFlight < this.#concurrency.limit && this.#attempts.young < MAX_YOUNG;
  }

  #begin(probe: Probe, now: number): void {
    const group = this.#attempts.begin(probe, now);
    this.#inFlight++;
    const { hostname, port } = probe;
    const startedAt = performance.now();
    Deno.connect({ hostname, port, signal: group.controller.signal }).then((conn) => {
      this.#attempts.end(probe, group);
      this.#connected(conn, probe, group, startedAt);
    }, (error: unknown) => {
      this.#attempts.end(probe, group);
      if (!probe.done && this.#state !== "stopped") this.#failed(error, probe, group);
      this.#released();
    });
  }

  /** A probe is in flight no more. */
  #released(): void {
    this.#inFlight--;
    if (this.#state !== "stopped") this.#fill();
    else if (this.#inFlight === 0) this.#finished.resolve();
  }

  async #connected(
    conn: Deno.TcpConn,
    probe: Probe,
    group: Group,
    startedAt: number,
  ): Promise<void> {
    const latency = performance.now() - startedAt;
    this.#answers++;
    if (probe.done || this.#state === "stopped") {
      conn.close();
    } else if (isSelfConnect(conn.localAddr, conn.remoteAddr)) {
      conn.close();
      this.#decide(probe, CLOSED);
    } else {
      this.#answered(probe, group);
      probe.done = true; // it need not be asked again meanwhile
      const { banner: limits } = this.#job;
      let banner: Uint8Array<ArrayBuffer> | undefined;
      if (limits === undefined) conn.close();
      else banner = await readBanner(conn, limits, this.#stopping.signal);
      this.#onOpen({ index: probe.index, latency, banner });
      this.#decide(probe, OPEN);
    }
    this.#released();
  }

  #failed(error: unknown, probe: Probe, group: Group): void {
    const code = codeOf(error);
    if (code === undefined && group.controller.signal.aborted) {
      if (probe.live === 0 && !probe.queued) this.#decide(probe, SILENT);
      return;
    }
    this.#answers++;
    if (code === undefined || error instanceof Deno.errors.NotCapable) {
      this.#fail(error, probe);
    } else if (EXHAUSTED.has(code) || (code === "EADDRNOTAVAIL" && this.#inFlight > MANY)) {
      this.#exhausted(error, probe);
    } else {
      this.#answered(probe, group);
      this.#decide(probe, outcomeOf(code));
    }
  }

  /** Notes an answer. If it is to a second attempt while the first is in flight, packets get lost. */
  #answered(probe: Probe, { isFirst }: Group): void {
    if (isFirst || probe.live === 0) return;
    this.#concurrency.packetsLost(performance.now(), this.#attempts.gap);
  }

  #decide(probe: Probe, outcome: number): void {
    this.#pauses = 0;
    this.#probes.decide(probe, outcome);
  }

  /** There is no room for another socket: continues with as many as there were. */
  #exhausted(error: unknown, probe: Probe): void {
    const now = performance.now();
    probe.asked--;
    this.#concurrency.exhausted(this.#inFlight, now);
    this.#probes.askAgain(probe);
    if (this.#inFlight > 1 || this.#state === "waiting") return;
    if (++this.#pauses > MAX_PAUSES) return this.#fail(error, probe);
    this.#state = "waiting";
    this.#pausedUntil = now + PAUSE;
  }

  #fail(error: unknown, { hostname }: Probe): void {
    this.#failure ??= failure(error, hostname);
    this.stop();
  }

  #schedule(): void {
    this.#tickAt = performance.now() + TICK;
    this.#timer = setTimeout(() => this.#tick(), TICK);
  }

  /** Lets groups grow old, asks again, gives up. */
  #tick(): void {
    const now = performance.now();
    const answers = this.#answers;
    const keepsUp = now - this.#tickAt <= MAX_LAG && answers < QUIET;
    this.#answers = 0;
    this.#schedule();
    this.#attempts.age(now - TICK - (keepsUp ? YOUNG_AGE : MAX_YOUNG_AGE));
    for (const probe of this.#attempts.due(now)) this.#probes.askAgain(probe);
    if (this.#state === "holding" && answers === 0) this.#attempts.giveUp(now);
    const isPaused = this.#state === "waiting" && now < this.#pausedUntil;
    if (!isPaused) this.#state = this.#attempts.isOverdue(now) ? "holding" : "probing";
    this.#concurrency.regrow(now);
    this.#fill();
  }
}

/** The error of a scan that cannot continue. */
function failure(error: unknown, target: string): unknown {
  if (!(error instanceof Error)) return error;
  const isDenied = error instanceof Deno.errors.NotCapable;
  return netError(
    isDenied ? Deno.errors.NotCapable : Error,
    codeOf(error) ?? (isDenied ? "ENOTCAPABLE" : "EUNKNOWN"),
    systemReason(error.message)?.toLowerCase() ?? error.message,
    { operation: "connect", transport: "tcp", target },
    error,
  );
}
