/**
 * What one client that sends empty lines as fast as they are taken makes another client of the same
 * server wait: an echo of lines by tincan beside a plain Deno loop, Go and Node, in turns.
 *
 *     deno run -A bench/flood_bench.ts [--rounds 3] [--seconds 3]
 *
 * The other client sends a line, waits for its answer and pauses 5 ms. Its waits are of all rounds; how
 * many lines a server takes in is the flood's own count. A server that takes in many lines and lets the
 * other client wait has not been made for more than one.
 */
import {
  buildLoad,
  denoSubject,
  goSubject,
  isInstalled,
  median,
  nodeSubject,
  nodeSubjectWith,
  printTable,
  start,
  type Subject,
} from "./_harness.ts";
import { parseArgs } from "@std/cli/parse-args";

/** How long a flood goes on before the other client comes, in milliseconds. */
const HEAD_START = 500;

const flags = parseArgs(Deno.args, { string: ["rounds", "seconds"] });
const rounds = Number(flags.rounds ?? 3);
const seconds = Number(flags.seconds ?? 3);

const GO = "Go, bufio and goroutines";
const subjects: Subject[] = [
  denoSubject("plain Deno loop, split", "lines_plain.ts"),
  denoSubject("framed, message by message", "framed_messages.ts"),
  denoSubject("framed, batches()", "framed_batches.ts"),
  denoSubject("readLine", "lines_read_line.ts"),
];
if (await isInstalled("node")) {
  subjects.push(nodeSubject("Node net + readline", "lines_readline.mjs"));
  subjects.push(await nodeSubjectWith("Node net + split2", "node_split2.mjs", ["split2@4"]));
}
const go = await goSubject(GO, "lines_go.go");
if (go !== undefined) subjects.push(go);

const program = await buildLoad("flood_load.c");
const waits = new Map<string, number[]>();
const rates = new Map<string, number[]>();
for (let round = 0; round < rounds; round++) {
  for (const subject of subjects) {
    const { waited, rate } = await measure(subject);
    waits.set(subject.name, [...waits.get(subject.name) ?? [], ...waited]);
    rates.set(subject.name, [...rates.get(subject.name) ?? [], rate]);
  }
}
const rows = subjects.map(({ name }) => {
  const waited = waits.get(name) ?? [];
  const rate = median(rates.get(name) ?? []) / 1e6;
  return [name, median(waited).toFixed(2), Math.max(...waited).toFixed(1), rate.toFixed(2)];
});
if (go === undefined) rows.push([`${GO}: not installed`, "", "", ""]);
printTable(
  "A line and its answer beside one flood of empty lines",
  ["server", "median wait, ms", "longest wait, ms", "million lines/s taken from the flood"],
  rows,
  { lessIsBetter: true },
);
await Deno.remove(program);
if (go !== undefined) await Deno.remove(go.command);

/** Floods a new server for some seconds, and lets another client ask it meanwhile. */
async function measure(subject: Subject): Promise<{ waited: number[]; rate: number }> {
  await using server = await start(subject);
  const flooding = run("flood", server.port, seconds + HEAD_START / 1000);
  await new Promise((resolve) => setTimeout(resolve, HEAD_START));
  const asked = await run("ask", server.port, seconds);
  const flooded: { lines: number; seconds: number } = JSON.parse(await flooding);
  return {
    waited: asked.trim().split("\n").map(Number),
    rate: flooded.lines / flooded.seconds,
  };
}

async function run(role: "flood" | "ask", port: number, time: number): Promise<string> {
  const { success, stdout } = await new Deno.Command(program, {
    args: [role, `${port}`, `${time}`],
  }).output();
  if (!success) throw new Error(`Cannot ${role} port ${port}`);
  return new TextDecoder().decode(stdout);
}
