/**
 * `tincan connect` and `tincan listen` beside nc, ncat and socat, in one run: bulk from a file in
 * memory to a file in memory, one process at each end.
 *
 *     deno run -A bench/pipe_bench.ts [--rounds 5] [--size 512]
 *
 * Needs nc, ncat and socat. The other end is always socat with a large buffer, so that what is measured
 * is the program under test. Turns alternate; the ratio is taken pair by pair. Every copy is compared.
 */
import { parseArgs } from "@std/cli/parse-args";
import { median, printTable } from "./_harness.ts";

const flags = parseArgs(Deno.args, { string: ["rounds", "size"] });
const rounds = Number(flags.rounds ?? 5);
const mebibytes = Number(flags.size ?? 512);

const tincan = `${Deno.execPath()} run -A ${new URL("../cli/tincan.ts", import.meta.url).pathname}`;
const memory = await isFolder("/dev/shm") ? "/dev/shm" : undefined;
const folder = await Deno.makeTempDir({
  prefix: "tincan_pipe_bench_",
  ...(memory && { dir: memory }),
});
const PEER = "exec socat -b 262144";

/** A program, and how it sends a file and receives one: from its input, to its output. */
const CLIENTS: [string, string][] = [
  ["ncat", "ncat 127.0.0.1 $PORT"],
  ["nc", "nc -N 127.0.0.1 $PORT"],
  ["socat", "socat - TCP:127.0.0.1:$PORT"],
  ["tincan", `${tincan} connect 127.0.0.1 $PORT`],
];
const LISTENERS: [string, string][] = [
  ["ncat", "ncat -l 127.0.0.1 $PORT"],
  ["nc", "nc -N -l 127.0.0.1 $PORT"],
  ["socat", "socat - TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr"],
  ["tincan", `${tincan} listen 127.0.0.1 $PORT`],
];

try {
  const chunk = crypto.getRandomValues(new Uint8Array(65_536));
  const file = await Deno.create(`${folder}/in`);
  for (let i = 0; i < mebibytes * 16; i++) await file.write(chunk);
  file.close();
  const to = `${PEER} -u TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr CREATE:out`;
  const from = `${PEER} -u OPEN:in,rdonly TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr`;
  await compare("connect sends a file", CLIENTS.map(([name, run]) => [name, to, `${run} < in`]));
  await compare(
    "connect receives into a file",
    CLIENTS.map(([name, run]) => [name, from, `${withOpenInput(run)} > out`]),
  );
  await compare(
    "connect receives into a pipe",
    CLIENTS.map(([name, run]) => [name, from, `${withOpenInput(run)} | cat > out`]),
  );
  const send = `${PEER} -u OPEN:in,rdonly TCP:127.0.0.1:$PORT,retry=100,interval=0.02`;
  const receive = `${PEER} -u TCP:127.0.0.1:$PORT,retry=100,interval=0.02 CREATE:out`;
  await compare(
    "listen receives into a file",
    LISTENERS.map(([name, run]) => [
      name,
      `${withOpenInput(run)} > out`,
      send,
    ]),
  );
  await compare(
    "listen sends a file",
    LISTENERS.map(([name, run]) => [name, `${run} < in`, receive]),
  );
} finally {
  await Deno.remove(folder, { recursive: true });
}

/** A client with nothing to send. Its input stays open: some leave when it ends. */
function withOpenInput(run: string): string {
  return `${run} < fifo`;
}

/** Each subject is a script that listens and one that connects. */
async function compare(title: string, subjects: [string, string, string][]): Promise<void> {
  const rates = new Map<string, number[]>();
  for (let round = -1; round < rounds; round++) {
    for (const [name, listening, connecting] of subjects) {
      const rate = await measure(listening, connecting);
      if (round >= 0) rates.set(name, [...rates.get(name) ?? [], rate]); // the first is to warm up
    }
  }
  const control = rates.get("ncat") ?? [];
  printTable(
    `${title}, ${mebibytes} MiB`,
    ["program", "MiB/s", "of ncat"],
    [...rates].map(([name, own]) => [
      name,
      median(own).toFixed(0),
      median(own.map((rate, round) => rate / (control[round] ?? NaN))).toFixed(2),
    ]),
  );
}

async function measure(listening: string, connecting: string): Promise<number> {
  using free = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const port = free.addr.port;
  free.close();
  const script = `
cd "$1"; export PORT=$2; rm -f out fifo; mkfifo fifo; exec 9<>fifo
( ${listening} ) 2>/dev/null & listener=$!
until [ "$(ss -Hltn "sport = :$PORT")" ]; do sleep 0.01; done
begin=$(date +%s%N)
( ${connecting} ) 2>/dev/null & connecting=$!
while [ "$(stat -c %s out 2>/dev/null || echo 0)" -lt "$(stat -c %s in)" ]; do sleep 0.005; done
end=$(date +%s%N)
exec 9>&-; pkill -P $listener; pkill -P $connecting; kill $listener $connecting; wait
cmp in out && echo $((end - begin))`;
  const { success, stdout } = await new Deno.Command("bash", {
    args: ["-c", script, "bash", folder, String(port)],
  }).output();
  if (!success) throw new Error(`Not carried whole: ${listening} / ${connecting}`);
  return mebibytes / (Number(new TextDecoder().decode(stdout)) / 1e9);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}
