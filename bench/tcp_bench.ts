/**
 * TCP echo beside its controls, all in one run: the plain Deno loop and Node's net.
 *
 *     deno run -A bench/tcp_bench.ts [--rounds 5] [--seconds 2]
 *
 * Every load is run against every server in turn, round after round, so that a machine whose speed
 * drifts does not favour one of them. Medians are shown; only the ratios mean anything elsewhere.
 */
import {
  buildLoad,
  compareEcho,
  denoSubject,
  isInstalled,
  type Load,
  nodeSubject,
  printTable,
  residentMemory,
  start,
  type Subject,
} from "./_harness.ts";
import { parseArgs } from "@std/cli/parse-args";

const LOADS: Load[] = [
  { name: "64 B x 50 connections", connections: 50, bytes: 64, inFlight: 1 },
  { name: "64 B x 256 connections", connections: 256, bytes: 64, inFlight: 1 },
  { name: "64 B x 1000 connections", connections: 1000, bytes: 64, inFlight: 1 },
  { name: "64 B x 50 connections, 64 in flight", connections: 50, bytes: 64, inFlight: 64 },
  { name: "16 KiB x 50 connections", connections: 50, bytes: 16_384, inFlight: 1 },
];
const IDLE_CONNECTIONS = 10_000;

const flags = parseArgs(Deno.args, { string: ["rounds", "seconds"] });
const rounds = Number(flags.rounds ?? 5);
const seconds = Number(flags.seconds ?? 2);

const subjects: Subject[] = [
  denoSubject("plain Deno loop", "plain_loop.ts"),
  denoSubject("serveTcp, read", "tincan_read.ts"),
  denoSubject("serveTcp, echoHandler", "tincan_echo.ts"),
  denoSubject("serveTcp, for await", "tincan_iterate.ts"),
];
if (await isInstalled("node")) subjects.push(nodeSubject("Node net", "node_net.mjs"));

const load = await buildLoad();
for (const kind of LOADS) {
  await compareEcho({ program: load, subjects, load: kind, rounds, seconds });
}
await compareMemory();
await Deno.remove(load);

async function compareMemory(): Promise<void> {
  const rows: string[][] = [];
  const all = [
    denoSubject("plain Deno loop, 256 B buffer", "plain_loop.ts", "256"),
    denoSubject("plain Deno loop, 64 KiB buffer", "plain_loop.ts"),
    ...subjects.slice(2),
  ];
  for (const subject of all) {
    await using server = await start(subject);
    const before = await residentMemory(server.pid);
    const child = new Deno.Command(load, {
      args: ["hold", String(server.port), String(IDLE_CONNECTIONS)],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read(); // it says when all are open
    const after = await residentMemory(server.pid);
    rows.push([subject.name, ((after - before) / IDLE_CONNECTIONS).toFixed(0)]);
    await child.stdin.close();
    await reader.cancel();
    await child.status;
  }
  printTable(`${IDLE_CONNECTIONS} idle connections`, ["server", "bytes each"], rows, {
    lessIsBetter: true,
  });
}
