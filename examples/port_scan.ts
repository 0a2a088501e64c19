/**
 * Which ports of a host are open, closed or filtered, found out by connecting to them.
 *
 *     deno run -A examples/port_scan.ts 127.0.0.1                       # the usual ports
 *     deno run -A examples/port_scan.ts 127.0.0.1 --ports - --banner    # all of them, and what they say
 *     deno run -A examples/port_scan.ts example.com --ports 1-1024,8080 --json
 *
 * Needs --allow-net; with --allow-read, too, large scans run in two threads.
 */
import {
  type HostReport,
  type PortResult,
  type ScanOptions,
  scanPorts,
  type ScanProgress,
  type ScanReport,
} from "../apps/scan/mod.ts";
import {
  abortOnInterrupt,
  printData,
  type Program,
  type ProgramArguments,
  readCount,
  runProgram,
  statusLine,
  UsageError,
} from "../terminal/program.ts";
import { escapeText, jsonLine } from "../common/escape.ts";
import { escapeBytes } from "../common/escape_bytes.ts";

const HELP = `Finds out which ports are open, closed or filtered, by connecting to them.

Usage: port_scan.ts HOST… [options]

HOST is an address, a name, or a range such as 192.168.1.0/24. Scan your own
machines, and others only if their owners agree.

Options:
  --ports LIST        ports, ranges and services: 22,80,8000-8100 or ssh,https;
                      - for all (default: 1-1024 and well-known higher ones)
  --banner            show what open ports say by themselves
  --open              list open ports only
  --all               list every port. Otherwise closed and filtered ports are
                      listed if there are at most 25 of them on a host
  --json              one JSON object for each listed port, on lines
  --timeout MS        a port that does not answer in time is filtered (default 1000)
  --retries N         ask so often again within that time (default 1)
  --concurrency N     probes at one time (default 4096; fewer if need be)
  --family 4|6        scan the IPv4 or the IPv6 address of a name (default: IPv4
                      if there is one)
  --max-hosts N       addresses in one scan (default 256)
  --yes-i-may-scan-this
                      scan a range that is neither loopback nor private
  --help              show this text

Exits 0 also if nothing is open; 130 if it was interrupted.

Examples:
  port_scan.ts 127.0.0.1 --ports - --banner
  port_scan.ts db.example.com --ports 5432,6379 --json
  port_scan.ts 192.168.1.0/24 --ports ssh,http,https --open
`;

/** States with more ports than this are counted, not listed. */
const LONGEST_LIST = 25;

/** What it is called, understands and does. */
export const program: Program = {
  name: "port_scan.ts",
  help: HELP,
  string: ["ports", "timeout", "retries", "concurrency", "family", "max-hosts"],
  boolean: ["banner", "open", "all", "json", "yes-i-may-scan-this"],
  values: { family: ["4", "6"] },
  main: scan,
};

async function scan(args: ProgramArguments): Promise<void> {
  // Nobody sees these stacks, and 65,000 refusals would come with one each.
  Error.stackTraceLimit = 0;
  if (args.rest.length === 0) throw new UsageError("Nothing to scan: name a host");
  const found: PortResult[] = [];
  const status = statusLine();
  const interrupted = abortOnInterrupt();
  let progress: ScanProgress | undefined;
  const options: ScanOptions = {
    ...scanOptions(args),
    signal: interrupted,
    onOpen: (port) => found.push(port),
    onProgress(now) {
      progress = now;
      status.show(describe(now));
    },
  };
  try {
    const report = await scanPorts(args.rest, options);
    status.clear();
    await printData(args.flag("json") ? toJson(report, args) : toTable(report, args));
    for (const line of summary(report, args)) console.error(line);
  } catch (error) {
    status.clear();
    if (!interrupted.aborted) throw inWordsOfTheProgram(error);
    await printData(args.flag("json") ? found.map(portToJson).join("") : table(found));
    console.error(`interrupted${progress === undefined ? "" : ` at ${describe(progress)}`}`);
    Deno.exit(130);
  }
}

