/**
 * Finding out which ports are open, closed or filtered, by connecting to them.
 *
 * @example Which of these ports are open on this machine?
 * ```ts
 * import { scanPorts } from "@tincan/net/scan";
 *
 * const { hosts } = await scanPorts("127.0.0.1", { ports: "22,80,8000-8100" });
 * for (const { address, open, counts } of hosts) {
 *   console.log(address, open.map(({ port }) => port), counts);
 * }
 * ```
 *
 * @module
 */
export type { ScanOptions, ScanProgress } from "./options.ts";
export type { HostReport, PortResult, PortState, ScanReport } from "./report.ts";
export { scanPorts } from "./scan.ts";
