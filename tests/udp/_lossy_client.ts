/** Makes 1,000 requests over a bad network, 200 at a time, and says what became of them. */
import { connectUdp } from "../../udp/mod.ts";

await using peer = await connectUdp({
  hostname: Deno.args[0] ?? "127.0.0.1",
  port: Number(Deno.args[1]),
  backend: Deno.args[2] === "node" ? "node" : "deno",
});
let next = 0;
let answered = 0;
let wrong = 0;
async function work(): Promise<void> {
  while (next < 1_000) {
    const id = next++;
    const question = new Uint8Array(4);
    new DataView(question.buffer).setUint32(0, id);
    const { data } = await peer.request(question, {
      timeout: 200,
      maxTimeout: 800,
      retries: 40,
      match: (data) =>
        data.length === 8 && new DataView(data.buffer, data.byteOffset).getUint32(0) === id,
    });
    answered++;
    const view = new DataView(data.buffer, data.byteOffset);
    if (view.getUint32(0) !== id || view.getUint32(4) !== id * 3) wrong++;
  }
}
await Promise.all(Array.from({ length: 200 }, work));
const { retransmits, lateAnswers } = peer.stats();
console.log(JSON.stringify({ answered, wrong, retransmits, lateAnswers }));
