/**
 * Which ports of a host are open, found out by connecting to them.
 *
 *     deno run -A examples/minimal/port_scan.ts 127.0.0.1 --ports 1-1024,8080
 */
import { parseArgs } from "@std/cli/parse-args";
import { scanPorts } from "@tincan/net/scan";

const { ports = "1-1024", _: hosts } = parseArgs(Deno.args, { string: ["ports", "_"] });

const report = await scanPorts(hosts.map(String), { ports: String(ports) });
for (const { address, open, counts } of report.hosts) {
  for (const { port, service } of open) console.log(address, port, service ?? "");
  console.log(`${counts.closed} closed, ${counts.filtered} filtered`);
}
