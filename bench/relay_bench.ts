/**
 * The relay beside socat and a plain Deno loop, in one run: bulk, ping-pong, and bulk with a full
 * hexdump.
 *
 *     deno run -A bench/relay_bench.ts [--rounds 5] [--seconds 2]
 *
 * Needs socat and a C compiler. Loads and targets are in C and cost less than the relays. Turns
 * alternate; the ratio is taken pair by pair. The dumps go to files, and must hold every byte.
 */
import { buildLoad, measureEcho, median, printTable, type Running, start } from "./_harness.ts";
import { parseArgs } from "@std/cli/parse-args";

const flags = parseArgs(Deno.args, { string: ["rounds", "seconds"] });
const rounds = Number(flags.rounds ?? 5);
const seconds = Number(flags.seconds ?? 2);

const MEBIBYTE = 2 ** 20;
const PING_PONG = { name: "64 B x 50 connections", connections: 50, bytes: 64, inFlight: 1 };

/** A program before a target, on a port of its own. */
interface Relay extends Running {
  /** The size of what it has written down. */
  dumped(): Promise<number>;
}

const folder = await Deno.makeTempDir({ prefix: "tincan_relay_bench_" });
const peers = `${folder}/relay_load`;
const source = new URL("relay_load.c", import.meta.url).pathname;
await run("cc", ["-O2", "-o", peers, source]);
const load = await buildLoad();
const program = new URL("../examples/relay.ts", import.meta.url).pathname;
const plainProgram = new URL("servers/relay_plain.ts", import.meta.url).pathname;
try {
  await compareBulk("bulk, 1 GiB", 1_024, 1_024, []);
  await comparePingPong();
  // socat takes two seconds for each MiB here, and no less for each of more.
  await compareBulk("bulk with a full hexdump", 2, 256, ["-x", "-v"]);
} finally {
  await Deno.remove(folder, { recursive: true });
  await Deno.remove(load);
}

async function compareBulk(
  title: string,
  socatSize: number,
  ownSize: number,
  dump: string[],
): Promise<void> {
  await using target = await startTarget("sink");
  await using socat = await startSocat(target.port, dump);
  await using own = await startOwn(target.port, dump.length > 0 ? [] : ["--quiet"]);
  const rates = new Map<string, number[]>();
  const subjects: [string, number, number][] = [
    ["socat", socat.port, socatSize],
    ["relay", own.port, ownSize],
    ["no relay", target.port, ownSize],
  ];
  for (let round = -1; round < rounds; round++) {
    for (const [name, port, size] of subjects) {
      const result = JSON.parse(await run(peers, ["bulk", String(port), String(size)]));
      const rate = result.bytes / MEBIBYTE / result.seconds;
      if (round >= 0) rates.set(name, [...rates.get(name) ?? [], rate]); // the first is to warm up
    }
  }
  if (dump.length > 0) {
    // Sixteen bytes of the traffic make a row of 81, whatever the headers of the reads add.
    const least = (rounds + 1) * ownSize * MEBIBYTE / 16 * 81;
    while (await own.dumped() < least) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  show(title, "MiB/s", rates);
}

async function comparePingPong(): Promise<void> {
  await using target = await startTarget("echo");
  await using socat = await startSocat(target.port, []);
  await using own = await startOwn(target.port, ["--quiet"]);
  await using plain = await startPlain(target.port);
  await using dumping = await startOwn(target.port, []);
  const rates = new Map<string, number[]>();
  const subjects: [string, Running][] = [
    ["socat", socat],
    ["relay", own],
    ["plain Deno loop", plain],
    ["relay, full hexdump", dumping],
    ["no relay", target],
  ];
  for (let round = -1; round < rounds; round++) {
    for (const [name, server] of subjects) {
      const { rate } = await measureEcho(load, server, PING_PONG, round < 0 ? 1 : seconds);
      if (round >= 0) rates.set(name, [...rates.get(name) ?? [], rate]);
    }
  }
  show(PING_PONG.name, "messages/s", rates);
}

function show(title: string, unit: string, rates: Map<string, number[]>): void {
  const control = rates.get("socat") ?? [];
  printTable(
    title,
    ["through", unit, "of socat"],
    [...rates].map(([name, own]) => [
      name,
      median(own).toFixed(own.some((rate) => rate < 10) ? 2 : 0),
      median(own.map((rate, round) => rate / (control[round] ?? NaN))).toFixed(2),
    ]),
  );
}

async function startTarget(mode: "echo" | "sink"): Promise<Running> {
  const child = new Deno.Command(peers, { args: [mode], stdout: "piped" }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  return {
    name: "no relay",
    port: Number(new TextDecoder().decode(value)),
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    },
  };
}

/** socat, one process for each connection; it has no way to say which port the system chose. */
async function startSocat(target: number, dump: string[]): Promise<Running> {
  const free = Deno.listen({ port: 0 });
  const { port } = free.addr;
  free.close();
  const command = [
    ...["exec", "socat", ...dump, `TCP-LISTEN:${port},fork,reuseaddr,bind=127.0.0.1,nodelay`],
    `TCP:127.0.0.1:${target},nodelay`,
  ];
  const child = new Deno.Command("sh", {
    args: ["-c", `${command.join(" ")} 2>'${folder}/socat.dump'`],
  }).spawn();
  while (true) {
    try {
      (await Deno.connect({ port })).close();
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  return {
    name: "socat",
    port,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

/** The control: what is possible without looking at anything. */
function startPlain(target: number): Promise<Running> {
  const args = ["run", "-A", plainProgram, String(target)];
  return start({ name: "plain Deno loop", command: Deno.execPath(), args });
}

async function startOwn(target: number, args: string[]): Promise<Relay> {
  const path = `${folder}/${crypto.randomUUID()}.dump`;
  const command = [Deno.execPath(), "run", "-A", program, "--listen", "0", ...args];
  const child = new Deno.Command("sh", {
    args: ["-c", `exec ${command.join(" ")} --to 127.0.0.1:${target} >'${path}'`],
    stderr: "piped",
  }).spawn();
  const reader = child.stderr.getReader();
  let text = "";
  while (!text.includes("\n")) text += new TextDecoder().decode((await reader.read()).value);
  const forget = (async () => {
    while (!(await reader.read()).done);
  })();
  return {
    name: "relay",
    port: Number(/:(\d+)\n/.exec(text)?.[1]),
    pid: child.pid,
    dumped: async () => (await Deno.stat(path)).size,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await forget;
      await Deno.remove(path);
    },
  };
}

async function run(command: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${command} failed: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
