/**
 * Which ports of a host are open, closed or filtered, found out by connecting to them.
 *
 *     deno run -A examples/port_scan.ts 127.0.0.1                       # the usual ports
 *     deno run -A examples/port_scan.ts 127.0.0.1 --ports - --banner    # all of them, and what they say
 *     deno run -A examples/port_scan.ts example.com --ports 1-1024,8080 --json
 *
 * Needs --allow-net; with --allow-read, too, large scans run in two threads. The shortest form is
 * examples/minimal/port_scan.ts.
 */
import { type PortResult, scanPorts, type ScanProgress } from "../apps/scan/mod.ts";
import {
  abortOnInterrupt,
  defineProgram,
  printData,
  runProgram,
  statusLine,
  UsageError,
} from "../terminal/program.ts";
import {
  describe,
  inWordsOfTheProgram,
  portsAs,
  resultOf,
  scanOptions,
  scanProgram,
  type ScanValues,
  summary,
} from "../terminal/scan_program.ts";

async function scan(values: ScanValues): Promise<void> {
  // No one sees these stacks, and 65,000 refusals would come with one each.
  Error.stackTraceLimit = 0;
  if (values.hosts.length === 0) throw new UsageError("Nothing to scan: name a host");
  const found: PortResult[] = [];
  const status = statusLine();
  const interrupted = abortOnInterrupt();
  let progress: ScanProgress | undefined;
  try {
    const report = await scanPorts([...values.hosts], {
      ...scanOptions(values),
      signal: interrupted,
      onOpen: (port) => found.push(port),
      onProgress(now) {
        progress = now;
        status.show(describe(now));
      },
    });
    status.clear();
    await printData(resultOf(report, values));
    for (const line of summary(report, values)) console.error(line);
  } catch (error) {
    status.clear();
    if (!interrupted.aborted) throw inWordsOfTheProgram(error);
    await printData(portsAs(found, values));
    console.error(`interrupted${progress === undefined ? "" : ` at ${describe(progress)}`}`);
    Deno.exit(130);
  }
}

/** What it is called, takes and does. */
export const program = defineProgram({ ...scanProgram, main: scan });

if (import.meta.main) await runProgram(program);
