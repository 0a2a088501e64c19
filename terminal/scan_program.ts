/** What the port scanner takes, and how it shows what it found. @module */
import type {
  HostReport,
  PortResult,
  ScanOptions,
  ScanProgress,
  ScanReport,
} from "../apps/scan/mod.ts";
import { escapeBytes } from "../common/escape_bytes.ts";
import { escapeText, jsonLine } from "../common/escape.ts";
import { operands, section, setting, toggle, UsageError } from "./arguments.ts";
import type { ProgramDescription, Values } from "./program.ts";
import { count, oneOf, seconds, text } from "./values.ts";

/** States with more ports than this are counted, not listed. */
const LONGEST_LIST = 25;

const fields = {
  ...section("Arguments", {
    hosts: operands(text("HOST"), "an address, a name, or a range such as 192.168.1.0/24"),
  }),
  ...section("What to scan", {
    ports: setting("--ports", text("LIST"), "22,80,8000-8100 or ssh,https; - for all"),
    family: setting("--family", oneOf(["4", "6"], "4|6"), "which address of a name (default 4)"),
    maxHosts: setting("--max-hosts", count(1), "addresses in one scan (default 256)"),
    mayScan: toggle("--yes-i-may-scan-this", "scan a range that is neither loopback nor private"),
  }),
  ...section("How to scan", {
    timeout: setting("--timeout", seconds(), "without an answer a port is filtered (default 1)"),
    retries: setting("--retries", count(), "repeat the probe so often in that time (default 1)"),
    concurrency: setting("--concurrency", count(1), "probes at one time (default 4096, or fewer)"),
  }),
  ...section("What to show", {
    banner: toggle("--banner", "show what open ports send first"),
    open: toggle("--open", "list open ports only"),
    all: toggle("--all", "list every port"),
    json: toggle("--json", "one JSON object for each listed port, on lines"),
  }),
};

/** What the program takes. */
export type ScanValues = Values<typeof fields>;

/** How the program is described, without what it does. */
export const scanProgram: Omit<ProgramDescription<typeof fields>, "main"> = {
  name: "port_scan.ts",
  summary: "Finds out which ports are open, closed or filtered, by connecting to them.",
  usage: ["HOST… [options]"],
  fields,
  notes:
    `Without --ports it scans 1-1024 and well-known higher ones. Closed and filtered ports are listed if
there are at most ${LONGEST_LIST} of them on a host, or with --all.

Scan your own machines, and others only if their owners agree.`,
  exitCodes: "0 scanned, also if nothing is open; 1 failed; 2 wrong usage; 130 interrupted",
  examples: [
    "$0 127.0.0.1 --ports - --banner",
    "$0 db.example.com --ports 5432,6379 --json",
    "$0 192.168.1.0/24 --ports ssh,http,https --open",
  ],
};

/** How the hosts are scanned. */
export function scanOptions(values: ScanValues): ScanOptions {
  const { banner, ports, maxHosts, family, timeout, retries, concurrency } = values;
  return {
    ...{ banner, ports, maxHosts, timeout, retries, concurrency },
    family: family === undefined ? undefined : family === "4" ? 4 : 6,
    allowPublicRanges: values.mayScan,
  };
}

/** What was found, in a table or as JSON. */
export function resultOf({ hosts }: ScanReport, values: ScanValues): string {
  if (values.json || hosts.length === 1) {
    return hosts.map((host) => portsAs(listed(host, values), values)).join("");
  }
  return hosts
    .filter((host) => host.open.length > 0 || values.all)
    .map((host) => `${nameOf(host)}\n${table(listed(host, values))}`)
    .join("\n");
}

/** Ports in a table or as JSON. */
export function portsAs(ports: readonly PortResult[], { json }: ScanValues): string {
  return json ? ports.map(portToJson).join("") : table(ports);
}

/** Wrong arguments are wrong usage. */
export function inWordsOfTheProgram(error: unknown): unknown {
  if (!(error instanceof TypeError || error instanceof RangeError)) return error;
  return new UsageError(
    error.message
      .replace('option "allowPublicRanges"', "--yes-i-may-scan-this")
      .replace('option "maxHosts"', "--max-hosts"),
  );
}

/** How far a scan is. */
export function describe({ done, total, open }: ScanProgress): string {
  return `${Math.floor(done / total * 100)} % of ${total} ports, ${open} open`;
}

/** The ports of a host that are listed. */
function listed(host: HostReport, values: ScanValues): PortResult[] {
  if (values.open) return [...host.open];
  if (values.all) return [...host.ports()];
  const isShort = (state: PortResult["state"]) =>
    state === "open" || host.counts[state] <= LONGEST_LIST;
  if (!isShort("closed") && !isShort("filtered")) return [...host.open];
  return [...host.ports()].filter(({ state }) => isShort(state));
}

function portToJson({ latency, banner, ...port }: PortResult): string {
  return jsonLine({
    ...port,
    latency: latency && Number(latency.toFixed(3)),
    banner: banner && bannerText(banner),
  });
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

/** What a port sent, escaped for a terminal, without the line end that most of them send. */
function bannerText(banner: Uint8Array): string {
  return escapeBytes(banner).replace(/(\\r)?\\n$/, "");
}

function nameOf({ host, address, otherAddresses }: HostReport): string {
  const others = otherAddresses.length === 0 ? "" : `, not scanned: ${otherAddresses.join(" ")}`;
  return host === address ? address : `${address} (${escapeText(host)}${others})`;
}

/** What people are told in the end. */
export function* summary(report: ScanReport, values: ScanValues): Generator<string> {
  const time = `${(report.duration / 1_000).toFixed(2)} s`;
  const [first, ...others] = report.hosts;
  if (first !== undefined && others.length === 0) {
    const { open, closed, filtered } = first.counts;
    const counts = `${open} open, ${closed} closed, ${filtered} filtered${why(first)}`;
    return yield `${nameOf(first)}: ${counts} in ${time}`;
  }
  const silent = report.hosts.filter((host) => host.open.length === 0).length;
  if (silent > 0 && !values.all) yield `nothing open on ${silent} hosts`;
  yield `${report.probes} ports of ${report.hosts.length} hosts in ${time}`;
}

/** Why ports are filtered, if it is not just silence. */
function why(host: HostReport): string {
  if (host.counts.filtered === 0) return "";
  const reasons = new Set<string>();
  for (const { reason } of host.ports("filtered")) reasons.add(reason);
  return ` (${[...reasons].join(", ")})`;
}
