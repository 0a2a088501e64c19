/** Floods: memory stays bounded, what is dropped is counted, and afterwards it still answers. */
import { assert, assertEquals } from "@std/assert";
import { bindUdp, serveUdp, sessions } from "../../udp/mod.ts";
import { testWith } from "../_util/peers.ts";
import { at, backends, type Peer, python, quiet, text } from "./_util.ts";
import { gc, grownSince, heldMemory } from "../_util/memory.ts";

const pythonTest = testWith("python3");

const limit = { timeout: 60_000 };
const MiB = 1024 * 1024;

/** Sends 200,000 datagrams of 256 bytes from 1,000 ports. */
function flood(port: number): Peer {
  return python(
    `
import resource, socket, sys
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
to = ("127.0.0.1", int(sys.argv[1]))
sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(1000)]
data = b"x" * 256
for _ in range(200):
    for s in sockets:
        s.sendto(data, to)
print("sent", flush=True)
`,
    `${port}`,
  );
}

/**
 * Floods until enough has arrived: how much of one flood the system drops depends on what else the
 * machine does. A flood that never brings enough runs into the limit of its test.
 */
async function floodUntil(port: number, isEnough: () => boolean): Promise<void> {
  do {
    await using flooding = flood(port);
    assertEquals(await flooding.line(), "sent");
  } while (!isEnough());
}

for (const backend of backends) {
  pythonTest(`${backend}: a flood with a slow handler`, limit, async () => {
    const gate = Promise.withResolvers<void>();
    let most = 0;
    let running = 0;
    await using server = await serveUdp(
      { ...quiet, backend, concurrency: 64, maxQueue: 1_000 },
      async ({ data }) => {
        most = Math.max(most, ++running);
        await gate.promise;
        running--;
        return data.length > 0 ? undefined : "alive";
      },
    );
    const before = heldMemory();
    await floodUntil(at(server).port, () => server.stats().datagramsReceived > 10_000);
    const { datagramsReceived: received, active, queued, dropped } = server.stats();
    assert(received > 10_000, `only ${received} arrived`);
    assertEquals([active, queued, most], [64, 1_000, 64]);
    assertEquals(dropped, received - 1_064);
    // Of 51 MB that were sent: 1,064 datagrams, each of which may keep a slab of 8 KiB.
    if (gc !== undefined) {
      const grown = await grownSince(before, 16 * MiB);
      assert(grown < 16 * MiB, `grew by ${grown / MiB} MiB`);
    }
    gate.resolve();
    await using client = await bindUdp({ backend });
    const answer = await client.request("", at(server), { timeout: 100, retries: 20 });
    assertEquals(text(answer.data), "alive");
  });

  Deno.test(`${backend}: long keys do not make what dedup remembers large`, limit, async () => {
    const decoder = new TextDecoder();
    await using server = await serveUdp(
      { ...quiet, backend, dedup: { key: (data) => decoder.decode(data) } },
      () => "ok",
    );
    await using client = await bindUdp({ backend });
    const data = new Uint8Array(60_000).fill(0x61);
    const before = heldMemory();
    for (let i = 0; i < 400; i++) {
      new TextEncoder().encodeInto(`${i} `, data);
      assertEquals(text((await client.request(data, at(server), { samePort: true })).data), "ok");
      if (i % 100 === 0) await client.request(data, at(server), { samePort: true });
    }
    assertEquals(server.stats().duplicates, 4);
    if (gc !== undefined) {
      const grown = await grownSince(before, 12 * MiB);
      assert(grown < 12 * MiB, `24 MB of keys made it grow by ${grown / MiB} MiB`);
    }
  });

  pythonTest(`${backend}: a flood that nobody reads`, limit, async () => {
    await using endpoint = await bindUdp({ backend, maxQueueBytes: MiB });
    await floodUntil(at(endpoint).port, () => endpoint.stats().dropped > 0);
    const { datagramsReceived: received, queued, bytesQueued, dropped } = endpoint.stats();
    assertEquals([queued, bytesQueued], [4_096, MiB]);
    assertEquals(dropped, received - queued);
    for (let i = 0; i < queued; i++) assertEquals((await endpoint.receive()).data.length, 256);
    await using client = await bindUdp({ backend });
    await client.send("after", at(endpoint));
    for await (const { data } of endpoint) if (text(data) === "after") break;
  });

  pythonTest(`${backend}: a flood of peers`, limit, async () => {
    await using endpoint = await bindUdp({ backend });
    let most = 0;
    let running = 0;
    await using all = sessions(endpoint, { maxPeers: 50 }, async (session) => {
      most = Math.max(most, ++running);
      for await (const datagram of session) {
        if (datagram.data.length < 256) await datagram.reply("alive");
      }
      running--;
    });
    await floodUntil(at(endpoint).port, () => all.stats().evicted > 100);
    await using client = await bindUdp({ backend });
    const answer = await client.request("?", at(endpoint), { timeout: 100, retries: 20 });
    assertEquals(text(answer.data), "alive");
    assert(all.stats().active <= 50);
    assert(all.stats().evicted > 100);
    assert(most <= 100, `${most} handlers at once`);
  });
}
