/**
 * Runs every benchmark, one after the other, and writes docs/benchmarks.md from what they find.
 *
 *     deno task bench                     # about eighteen minutes, on a machine that is quiet
 *     deno task bench --quick             # about three minutes: only to see that everything works
 *     deno task bench --output /tmp/here  # into another folder than docs/
 *     deno task bench --render            # writes the page again from the last run
 */
import { parseArgs } from "@std/cli/parse-args";
import { RESULTS } from "./_harness.ts";
import { describeMachine } from "./_machine.ts";
import { renderPage, sortNames } from "./_page.ts";
import { plot } from "./_plot.ts";
import type { Bench, Run, Table } from "./_record.ts";

const here = new URL(".", import.meta.url);

/** With what each is run, so that all of it takes less than twenty minutes; others run with their defaults. */
const ARGS: Readonly<Record<string, string[]>> = {
  tcp: ["--rounds", "5", "--seconds", "1.2"],
  framed: ["--rounds", "5", "--seconds", "1.5"],
  flood: ["--rounds", "3", "--seconds", "2"],
  udp: ["--rounds", "7", "--seconds", "0.8"],
  chat: ["--rounds", "3"],
  files: ["--rounds", "5"],
  relay: ["--rounds", "5", "--seconds", "1.5"],
};

/** For a look: each takes those of them that it knows. */
const QUICK_ARGS = [
  ...["--rounds", "1", "--seconds", "0.2", "--members", "10"],
  ...["--size", "64", "--megabytes", "64"],
];

const flags = parseArgs(Deno.args, {
  string: ["output"],
  boolean: ["quick", "render"],
  unknown(arg) {
    console.error(`Unknown argument ${arg}: expected --quick, --render or --output FOLDER`);
    Deno.exit(2);
  },
});
const folder = (flags.output as string | undefined) ?? new URL("../docs", here).pathname;
const record = `${folder}/benchmarks/run.json`;

if (flags.render !== true) {
  const run = await measureAll(flags.quick === true);
  await Deno.mkdir(`${folder}/benchmarks`, { recursive: true });
  await Deno.writeTextFile(record, JSON.stringify(run, null, 2));
}
await writePage(JSON.parse(await Deno.readTextFile(record)));

/** Runs what there is in this folder. Nothing is written if any of it fails. */
async function measureAll(quick: boolean): Promise<Run> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(here)) {
    const [, found] = /^(\w+)_bench\.ts$/.exec(name) ?? [];
    if (found !== undefined) names.push(found);
  }
  const start = performance.now();
  const benches: Bench[] = [];
  for (const name of sortNames(names)) {
    console.error(`\n--- ${name}, after ${minutesSince(start)} minutes`);
    benches.push(await measure(name, quick ? QUICK_ARGS : ARGS[name] ?? []));
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    quick,
    minutes: minutesSince(start),
    machine: await describeMachine(),
    benches,
  };
}

async function measure(name: string, args: string[]): Promise<Bench> {
  const file = await Deno.makeTempFile({ prefix: "tincan_bench_" });
  const script = new URL(`${name}_bench.ts`, here).pathname;
  try {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", script, ...args],
      env: { [RESULTS]: file },
    }).spawn().status;
    if (code !== 0) {
      console.error(`Cannot write the page: bench/${name}_bench.ts ended with ${code}`);
      Deno.exit(1);
    }
    const lines = (await Deno.readTextFile(file)).trim().split("\n");
    const tables = lines.map((line): Table => JSON.parse(line));
    return { name, args, about: aboutOf(await Deno.readTextFile(script)), tables };
  } finally {
    await Deno.remove(file);
  }
}

/** The comment that a program begins with, without its command. */
function aboutOf(source: string): string {
  const comment = /^\/\*\*\n(.*?)\n \*\//s.exec(source)?.[1] ?? "";
  const lines = comment.split("\n").map((line) => line.replace(/^ \* ?/, ""));
  return lines.filter((line) => !line.startsWith("    ")).join("\n").replaceAll(/\n{3,}/g, "\n\n");
}

async function writePage(run: Run): Promise<void> {
  const files = [record, `${folder}/benchmarks.md`];
  await Deno.writeTextFile(`${folder}/benchmarks.md`, renderPage(run));
  for (const bench of run.benches) {
    const path = `${folder}/benchmarks/${bench.name}.svg`;
    await Deno.writeTextFile(path, plot(bench));
    files.push(path);
  }
  const config = `--config=${new URL("../deno.json", here).pathname}`;
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", config, ...files],
  }).spawn().status;
  if (code !== 0) Deno.exit(1);
  console.error(`written: ${folder}/benchmarks.md`);
}

function minutesSince(start: number): number {
  return Math.round((performance.now() - start) / 6_000) / 10;
}
