/**
 * Measuring servers from outside: builds the load generator, starts servers, takes turns between
 * them, and prints medians beside their control.
 *
 * @module
 */

import type { Table } from "./_record.ts";

const here = new URL(".", import.meta.url);

/** The variable that names the file into which tables go besides the screen; children inherit it. */
export const RESULTS = "TINCAN_BENCH_RESULTS";

/** A server to measure. */
export interface Subject {
  name: string;
  command: string;
  args: string[];
}

/** A subject that is running. */
export interface Running extends AsyncDisposable {
  name: string;
  port: number;
  pid: number;
}

/** What one run of load found. */
export interface EchoResult {
  /** Messages that came back per second. */
  rate: number;
  /** Messages of the least served connection, as a part of the most served one's. */
  fairness: number;
  /** Microseconds of processor time the server took for one message; NaN where unknown. */
  cost: number;
}

/** One kind of load. */
export interface Load {
  name: string;
  connections: number;
  bytes: number;
  inFlight: number;
}

/** A script run by this runtime. */
export function denoSubject(name: string, script: string, ...args: string[]): Subject {
  const path = new URL(`servers/${script}`, here).pathname;
  return { name, command: Deno.execPath(), args: ["run", "-A", "--unstable-net", path, ...args] };
}

/** A script run by Node, if there is one. */
export function nodeSubject(name: string, script: string): Subject {
  return { name, command: "node", args: [new URL(`servers/${script}`, here).pathname] };
}

/** Whether a command can be run here. */
export async function isInstalled(command: string): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: ["--version"], stdout: "null" }).output())
      .success;
  } catch {
    return false;
  }
}

/** Compiles a load generator into a temporary file. */
export async function buildLoad(
  source: "load.c" | "udp_load.c" | "flood_load.c" = "load.c",
): Promise<string> {
  const program = await Deno.makeTempFile({ prefix: "tincan_load_" });
  const args = ["-O2", "-o", program, new URL(source, here).pathname];
  const { success } = await new Deno.Command("cc", { args }).output();
  if (!success) throw new Error(`Cannot build bench/${source}: a C compiler named cc is needed`);
  return program;
}

/** A script run by Node with packages from npm, installed into a temporary folder. */
export async function nodeSubjectWith(
  name: string,
  script: string,
  packages: string[],
): Promise<Subject> {
  const folder = await Deno.makeTempDir({ prefix: "tincan_node_" });
  await Deno.copyFile(new URL(`servers/${script}`, here), `${folder}/${script}`);
  await Deno.writeTextFile(`${folder}/package.json`, '{ "private": true }');
  const args = ["install", "--no-audit", "--no-fund", "--silent", ...packages];
  const { success } = await new Deno.Command("npm", { args, cwd: folder }).output();
  if (!success) throw new Error(`Cannot install ${packages.join(", ")} with npm`);
  return { name, command: "node", args: [`${folder}/${script}`] };
}

/** A program in Go, compiled into a temporary file; `undefined` where there is no Go. */
export async function goSubject(name: string, script: string): Promise<Subject | undefined> {
  const program = await Deno.makeTempFile({ prefix: "tincan_go_" });
  const args = ["build", "-o", program, new URL(`servers/${script}`, here).pathname];
  try {
    const { success } = await new Deno.Command("go", { args, stderr: "inherit" }).output();
    if (success) return { name, command: program, args: [] };
  } catch {
    // There is none.
  }
  await Deno.remove(program);
  return undefined;
}

/** Starts a server and waits for the port that it prints on the first line of its output. */
export async function start(subject: Subject): Promise<Running> {
  const child = new Deno.Command(subject.command, {
    args: subject.args,
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${subject.name} ended before it listened`);
    text += new TextDecoder().decode(value);
  }
  return {
    name: subject.name,
    port: Number(text),
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    },
  };
}

/** Processor time a process has used, in seconds (proc(5)); NaN where there is no /proc. */
async function processorTime(pid: number): Promise<number> {
  try {
    const fields = (await Deno.readTextFile(`/proc/${pid}/stat`)).split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return NaN;
  }
}

/** Resident memory of a process in bytes; NaN where there is no /proc. */
export async function residentMemory(pid: number): Promise<number> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
  } catch {
    return NaN;
  }
}

/** Loads one server for some seconds. */
export async function measureEcho(
  program: string,
  server: Running,
  load: Load,
  seconds: number,
): Promise<EchoResult> {
  const { connections, bytes, inFlight } = load;
  const args = ["echo", server.port, connections, bytes, inFlight, seconds].map(String);
  const before = await processorTime(server.pid);
  const { success, stdout } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(`${server.name} failed under ${load.name}`);
  const used = await processorTime(server.pid) - before;
  const result = JSON.parse(new TextDecoder().decode(stdout));
  return {
    rate: result.messages / result.seconds,
    fairness: result.most === 0 ? 0 : result.least / result.most,
    cost: used * 1e6 / result.messages,
  };
}

/** The middle of some numbers. */
export function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle] ?? NaN
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/**
 * Prints rows under a heading, columns aligned. The first row is the control, the first column of
 * figures is the one that is plotted.
 */
export function printTable(
  title: string,
  head: string[],
  rows: string[][],
  options: { lessIsBetter?: boolean } = {},
): void {
  const file = Deno.env.get(RESULTS);
  if (file !== undefined) {
    const table: Table = { title, head, rows, lessIsBetter: options.lessIsBetter ?? false };
    Deno.writeTextFileSync(file, `${JSON.stringify(table)}\n`, { append: true, create: true });
  }
  const widths = head.map((word, column) =>
    Math.max(word.length, ...rows.map((row) => row[column]?.length ?? 0))
  );
  const line = (cells: string[]) =>
    cells.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)
    ).join("  ");
  console.log(`\n${title}\n${line(head)}`);
  for (const row of rows) console.log(line(row));
}

/** What to compare: the first subject is the control. */
export interface Comparison {
  program: string;
  subjects: Subject[];
  load: Load;
  rounds: number;
  seconds: number;
}

/** Runs one load against every subject in turn, round after round, and prints the medians. */
export async function compareEcho(comparison: Comparison): Promise<void> {
  const { program, subjects, load, rounds, seconds } = comparison;
  const running: Running[] = [];
  const results = new Map<string, EchoResult[]>();
  for (const subject of subjects) running.push(await start(subject));
  for (const server of running) await measureEcho(program, server, load, seconds / 4); // warm up
  for (let round = 0; round < rounds; round++) {
    for (const server of running) {
      const result = await measureEcho(program, server, load, seconds);
      results.set(server.name, [...results.get(server.name) ?? [], result]);
    }
  }
  for (const server of running) await server[Symbol.asyncDispose]();
  const control = results.get(subjects[0]?.name ?? "") ?? [];
  const rows = subjects.map(({ name }) => {
    const own = results.get(name) ?? [];
    // Pair by pair within a round: neighbours in time are comparable.
    const ratios = own.map(({ rate }, round) => rate / (control[round]?.rate ?? NaN));
    return [
      name,
      median(own.map(({ rate }) => rate)).toFixed(0),
      median(ratios).toFixed(2),
      median(own.map(({ fairness }) => fairness)).toFixed(2),
      median(own.map(({ cost }) => cost)).toFixed(2),
    ];
  });
  printTable(load.name, [
    "server",
    "messages/s",
    "of the first",
    "least/most",
    "CPU us/message",
  ], rows);
}
