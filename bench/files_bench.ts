/**
 * Downloading a file beside what people do with nc, all in one run.
 *
 *     deno run -A bench/files_bench.ts [--rounds 7] [--size 1024]
 *
 * A file of `--size` MiB goes from memory to a new file in memory over loopback; nc's listener is up
 * before its clock starts, as our server is. The time is that of the whole client program, from its start
 * to its end, and of what verifies after it; beside it what `getFile` itself took. "Cold" is a server
 * that computes the checksum while it sends, "known" one that was asked for the same file before.
 * Subjects take turns, round after round, and ratios are taken within a round.
 */
import { median, printTable } from "./_harness.ts";
import { parseArgs } from "@std/cli/parse-args";

const flags = parseArgs(Deno.args, { string: ["rounds", "size"] });
const rounds = Number(flags.rounds ?? 7);
const size = Number(flags.size ?? 1024) * 1024 * 1024;

const PROGRAM = new URL("../examples/file_transfer.ts", import.meta.url).pathname;
const folder = await Deno.makeTempDir({ ...await memory(), prefix: "tincan_files_bench_" });
const source = `${folder}/source`;
const target = `${folder}/target`;

/** What one download took, in seconds. */
interface Time {
  whole: number;
  /** Of it, `getFile` without the start of the program. */
  inside?: number;
}

interface Subject {
  name: string;
  run(): Promise<Time>;
}

const SUBJECTS: Subject[] = [
  { name: "nc -N", run: () => netcat() },
  {
    name: "nc, then openssl dgst -sha256",
    run: () => netcat("openssl", "dgst", "-sha256", target),
  },
  { name: "nc, then sha256sum", run: () => netcat("sha256sum", target) },
  { name: "get --checksum none", run: () => ours("none", 0) },
  { name: "get --checksum crc32 (cold)", run: () => ours("crc32", 0) },
  { name: "get (sha256, cold)", run: () => ours("sha256", 0) },
  { name: "get (sha256, known)", run: () => ours("sha256", 1) },
];

try {
  await makeSource();
  const times = new Map<string, Time[]>(SUBJECTS.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const { name, run } of SUBJECTS) {
      const time = await run();
      if (round > 0) times.get(name)?.push(time); // the first round warms up
    }
  }
  const of = (name: string) => times.get(name) ?? [];
  const ratio = (own: Time[], control: string) =>
    median(own.map(({ whole }, round) => (of(control)[round]?.whole ?? NaN) / whole)).toFixed(2);
  printTable(
    `${size / 1024 / 1024} MiB, memory to memory, median of ${rounds} rounds`,
    ["client", "ms", "best ms", "MB/s", "inside MB/s", "x nc", "x nc+openssl", "x nc+sha256sum"],
    SUBJECTS.map(({ name }) => {
      const own = of(name);
      const whole = median(own.map((time) => time.whole));
      const inside = median(own.map((time) => time.inside ?? NaN));
      return [
        name,
        (whole * 1e3).toFixed(0),
        (Math.min(...own.map((time) => time.whole)) * 1e3).toFixed(0),
        (size / whole / 1e6).toFixed(0),
        Number.isNaN(inside) ? "" : (size / inside / 1e6).toFixed(0),
        ratio(own, "nc -N"),
        ratio(own, "nc, then openssl dgst -sha256"),
        ratio(own, "nc, then sha256sum"),
      ];
    }),
    { lessIsBetter: true },
  );
} finally {
  await Deno.remove(folder, { recursive: true });
}

/** A folder in memory, where there is one. */
async function memory(): Promise<{ dir?: string }> {
  try {
    return (await Deno.stat("/dev/shm")).isDirectory ? { dir: "/dev/shm" } : {};
  } catch {
    return {};
  }
}

async function makeSource(): Promise<void> {
  using file = await Deno.open(source, { write: true, create: true });
  const piece = new Uint8Array(1024 * 1024);
  for (let at = 0; at < piece.length; at += 65_536) {
    crypto.getRandomValues(piece.subarray(at, at + 65_536));
  }
  for (let left = size; left > 0; left -= piece.length) file.writeSync(piece);
  await file.utime(1_700_000_000, 1_700_000_000); // as old as files are, so that it may be known
}

/** `nc` from a listener, and what is run on the file behind it. */
async function netcat(...then: string[]): Promise<Time> {
  const port = freePort();
  const listener = new Deno.Command("sh", {
    args: ["-c", `exec nc -l -N 127.0.0.1 ${port} < ${source}`],
    stderr: "null",
  }).spawn();
  await listening(port);
  const after = then.length === 0 ? "" : `&& ${then.join(" ")}`;
  const whole = await time("sh", ["-c", `nc -d 127.0.0.1 ${port} > ${target} ${after}`]);
  await listener.status;
  await Deno.remove(target);
  return { whole };
}

/** Our program, against a server that was asked for the same file so many times before. */
async function ours(checksum: string, before: number): Promise<Time> {
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", PROGRAM, "serve", folder, "--port", "0", "--quiet"],
    stderr: "piped",
  }).spawn();
  const reader = server.stderr.getReader();
  const line = new TextDecoder().decode((await reader.read()).value);
  const port = /:(\d+)\n/.exec(line)?.[1] ?? "";
  const args = ["run", "-A", PROGRAM, "get", "source", "--port", port, "--output", target];
  args.push("--checksum", checksum, "--json");
  let inside = NaN;
  let whole = NaN;
  for (let round = 0; round <= before; round++) {
    const begin = performance.now();
    const { success, stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
    whole = (performance.now() - begin) / 1e3;
    if (!success) throw new Error("Cannot measure: the download failed");
    inside = JSON.parse(new TextDecoder().decode(stdout)).duration / 1e3;
    await Deno.remove(target);
  }
  server.kill("SIGKILL");
  await reader.cancel();
  await server.status;
  return { whole, inside };
}

async function time(command: string, args: string[]): Promise<number> {
  const begin = performance.now();
  const { success } = await new Deno.Command(command, { args, stdout: "null" }).output();
  if (!success) throw new Error(`Cannot measure: ${command} failed`);
  return (performance.now() - begin) / 1e3;
}

function freePort(): number {
  using listener = Deno.listen({ port: 0 });
  return listener.addr.port;
}

/** Waits until somebody listens, without connecting: nc takes one connection only. */
async function listening(port: number): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const pattern = new RegExp(`:${hex} \\S+ 0A `);
  while (!pattern.test(await Deno.readTextFile("/proc/net/tcp"))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
