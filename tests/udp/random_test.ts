/**
 * Requests, sessions and servers under loss, doubling, delays, reordering and forged senders, against
 * what must hold: no answer goes to another request, nothing is handled twice where duplicates are
 * told, nothing hangs, nothing is left behind.
 */
import { assert, assertEquals } from "@std/assert";
import {
  bindUdp,
  connectUdp,
  type Datagram,
  serveUdp,
  sessions,
  type UdpRequestOptions,
} from "../../udp/mod.ts";
import { between } from "../_util/random.ts";
import { randomTest, type Round } from "../_util/soak.ts";
import { Relay } from "./_relay.ts";
import { at, backends, quiet, text } from "./_util.ts";

/** Short waits: the network of these tests is quick. */
const PATIENT = { timeout: 15, maxTimeout: 60, retries: 40 };

function badness(chance: () => number) {
  return { loss: chance() * 0.3, double: chance() * 0.5, delay: chance() * 0.6, maxDelay: 30 };
}

function backendOf(chance: () => number): "deno" | "node" {
  return backends[between(chance, 0, 1)] ?? "deno";
}

/** Datagrams from strangers to those ports, until it is stopped. */
async function forge(
  chance: () => number,
  ports: () => number[],
  stop: AbortSignal,
): Promise<void> {
  const strangers = await Promise.all([1, 2, 3].map(() => bindUdp()));
  while (!stop.aborted) {
    for (const port of ports()) {
      const words = ["", "forged", `${between(chance, 0, 99)}!`, `${between(chance, 0, 99)}`];
      const stranger = strangers[between(chance, 0, 2)];
      stranger?.send(words[between(chance, 0, 3)] ?? "", { port }).catch(() => {});
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(strangers.map((stranger) => stranger.close()));
}

randomTest("udp: no answer goes to another request", async ({ chance }: Round) => {
  let handled = new Map<string, number>();
  const isDedup = chance() < 0.5;
  await using server = await serveUdp(
    { ...quiet, backend: backendOf(chance), dedup: isDedup },
    async ({ data, from }) => {
      const question = text(data);
      if (!/^\d+\?$/.test(question)) return; // a stranger's
      const key = `${from.port} ${question}`;
      handled.set(key, (handled.get(key) ?? 0) + 1);
      if (chance() < 0.3) await new Promise((resolve) => setTimeout(resolve, chance() * 20));
      return `${question.slice(0, -1)}!`;
    },
  );
  await using relay = new Relay(at(server), chance, badness(chance));
  await using client = await bindUdp({ backend: backendOf(chance), maxRequestSockets: 8 });
  await using peer = await connectUdp({ backend: backendOf(chance), port: relay.addr.port });
  const stop = new AbortController();
  const forging = forge(
    chance,
    () => [server, client, peer].map((bound) => at(bound).port),
    stop.signal,
  );
  const ask = async (id: number) => {
    const options: UdpRequestOptions = chance() < 0.5
      ? PATIENT
      : { ...PATIENT, match: (data) => text(data) === `${id}!` };
    if (chance() < 0.1) { // one that is given up: its answers come to no one
      const waits = { ...options, timeout: 1, maxTimeout: 1, retries: between(chance, 0, 2) };
      await client.request(`${id}?`, relay.addr, waits).catch((error) => {
        if (!(error instanceof Deno.errors.TimedOut)) throw error;
      });
    }
    const asking = chance() < 0.5
      ? client.request(`${id}?`, relay.addr, options)
      : peer.request(`${id}?`, options);
    assertEquals(text((await asking).data), `${id}!`);
  };
  let next = 0;
  const workers = Array.from({ length: between(chance, 4, 10) }, async () => {
    while (next < 24) await ask(next++);
  });
  try {
    await Promise.all(workers);
  } finally {
    stop.abort();
    await forging;
  }
  if (isDedup) assertEquals(Math.max(...handled.values()), 1);
  handled = new Map();
  assertEquals([client.stats().requests, peer.stats().requests], [0, 0]);
  assertEquals([server.stats().handlerErrors, server.stats().sendErrors], [0, 0]);
}, { seconds: 1.5 });

randomTest("udp: sessions keep their peers apart and their order", async ({ chance }: Round) => {
  const backend = backendOf(chance);
  await using endpoint = await bindUdp({ backend });
  await using all = sessions(endpoint, {
    maxPeers: 8,
    maxUnconfirmed: 8,
    maxUnconfirmedPerSource: 8, // at most five peers and three strangers, all on one address
    idle: between(chance, 0, 1) === 0 ? Infinity : 5_000,
  }, async (session) => {
    const { port } = session.remoteAddr;
    for await (const { data, from } of session) {
      assertEquals(from.port, port);
      await session.send(data);
    }
  });
  const stop = new AbortController();
  const forging = forge(chance, () => [at(endpoint).port], stop.signal);
  const talk = async (name: number) => {
    await using peer = await connectUdp({ backend: backendOf(chance), port: at(endpoint).port });
    const burst = between(chance, 1, 20);
    for (let round = 0; round < 5; round++) {
      const words = Array.from({ length: burst }, (_, i) => `${name} ${round} ${i}`);
      for (const word of words) peer.send(word);
      for (const word of words) {
        assertEquals(text((await peer.receive({ timeout: 10_000 })).data), word);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: between(chance, 1, 5) }, (_, name) => talk(name)));
  } finally {
    stop.abort();
    await forging;
  }
  const { handlerErrors, active } = all.stats();
  assertEquals(handlerErrors, 0);
  assert(active <= 16);
}, { seconds: 1.5 });

randomTest(
  "udp: receive, loops, time-outs and closing in any order lose nothing",
  async (round) => {
    const { chance } = round;
    const b = await bindUdp({ backend: backendOf(chance) });
    await using a = await bindUdp({ backend: backendOf(chance) });
    const seen: number[] = [];
    const total = between(chance, 1, 120);
    let sent = 0;
    const take = ({ data }: Datagram) => void seen.push(Number(text(data)));
    const readers = Array.from({ length: between(chance, 1, 3) }, async () => {
      while (seen.length < total) {
        const how = chance();
        try {
          if (how < 0.3) take(await b.receive({ timeout: between(chance, 0, 3) }));
          else if (how < 0.5) take(await b.receive({ signal: AbortSignal.timeout(2) }));
          else if (how < 0.7) {
            for await (const datagram of b) {
              take(datagram);
              if (chance() < 0.5 || seen.length >= total) break;
            }
          } else take(await b.receive());
        } catch (error) {
          const isWait = error instanceof Error &&
            ["TimedOut", "TimeoutError", "ClosedError"].includes(error.name);
          if (!isWait) throw error;
        }
      }
      await b.close(); // the others wait no more
    });
    while (sent < total) {
      for (let i = between(chance, 1, 20); i > 0 && sent < total; i--) a.send(`${sent++}`, at(b));
      if (chance() < 0.5) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await Promise.all(readers);
    assertEquals(seen.sort((x, y) => x - y), Array.from({ length: total }, (_, i) => i));
  },
  { seconds: 1.5 },
);
