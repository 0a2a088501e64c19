/**
 * Scanning by connecting.
 *
 * @module
 */
import { startHelper } from "./_helper.ts";
import { DONE, NEXT, OPEN, type OpenPort, OUTCOMES, type ScanJob } from "./_job.ts";
import { Prober } from "./_prober.ts";
import { resolveOptions, type ScanLimits, type ScanOptions } from "./options.ts";
import { checkPorts, defaultPorts, parsePorts } from "./ports.ts";
import type { HostReport, PortResult, PortState, ScanReport } from "./report.ts";
import { serviceName } from "./services.ts";
import { resolveTargets, type Target } from "./targets.ts";

/** Probes in one scan: each takes a byte of memory. A thousand hosts with all their ports fit. */
const MAX_PROBES = 2 ** 26;
/** A smaller scan is over before a second isolate has started. */
const MIN_PROBES_FOR_HELPER = 4_096;
/** Milliseconds between two reports of progress. */
const PROGRESS_INTERVAL = 100;

/**
 * Finds out which ports of some hosts are open, closed or filtered, by connecting to them. It needs no
 * privileges, and the hosts see each connection.
 *
 * @param hosts What to scan: addresses, names, and address ranges in CIDR notation. Ranges that are
 * neither loopback nor private need `allowPublicRanges`.
 * @param options Which ports, how long to wait for them, and what to report on the way.
 * @returns What was found.
 * @throws {TypeError} If a host or the ports cannot be understood, or a range needs consent.
 * @throws {RangeError} If an option is out of range or there are more hosts than `maxHosts`.
 * @throws {Deno.errors.NotFound} If there is no such host (code `ENOTFOUND`).
 * @throws {Deno.errors.NotCapable} Without the permission to connect there.
 * @throws {Error} With the code `EMFILE`, if not a single descriptor could be had for five seconds.
 *
 * @example
 * ```ts
 * import { scanPorts } from "@tincan/net/scan";
 * import { serveTcp } from "@tincan/net/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveTcp({ port: 0, onListen() {} }, (conn) => conn.write("hello\n"));
 * const { port } = server.addr;
 *
 * const { hosts: [host] } = await scanPorts("127.0.0.1", { ports: [port], banner: true });
 * const [found] = host?.open ?? [];
 * assertEquals(found?.port, port);
 * assertEquals(new TextDecoder().decode(found?.banner), "hello\n");
 * ```
 */
export async function scanPorts(
  hosts: string | readonly string[],
  options: ScanOptions = {},
): Promise<ScanReport> {
  const { signal, onProgress } = options;
  const startedAt = performance.now();
  const limits = resolveOptions(options);
  const ports = portsOf(options.ports);
  const names = typeof hosts === "string" ? [hosts] : hosts;
  if (names.length === 0) throw new TypeError("Cannot scan: no host was named");
  signal?.throwIfAborted();
  const targets = await resolveTargets(names, limits.maxHosts, options);
  signal?.throwIfAborted();
  const job = createJob(targets, ports, limits);
  const total = job.outcomes.length;
  const found: OpenPort[] = [];
  const ending = new AbortController();
  const abort = () => ending.abort(signal?.reason);
  signal?.addEventListener("abort", abort);
  /** Tells the caller something; if that throws, the scan ends with it. */
  const tell = (what: () => void) => {
    try {
      what();
    } catch (error) {
      ending.abort(error);
    }
  };
  const onOpen = (port: OpenPort) => {
    found.push(port);
    tell(() => options.onOpen?.(openResult(port, targets, ports)));
  };
  const report = () =>
    tell(() => onProgress?.({ done: Atomics.load(job.counters, DONE), total, open: found.length }));
  const ticker = onProgress === undefined ? undefined : setInterval(report, PROGRESS_INTERVAL);
  report();
  try {
    ending.signal.throwIfAborted();
    await workOn(job, { signal: ending.signal, onOpen, useWorker: options.worker ?? true });
    report();
    ending.signal.throwIfAborted();
  } finally {
    clearInterval(ticker);
    signal?.removeEventListener("abort", abort);
  }
  return {
    hosts: targets.map((_, index) => new Host(index, targets, job, found)),
    probes: total,
    duration: performance.now() - startedAt,
  };
}

/** What {@linkcode workOn} needs besides the job. */
interface Work {
  signal: AbortSignal;
  onOpen: (port: OpenPort) => void;
  useWorker: boolean;
}

