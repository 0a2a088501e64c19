/**
 * A line-framed TCP echo beside the plain byte echo and Node's net with split2, all in one run.
 *
 *     deno run -A bench/framed_bench.ts [--rounds 5] [--seconds 2]
 *
 * The plain byte echo does not look for lines at all: it is the ceiling, not a rival.
 */
import {
  buildLoad,
  compareEcho,
  denoSubject,
  isInstalled,
  type Load,
  nodeSubjectWith,
  type Subject,
} from "./_harness.ts";
import { parseArgs } from "@std/cli/parse-args";

const LOADS: Load[] = [
  { name: "64 B lines x 50 connections", connections: 50, bytes: 64, inFlight: 1 },
  { name: "64 B lines x 50 connections, 64 in flight", connections: 50, bytes: 64, inFlight: 64 },
];

const flags = parseArgs(Deno.args, { string: ["rounds", "seconds"] });
const rounds = Number(flags.rounds ?? 5);
const seconds = Number(flags.seconds ?? 2);

const subjects: Subject[] = [
  denoSubject("plain byte echo", "plain_loop.ts"),
  denoSubject("framed, message by message", "framed_messages.ts"),
  denoSubject("framed, batches()", "framed_batches.ts"),
];
if (await isInstalled("node")) {
  subjects.push(await nodeSubjectWith("Node net + split2", "node_split2.mjs", ["split2@4"]));
}

const program = await buildLoad();
for (const load of LOADS) await compareEcho({ program, subjects, load, rounds, seconds });
await Deno.remove(program);
