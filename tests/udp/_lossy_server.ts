/** Answers requests `id` with `id*3`, each once; says at the end how often each was handled. */
import { serveUdp } from "../../udp/mod.ts";

const handled = new Map<number, number>();
const server = await serveUdp({
  hostname: Deno.args[0] ?? "127.0.0.1",
  port: Number(Deno.args[1] ?? 0),
  backend: Deno.args[2] === "node" ? "node" : "deno",
  dedup: { window: 120_000 },
  onListen() {},
}, async ({ data }) => {
  const id = new DataView(data.buffer, data.byteOffset).getUint32(0);
  handled.set(id, (handled.get(id) ?? 0) + 1);
  if (id % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 20)); // some take longer
  const answer = new Uint8Array(8);
  const view = new DataView(answer.buffer);
  view.setUint32(0, id);
  view.setUint32(4, id * 3);
  return answer;
});
await Deno.stdin.read(new Uint8Array(1)); // until its input ends
const { duplicates } = server.stats();
await server.shutdown();
console.log(JSON.stringify({
  requests: handled.size,
  most: Math.max(...handled.values()),
  duplicates,
}));