async function workOn(job: ScanJob, { signal, onOpen, useWorker }: Work): Promise<void> {
  const total = job.outcomes.length;
  const isLarge = total >= MIN_PROBES_FOR_HELPER && navigator.hardwareConcurrency > 1;
  const half = { ...job, concurrency: Math.max(1, job.concurrency >> 1) };
  const helper = useWorker && isLarge && job.concurrency > 1
    ? startHelper(half, onOpen)
    : undefined;
  let prober = new Prober(helper === undefined ? job : half, onOpen);
  const abort = () => {
    prober.stop();
    helper?.stop();
  };
  signal.addEventListener("abort", abort);
  try {
    await prober.run();
    await helper?.finished;
    signal.throwIfAborted();
    if (job.outcomes.includes(0)) { // the helper was lost with what it had taken
      job.counters[NEXT] = 0;
      prober = new Prober(job, onOpen);
      await prober.run();
      signal.throwIfAborted();
    }
  } finally {
    signal.removeEventListener("abort", abort);
    helper?.stop();
  }
}

function portsOf(ports: string | readonly number[] | undefined): number[] {
  if (ports === undefined) return defaultPorts();
  const list = typeof ports === "string" ? parsePorts(ports) : checkPorts(ports);
  if (list.length === 0) throw new TypeError("Cannot scan: no port was named");
  return list;
}

function createJob(
  targets: readonly Target[],
  ports: readonly number[],
  { timeout, retries, concurrency, banner }: ScanLimits,
): ScanJob {
  const total = targets.length * ports.length;
  if (total > MAX_PROBES) {
    throw new RangeError(
      `Cannot scan ${ports.length} ports of ${targets.length} hosts: the limit is ` +
        `${MAX_PROBES} probes`,
    );
  }
  return {
    ...{ timeout, retries, concurrency, banner },
    addresses: targets.map(({ address }) => address),
    ports,
    outcomes: new Uint8Array(new SharedArrayBuffer(total)),
    counters: new Int32Array(new SharedArrayBuffer(8)),
  };
}

/** What is common to all results of one port. */
function resultOf(
  index: number,
  targets: readonly Target[],
  ports: readonly number[],
  outcome: number,
): PortResult {
  const { name = "", address = "" } = targets[index % targets.length] ?? {};
  const port = ports[Math.floor(index / targets.length)] ?? 0;
  const [state, reason] = OUTCOMES[outcome] ?? ["filtered", "not asked"];
  return { host: name, address, port, state, reason, service: serviceName(port) };
}

function openResult(
  { index, latency, banner }: OpenPort,
  targets: readonly Target[],
  ports: readonly number[],
): PortResult {
  const said = banner?.length === 0 ? undefined : banner;
  return { ...resultOf(index, targets, ports, OPEN), latency, banner: said };
}

/** One host's part of the outcomes. */
class Host implements HostReport {
  readonly host: string;
  readonly address: string;
  readonly otherAddresses: readonly string[];
  readonly counts: Record<PortState, number> = { open: 0, closed: 0, filtered: 0 };
  readonly open: readonly PortResult[];
  readonly #place: number;
  readonly #targets: readonly Target[];
  readonly #job: ScanJob;

  constructor(place: number, targets: readonly Target[], job: ScanJob, found: readonly OpenPort[]) {
    const { name = "", address = "", otherAddresses = [] } = targets[place] ?? {};
    this.host = name;
    this.address = address;
    this.otherAddresses = otherAddresses;
    this.#place = place;
    this.#targets = targets;
    this.#job = job;
    this.open = found
      .filter(({ index }) => index % targets.length === place)
      .sort((a, b) => a.index - b.index)
      .map((port) => openResult(port, targets, job.ports));
    for (let index = place; index < job.outcomes.length; index += targets.length) {
      const [state] = OUTCOMES[job.outcomes[index] ?? 0] ?? ["filtered"];
      this.counts[state]++;
    }
  }

  *ports(state?: PortState): Generator<PortResult> {
    const open = this.open[Symbol.iterator]();
    const { outcomes, ports } = this.#job;
    for (let index = this.#place; index < outcomes.length; index += this.#targets.length) {
      const outcome = outcomes[index] ?? 0;
      const [found] = OUTCOMES[outcome] ?? [];
      const result = outcome === OPEN ? open.next().value : undefined;
      if (state !== undefined && state !== found) continue;
      yield result ?? resultOf(index, this.#targets, ports, outcome);
    }
  }
}