function scanOptions(args: ProgramArguments): ScanOptions {
  const options: ScanOptions = {
    banner: args.flag("banner"),
    allowPublicRanges: args.flag("yes-i-may-scan-this"),
  };
  const ports = args.text("ports");
  if (ports !== undefined) options.ports = ports;
  const maxHosts = readCount(args, "max-hosts", 1);
  if (maxHosts !== undefined) options.maxHosts = maxHosts;
  const family = readCount(args, "family");
  if (family === 4 || family === 6) options.family = family;
  else if (family !== undefined) {
    throw new UsageError(`Option --family must be 4 or 6, current value is "${family}"`);
  }
  const timeout = readCount(args, "timeout", 1);
  if (timeout !== undefined) options.timeout = timeout;
  const retries = readCount(args, "retries");
  if (retries !== undefined) options.retries = retries;
  const concurrency = readCount(args, "concurrency", 1);
  if (concurrency !== undefined) options.concurrency = concurrency;
  return options;
}

/** Wrong arguments are wrong usage. */
function inWordsOfTheProgram(error: unknown): unknown {
  if (!(error instanceof TypeError || error instanceof RangeError)) return error;
  return new UsageError(
    error.message
      .replace('option "allowPublicRanges"', "--yes-i-may-scan-this")
      .replace('option "maxHosts"', "--max-hosts"),
  );
}

function describe({ done, total, open }: ScanProgress): string {
  return `${Math.floor(done / total * 100)} % of ${total} ports, ${open} open`;
}

/** The ports of a host that are worth a line each. */
function listed(host: HostReport, args: ProgramArguments): PortResult[] {
  if (args.flag("open")) return [...host.open];
  if (args.flag("all")) return [...host.ports()];
  const isShort = (state: PortResult["state"]) =>
    state === "open" || host.counts[state] <= LONGEST_LIST;
  if (!isShort("closed") && !isShort("filtered")) return [...host.open];
  return [...host.ports()].filter(({ state }) => isShort(state));
}

function toJson(report: ScanReport, args: ProgramArguments): string {
  return report.hosts.map((host) => listed(host, args).map(portToJson).join("")).join("");
}

function portToJson({ latency, banner, ...port }: PortResult): string {
  return jsonLine({
    ...port,
    ...(latency === undefined ? {} : { latency: Number(latency.toFixed(3)) }),
    ...(banner === undefined ? {} : { banner: bannerText(banner) }),
  });
}

function toTable(report: ScanReport, args: ProgramArguments): string {
  if (report.hosts.length === 1) {
    return report.hosts.map((host) => table(listed(host, args))).join("");
  }
  return report.hosts
    .filter((host) => host.open.length > 0 || args.flag("all"))
    .map((host) => `${nameOf(host)}\n${table(listed(host, args))}`)
    .join("\n");
}

function table(ports: readonly PortResult[]): string {
  if (ports.length === 0) return "";
  const rows = ports.map(({ port, state, reason, service = "", latency, banner }) => [
    String(port),
    state,
    service,
    latency === undefined ? "" : `${latency.toFixed(1)} ms`,
    banner === undefined ? (state === "filtered" ? `(${reason})` : "") : bannerText(banner),
  ]);
  const head = ["PORT", "STATE", "SERVICE", "LATENCY", "BANNER"];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0))
  );
  return [head, ...rows]
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd())
    .join("\n") + "\n";
}

/** What a port said, harmless to a terminal, without the line end that most of them send. */
function bannerText(banner: Uint8Array): string {
  return escapeBytes(banner).replace(/(\\r)?\\n$/, "");
}

function nameOf({ host, address, otherAddresses }: HostReport): string {
  const others = otherAddresses.length === 0 ? "" : `, not scanned: ${otherAddresses.join(" ")}`;
  return host === address ? address : `${address} (${escapeText(host)}${others})`;
}

function* summary(report: ScanReport, args: ProgramArguments): Generator<string> {
  const silent = report.hosts.filter((host) => host.open.length === 0);
  for (const host of report.hosts.length === 1 ? report.hosts : []) {
    const { open, closed, filtered } = host.counts;
    yield `${nameOf(host)}: ${open} open, ${closed} closed, ${filtered} filtered${why(host)} in ${
      (report.duration / 1_000).toFixed(2)
    } s`;
  }
  if (report.hosts.length === 1) return;
  if (silent.length > 0 && !args.flag("all")) yield `nothing open on ${silent.length} hosts`;
  yield `${report.probes} ports of ${report.hosts.length} hosts in ${
    (report.duration / 1_000).toFixed(2)
  } s`;
}

/** Why ports are filtered, if it is not just silence. */
function why(host: HostReport): string {
  if (host.counts.filtered === 0) return "";
  const reasons = new Set<string>();
  for (const { reason } of host.ports("filtered")) reasons.add(reason);
  return ` (${[...reasons].join(", ")})`;
}

if (import.meta.main) await runProgram(program);
