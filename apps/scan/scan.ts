/**
 * Scanning by connecting.
 *
 * @module
 */
import { DONE, meaningOf, NEXT, OPEN, type OpenPort, type ScanJob } from "./_job.ts";
import { Prober } from "./_prober.ts";
import { startHelper } from "./_worker.ts";
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
  const { signal, onOpen, onProgress, worker = true } = options;
  const startedAt = performance.now();
  const limits = resolveOptions(options);
  const ports = portsOf(options.ports);
  const names = typeof hosts === "string" ? [hosts] : hosts;
  if (names.length === 0) throw new TypeError("Cannot scan: no host was named");
  signal?.throwIfAborted();
  const targets = await resolveTargets(names, options);
  const job = createJob(targets, ports, limits);
  const total = job.outcomes.length;
  const found: OpenPort[] = [];
  const failing = new AbortController();
  const ending = AbortSignal.any(
    signal === undefined ? [failing.signal] : [failing.signal, signal],
  );
  /** Tells the caller something; if that throws, the scan ends with it. */
  const tell = (what: () => void) => {
    try {
      what();
    } catch (error) {
      failing.abort(error);
    }
  };
  const report = () =>
    tell(() => onProgress?.({ done: Atomics.load(job.counters, DONE), total, open: found.length }));
  const ticker = onProgress === undefined ? undefined : setInterval(report, PROGRESS_INTERVAL);
  report();
  try {
    await workOn(job, worker, ending, (port) => {
      found.push(port);
      tell(() => onOpen?.(openResult(port, targets, ports)));
    });
    report();
    ending.throwIfAborted();
  } finally {
    clearInterval(ticker);
  }
  found.sort((a, b) => a.index - b.index);
  return {
    hosts: targets.map((_, place) => hostReport(place, targets, job, found)),
    probes: total,
    duration: performance.now() - startedAt,
  };
}

async function workOn(
  job: ScanJob,
  useWorker: boolean,
  signal: AbortSignal,
  onOpen: (port: OpenPort) => void,
): Promise<void> {
  signal.throwIfAborted();
  const isLarge = job.outcomes.length >= MIN_PROBES_FOR_HELPER && job.concurrency > 1;
  const half = { ...job, concurrency: Math.floor(job.concurrency / 2) };
  const helper = useWorker && isLarge && navigator.hardwareConcurrency > 1
    ? startHelper(half, onOpen)
    : undefined;
  let prober = new Prober(helper === undefined ? job : half, onOpen);
  signal.addEventListener("abort", () => {
    prober.stop();
    helper?.stop();
  });
  try {
    await prober.run();
    await helper?.finished;
  } finally {
    helper?.stop();
  }
  signal.throwIfAborted();
  if (!job.outcomes.includes(0)) return;
  job.counters[NEXT] = 0; // the helper was lost with what it had taken
  prober = new Prober(job, onOpen);
  await prober.run();
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
  limits: ScanLimits,
): ScanJob {
  const total = targets.length * ports.length;
  if (total > MAX_PROBES) {
    throw new RangeError(
      `Cannot scan ${ports.length} ports of ${targets.length} hosts: the limit is ` +
        `${MAX_PROBES} probes`,
    );
  }
  return {
    ...limits,
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
  const { name: host, address } = targets[index % targets.length] as Target;
  const port = ports[Math.floor(index / targets.length)] as number;
  return { host, address, port, ...meaningOf(outcome), service: serviceName(port) };
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
function hostReport(
  place: number,
  targets: readonly Target[],
  { outcomes, ports }: ScanJob,
  found: readonly OpenPort[],
): HostReport {
  const { name: host, address, otherAddresses } = targets[place] as Target;
  const open = found
    .filter(({ index }) => index % targets.length === place)
    .map((port) => openResult(port, targets, ports));
  const counts: Record<PortState, number> = { open: 0, closed: 0, filtered: 0 };
  for (let index = place; index < outcomes.length; index += targets.length) {
    counts[meaningOf(outcomes[index] as number).state]++;
  }
  return {
    ...{ host, address, otherAddresses, counts, open },
    *ports(state) {
      const results = open[Symbol.iterator]();
      for (let index = place; index < outcomes.length; index += targets.length) {
        const outcome = outcomes[index] as number;
        const result = outcome === OPEN ? results.next().value : undefined;
        if (state !== undefined && state !== meaningOf(outcome).state) continue;
        yield result ?? resultOf(index, targets, ports, outcome);
      }
    },
  };
}
