/**
 * The port scanner beside nmap, in one run: 65,535 ports of this machine, and 1,000 ports that do not
 * answer.
 *
 *     deno run -A bench/scan_bench.ts [--rounds 5]
 *
 * Needs nmap, and root for a network of its own, in which nobody else listens. Whole programs are
 * measured, from start to exit. Their turns alternate; the ratio is taken pair by pair.
 */
import { median, printTable } from "./_harness.ts";
import { parseArgs } from "@std/cli/parse-args";

const flags = parseArgs(Deno.args, { string: ["rounds", "inside"] });
const rounds = Number(flags.rounds ?? 5);
const program = new URL("../examples/port_scan.ts", import.meta.url).pathname;

/** Ports that are open during the scan, some of them among those the system gives to clients. */
const OPEN = [22, 80, 8080, 33_000, 45_678, 65_535];
const SILENT = "10.9.0.2";

if (flags.inside === undefined) await enterNamespace();
else await measure();

/** Runs this program again in a network of its own. */
async function enterNamespace(): Promise<void> {
  const { code } = await new Deno.Command("unshare", {
    args: [
      "--net",
      ...[Deno.execPath(), "run", "-A", "--unstable-net", import.meta.filename ?? ""],
      ...["--inside", "yes", "--rounds", String(rounds)],
    ],
  }).spawn().status;
  Deno.exit(code);
}

async function measure(): Promise<void> {
  await sh("ip link set lo up");
  await sh("ip link add here type veth peer name there");
  await sh("ip link set here up && ip link set there up && ip addr add 10.9.0.1/24 dev here");
  await sh(`ip neigh add ${SILENT} lladdr 02:00:00:00:00:02 dev here`);
  const listeners = OPEN.map((port) => Deno.listen({ port, hostname: "127.0.0.1" }));
  await compare("65,535 ports of 127.0.0.1", "127.0.0.1", "-", ["-T4"], OPEN);
  for (const listener of listeners) listener.close();
  // nmap's defaults take 100 s for this; these are the fastest settings that do the same.
  const tuned = ["-T5", "--max-retries", "1", "--max-rtt-timeout", "1s", "--min-rate", "2000"];
  await compare("1,000 silent ports, 1 s to answer", SILENT, "1-1000", tuned, []);
}

async function compare(
  title: string,
  host: string,
  ports: string,
  nmapArgs: string[],
  open: number[],
): Promise<void> {
  const ours = [program, host, "--ports", ports, "--timeout", "1", "--json"];
  const subjects = new Map<string, () => Promise<number[]>>([
    [`nmap -sT ${nmapArgs[0]}`, async () => {
      const range = ports === "-" ? ["-p-"] : ["-p", ports];
      return fromNmap(
        await run("nmap", ["-sT", "-n", "-Pn", ...nmapArgs, ...range, "-oG", "-", host]),
      );
    }],
    ["port_scan", async () => fromJson(await run(Deno.execPath(), ["run", "-A", ...ours]))],
    [
      "port_scan, one isolate",
      async () =>
        fromJson(await run(Deno.execPath(), ["run", "--allow-net", "--no-prompt", ...ours])),
    ],
  ]);
  const times = new Map<string, number[]>();
  for (let round = -1; round < rounds; round++) {
    for (const [name, scan] of subjects) {
      const startedAt = performance.now();
      const found = await scan();
      const took = performance.now() - startedAt;
      if (String(found) !== String(open)) throw new Error(`${name} found ${found}, not ${open}`);
      if (round >= 0) times.set(name, [...times.get(name) ?? [], took]); // the first is to warm up
    }
  }
  const [control = []] = times.values();
  printTable(
    title,
    ["program", "s", "fastest", "slowest", "of nmap's time"],
    [...times].map(([name, own]) => [
      name,
      (median(own) / 1_000).toFixed(2),
      (Math.min(...own) / 1_000).toFixed(2),
      (Math.max(...own) / 1_000).toFixed(2),
      median(own.map((time, round) => time / (control[round] ?? NaN))).toFixed(2),
    ]),
    { lessIsBetter: true },
  );
}

/** The open ports; any other state than closed or open where all answer is an error. */
function fromJson({ stdout, stderr }: { stdout: string; stderr: string }): number[] {
  const lines = stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  const filtered = Number(/(\d+) filtered/.exec(stderr)?.[1]);
  if (filtered !== 0 && filtered !== 1_000) throw new Error(`false time-outs: ${stderr}`);
  return lines.filter(({ state }) => state === "open").map(({ port }) => port);
}

function fromNmap({ stdout }: { stdout: string }): number[] {
  return [...stdout.matchAll(/(\d+)\/open\//g)].map(([, port]) => Number(port));
}

async function sh(command: string): Promise<void> {
  await run("sh", ["-c", command]);
}

async function run(command: string, args: string[]): Promise<{ stdout: string; stderr: string }> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${command} failed: ${decoder.decode(stderr)}`);
  return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
