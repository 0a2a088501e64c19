/**
 * The chat room beside the shortest chats in Deno, Node and Python, and ncat's, all in one run.
 *
 *     deno run -A bench/chat_bench.ts [--rounds 5] [--members 100]
 *
 * All but Python's pass bytes on as they are: they have no names, no lines, no limits.
 */
import { denoSubject, isInstalled, median, nodeSubject, printTable, start } from "./_harness.ts";
import type { Running, Subject } from "./_harness.ts";
import { parseArgs } from "@std/cli/parse-args";

const flags = parseArgs(Deno.args, { string: ["rounds", "members"] });
const rounds = Number(flags.rounds ?? 5);
const members = Number(flags.members ?? 100);
const here = new URL(".", import.meta.url).pathname;

const subjects: Subject[] = [
  denoSubject("plain Deno broadcast", "chat_plain.ts"),
  denoSubject("chat room", "chat_room.ts"),
];
if (await isInstalled("node")) subjects.push(nodeSubject("Node broadcast", "chat_node.mjs"));
subjects.push({
  name: "Python asyncio chat",
  command: "python3",
  args: [`${here}servers/chat_asyncio.py`],
});
if (await isInstalled("ncat")) {
  // It says where it listens in prose, on stderr, so it is told where to.
  const script = `echo "$0"; exec ncat -l --chat --max-conns 2000 127.0.0.1 "$0" 2>/dev/null`;
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(free.addr.port);
  free.close();
  subjects.push({ name: "ncat --chat", command: "sh", args: ["-c", script, port] });
}

/** How many lines are said ahead of the slowest listener, and how many in all. */
const LOADS = [[1, 500], [100, 5_000]] as const;

const running: Running[] = [];
for (const subject of subjects) running.push(await start(subject));
for (const [inFlight, lines] of LOADS) {
  const rates = new Map<string, number[]>();
  for (let round = 0; round <= rounds; round++) {
    for (const { name, port } of running) {
      const args = [`${here}chat_load.py`, port, members, lines, inFlight].map(String);
      const { success, stdout, stderr } = await new Deno.Command("python3", { args }).output();
      if (!success) throw new Error(`${name}: ${new TextDecoder().decode(stderr)}`);
      if (round === 0) continue; // warming up
      rates.set(name, [...rates.get(name) ?? [], Number(new TextDecoder().decode(stdout))]);
    }
  }
  const control = rates.get(running[0]?.name ?? "") ?? [];
  const rows = running.map(({ name }) => {
    const own = rates.get(name) ?? [];
    const ratios = own.map((rate, round) => rate / (control[round] ?? NaN));
    return [name, median(own).toFixed(0), median(ratios).toFixed(2)];
  });
  const title = `64 B lines to ${members - 1} others, ${inFlight} in flight`;
  printTable(title, ["server", "deliveries/s", "of the first"], rows);
}
for (const server of running) await server[Symbol.asyncDispose]();
