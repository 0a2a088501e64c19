/**
 * Runs the tests: first those that may share the machine, several files at a time, then one after the
 * other those that measure it. Prints at the end what took how long, what failed, and what was left out.
 *
 *     deno task test                           # everything
 *     deno task test tests/tcp/read_test.ts    # this file; folders, too
 *     deno task test --filter "half-close"     # by name; the options are those of `deno test`
 *
 * @module
 */
import { delimiter, dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { leftOut, readReport, type Result, summary } from "./test_report.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/**
 * What measures time or memory, reads what the system counts for the whole process, or listens again and
 * again on one port: a child that another test starts holds all descriptors from its fork to its exec.
 */
const ALONE: readonly string[] = [
  "tests/apps/files/flood_test.ts",
  "tests/apps/files/get_test.ts",
  "tests/apps/files/pace_test.ts",
  "tests/apps/relay_flood_test.ts",
  "tests/soak/mixed_test.ts",
  "tests/tcp/fairness_test.ts",
  "tests/tcp/flood_test.ts",
  "tests/tcp/memory_test.ts",
  "tests/tcp/shutdown_test.ts",
  "tests/udp/flood_test.ts",
];

/** The longest begin first, so that nothing long is left over at the end. */
const FIRST: readonly string[] = [
  "tests/docs/pages_test.ts",
  "tests/package/consumer_test.ts",
  "tests/package/package_test.ts",
];

/** How many files run at a time: one more than processors, because most tests wait for a peer. */
const JOBS = navigator.hardwareConcurrency + 1;

/** Options of `deno test` whose value is a word of its own. */
const WITH_VALUE = ["--filter", "--reporter", "--seed"];

/** What ends this program ends `deno test`, which prints what was running. */
const SIGNALS: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];

/** What the command line asks for. */
interface Wish {
  /** Files, by their paths from the root. */
  readonly files: readonly string[];
  /** Options of `deno test`. */
  readonly options: readonly string[];
}

/** What runs now. */
const running = new Set<Deno.ChildProcess>();
let isInterrupted = false;

Deno.exitCode = await main(readArguments(Deno.args));

async function main(wish: Wish): Promise<number> {
  for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupt);
  const scratch = await Deno.makeTempDir({ prefix: "tincan_test_" });
  try {
    const begin = performance.now();
    const env = { ...await pathOfPython(), TINCAN_LEFT_OUT: `${scratch}/left_out` };
    const report = `${scratch}/report.xml`;
    const test = (files: readonly string[], jobs: number) =>
      runTests(files, { jobs, env, report, options: wish.options });
    const shared = wish.files.filter((file) => !ALONE.includes(file));
    const [types, first] = await Promise.all([checkTypes(wish), test(shared, JOBS)]);
    const second = await test(wish.files.filter((file) => ALONE.includes(file)), 1);
    if (isInterrupted) return 130;
    const seconds = (performance.now() - begin) / 1000;
    console.log(summary([...first.results, ...second.results], seconds));
    console.log(leftOut(await Deno.readTextFile(env.TINCAN_LEFT_OUT).catch(() => "")));
    if (!types.success) Deno.stderr.writeSync(types.stderr);
    return types.success && first.success && second.success ? 0 : 1;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

function readArguments(args: readonly string[]): Wish {
  const paths: string[] = [];
  const options: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string;
    if (!word.startsWith("-")) paths.push(word);
    else if (WITH_VALUE.includes(word)) options.push(word, args[++at] ?? "");
    else options.push(word);
  }
  const files = (paths.length > 0 ? paths : [`${ROOT}tests`]).flatMap(testsIn);
  const place = (file: string) => (FIRST.indexOf(file) + FIRST.length + 1) % (FIRST.length + 1);
  return { files: [...new Set(files)].sort((a, b) => place(a) - place(b)), options };
}

/** The test files at a path: itself, or what the folder holds. */
function testsIn(path: string): string[] {
  if (Deno.statSync(path).isFile) return [relative(ROOT, resolve(path)).replaceAll("\\", "/")];
  return [...Deno.readDirSync(path)].flatMap(({ name, isDirectory }) =>
    isDirectory || name.endsWith("_test.ts") ? testsIn(`${path}/${name}`) : []
  ).sort();
}

/** How `deno test` runs. */
interface TestOptions {
  /** How many files run at a time. */
  readonly jobs: number;
  readonly env: Record<string, string>;
  /** The file that it writes its report to. */
  readonly report: string;
  readonly options: readonly string[];
}

/** What came of some tests. */
interface Outcome {
  readonly success: boolean;
  readonly results: readonly Result[];
}

async function runTests(files: readonly string[], how: TestOptions): Promise<Outcome> {
  if (files.length === 0 || isInterrupted) return { success: true, results: [] };
  const { jobs, env, report, options } = how;
  const args = ["test", "--allow-all", "--no-check", "--v8-flags=--expose-gc"];
  if (jobs > 1 && files.length > 1) args.push("--parallel");
  args.push(`--junit-path=${report}`, ...options, ...files);
  const { success } = await run(args, { env: { ...env, DENO_JOBS: `${jobs}` } });
  const xml = await Deno.readTextFile(report).catch(() => ""); // none if it was interrupted
  return { success, results: readReport(xml) };
}

/** Checks types beside the tests, which takes one processor as long as it takes. */
function checkTypes({ files }: Wish): Promise<Deno.CommandOutput> {
  return run(["check", "--quiet", ...files], { stderr: "piped" });
}

async function run(args: string[], options: Deno.CommandOptions): Promise<Deno.CommandOutput> {
  const child = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, ...options }).spawn();
  running.add(child);
  try {
    if (options.stderr === "piped") return await child.output();
    return { ...await child.status, stdout: new Uint8Array(0), stderr: new Uint8Array(0) };
  } finally {
    running.delete(child);
  }
}

function interrupt(): void {
  isInterrupted = true;
  for (const child of running) child.kill("SIGINT");
}

/**
 * A path on which Python itself comes first: where it is a shim that looks for the right version, as
 * with pyenv, that takes longer than Python, some hundred times.
 */
async function pathOfPython(): Promise<Record<string, string>> {
  try {
    const { stdout } = await new Deno.Command("python3", {
      args: ["-c", "import sys; print(sys.executable)"],
    }).output();
    const folder = dirname(new TextDecoder().decode(stdout).trim());
    return { PATH: folder + delimiter + Deno.env.get("PATH") };
  } catch {
    return {}; // there is none
  }
}
