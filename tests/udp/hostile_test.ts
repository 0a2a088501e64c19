/** What senders may do without ending, stopping or misusing a server. */
import { assert, assertEquals } from "@std/assert";
import { bindUdp, type Datagram, serveUdp, sessions, type UdpSession } from "../../udp/mod.ts";
import { captureErrors } from "../_util/events.ts";
import { testWith } from "../_util/peers.ts";
import {
  at,
  backends,
  bytes,
  Events,
  limit,
  python,
  quiet,
  RAW_SENDER,
  settled,
  text,
} from "./_util.ts";

const rawTest = testWith("python3", "root");

/** Takes whatever the peer sends next, so that it is asked from the same port each time. */
const next = { samePort: true };

for (const backend of backends) {
  const test = (name: string, body: () => Promise<void>) =>
    Deno.test(`${backend}: senders: ${name}`, limit, body);

  rawTest({
    name: `${backend}: senders: port 0 gets no answer, and ends nothing`,
    ...limit,
    fn: async () => {
      await using endpoint = await bindUdp({ backend });
      await using server = await serveUdp({ ...quiet, backend }, async (datagram) => {
        await datagram.reply("one");
        return "two";
      });
      await using spoken = await bindUdp({ backend });
      await using all = sessions(spoken, async (session) => {
        for await (const datagram of session) {
          await datagram.reply("one");
          await session.send("two");
        }
      });
      const printed = await captureErrors(async () => {
        const targets = [endpoint, server, spoken].map((bound) => at(bound).port);
        await using _sender = python(
          `${RAW_SENDER}
for port in sys.argv[1:]:
    for i in range(20): send(0, int(port), b"x")
print("sent", flush=True)`,
          ...targets,
        );
        assertEquals(await _sender.line(), "sent");
        for (let i = 0; i < 20; i++) {
          const datagram = await endpoint.receive();
          assertEquals(datagram.from.port, 0);
          await datagram.reply("x");
        }
        await using client = await bindUdp({ backend });
        assertEquals(text((await client.request("?", at(server))).data), "one");
        assertEquals(text((await client.request("?", at(spoken))).data), "one");
      });
      assertEquals(printed, []);
      assertEquals([endpoint.stats().unanswerable, endpoint.stats().sendErrors], [20, 0]);
      assertEquals([server.stats().unanswerable, server.stats().handlerErrors], [40, 0]);
      assertEquals(all.stats().unanswerable, 40);
    },
  });

  test("two echo servers do not answer each other for ever", async () => {
    await using one = await serveUdp({ ...quiet, backend, loopGuard: 500 }, ({ data }) => data);
    await using other = await serveUdp({ ...quiet, backend, loopGuard: 500 }, ({ data }) => data);
    // As if somebody had forged the sender: several datagrams circulate.
    for (let i = 0; i < 5; i++) await one.endpoint.send("echo", at(other));
    while (one.stats().refusedReplies + other.stats().refusedReplies < 5) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await settled(one, one.endpoint, one.stats().datagramsReceived); // what was under way has come
    const sent = one.stats().datagramsSent + other.stats().datagramsSent;
    assert(sent < 3_000, `${sent} answers`);
    await using client = await bindUdp({ backend });
    for (const server of [one, other]) {
      assertEquals(text((await client.request("alive", at(server))).data), "alive");
    }
  });

  test("the guard against loops can be lifted, and counts each source by itself", async () => {
    await using guarded = await serveUdp({ ...quiet, backend, loopGuard: 300 }, ({ data }) => data);
    await using free = await serveUdp(
      { ...quiet, backend, loopGuard: Infinity },
      ({ data }) => data,
    );
    await using client = await bindUdp({ backend });
    await using bystander = await bindUdp({ backend });
    let answered = 0;
    while (guarded.stats().refusedReplies === 0) {
      await client.send("x", at(guarded));
      while (guarded.stats().datagramsReceived <= answered) {
        await new Promise((r) => setTimeout(r, 0));
      }
      answered++;
    }
    assert(answered > 300, `refused after ${answered}`);
    assertEquals(text((await bystander.request("?", at(guarded))).data), "?");
    for (let i = 0; i < 1_000; i++) await client.request("x", at(free), next);
    assertEquals(free.stats().refusedReplies, 0);
  });

  test("forged packets neither end a session nor keep newcomers out", async () => {
    await using endpoint = await bindUdp({ backend });
    const ended = new Events<UdpSession>();
    await using all = sessions(endpoint, { maxPeers: 20 }, async (session) => {
      for await (const datagram of session) await datagram.reply(datagram.data);
      ended.push(session);
    });
    await using peer = await bindUdp({ backend });
    await peer.request("hello", at(endpoint), next);
    await peer.request("again", at(endpoint), next);
    const forgers = await Promise.all(Array.from({ length: 60 }, () => bindUdp({ backend })));
    for (const forger of forgers) await forger.send("forged", at(endpoint));
    await settled(endpoint, peer, 62);
    const { unconfirmed, active, evicted } = all.stats();
    assertEquals([unconfirmed, active], [2, 3]); // a quarter of 5, which is a quarter of 20
    assert(evicted > 30, `evicted ${evicted}`); // more than its handlers would do in one turn are dropped
    for (let i = 0; i < evicted; i++) assertEquals((await ended.next()).confirmed, false);
    await using newcomer = await bindUdp({ backend });
    assertEquals(text((await newcomer.request("new", at(endpoint), next)).data), "new");
    assertEquals(text((await newcomer.request("stays", at(endpoint), next)).data), "stays");
    assertEquals([...all.peers].filter(({ confirmed }) => confirmed).length, 2);
    assertEquals(text((await peer.request("still", at(endpoint), next)).data), "still");
    await Promise.all(forgers.map((forger) => forger.close()));
  });

  test("large datagrams of forged senders leave room for newcomers", async () => {
    await using endpoint = await bindUdp({ backend });
    const gate = Promise.withResolvers<void>();
    await using all = sessions(endpoint, {
      maxQueueBytes: 1024 * 1024,
      maxUnconfirmedPerSource: 1_000,
    }, async (session) => {
      await gate.promise; // a handler that looks something up before it receives
      for await (const datagram of session) await datagram.reply(datagram.data.subarray(0, 3));
    });
    const forgers = await Promise.all(Array.from({ length: 40 }, () => bindUdp({ backend })));
    await using newcomer = await bindUdp({ backend });
    let count = 0;
    for (const forger of forgers) {
      await forger.send(new Uint8Array(60_000), at(endpoint));
      await settled(endpoint, newcomer, ++count);
      count++;
    }
    await newcomer.send("new", at(endpoint));
    await settled(endpoint, forgers[0]!, count + 1);
    gate.resolve();
    while (text((await newcomer.receive()).data) !== "new");
    assert(all.stats().evicted > 30);
    await Promise.all(forgers.map((forger) => forger.close()));
  });

  test("what waits in sessions is bounded in datagrams: empty ones, too", async () => {
    await using endpoint = await bindUdp({ backend });
    const gate = Promise.withResolvers<void>();
    await using all = sessions(endpoint, { maxTotalQueue: 40 }, () => gate.promise);
    const senders = await Promise.all(Array.from({ length: 4 }, () => bindUdp({ backend })));
    for (const [before, sender] of senders.entries()) {
      for (let i = 0; i < 20; i++) await sender.send("", at(endpoint));
      await settled(endpoint, sender, before * 21 + 20);
    }
    const { active, dropped } = all.stats();
    // 10 places are for unconfirmed peers; each newcomer takes the place of the one before.
    assertEquals([active, dropped], [1, 4 * 21 - 10]);
    gate.resolve();
    await Promise.all(senders.map((sender) => sender.close()));
  });

  test("the proof of a protocol can be asked for", async () => {
    await using endpoint = await bindUdp({ backend });
    await using all = sessions(
      endpoint,
      { confirm: (data) => text(data) === "secret" },
      async (session) => {
        for await (const datagram of session) await datagram.reply("secret");
      },
    );
    await using guessing = await bindUdp({ backend });
    await using proving = await bindUdp({ backend });
    for (const word of ["?", "guess", "guess"]) await guessing.request(word, at(endpoint), next);
    for (const word of ["?", "secret"]) await proving.request(word, at(endpoint), next);
    const confirmed = [...all.peers].filter((peer) => peer.confirmed);
    assertEquals(confirmed.map(({ remoteAddr }) => remoteAddr), [proving.addr]);
  });

  test("dedup never forgets a request that is being handled", async () => {
    const handled: string[] = [];
    const gate = Promise.withResolvers<void>();
    const waiting = new Events<void>();
    await using server = await serveUdp(
      { ...quiet, backend, dedup: { maxBytes: 1_000, maxEntries: 3, window: 60_000 } },
      async ({ data }) => {
        const word = text(data);
        handled.push(word);
        if (word === "slow") {
          waiting.push();
          await gate.promise;
        }
        return word.padEnd(600);
      },
    );
    await using slow = await bindUdp({ backend });
    await using other = await bindUdp({ backend });
    await slow.send("slow", at(server));
    await waiting.next();
    for (const word of ["1", "2", "3", "4"]) await other.request(word, at(server), next);
    await slow.send("slow", at(server)); // asks again
    await settled(server, other, 6);
    await other.receive();
    assertEquals(server.stats().duplicates, 1);
    gate.resolve();
    assertEquals(text((await slow.receive()).data).trim(), "slow");
    await slow.send("slow", at(server));
    assertEquals(text((await slow.receive()).data).trim(), "slow");
    assertEquals(handled.filter((word) => word === "slow").length, 1);
  });

  test("hooks that reject end nothing", async () => {
    const printed = await captureErrors(async () => {
      const reject = () => Promise.reject(new Error("from a hook"));
      await using server = await serveUdp(
        { port: 0, backend, onListen: reject, onError: reject },
        ({ data }: Datagram) => {
          if (text(data) === "throw") throw new Error("thrown");
          return data;
        },
      );
      await using endpoint = await bindUdp({ backend });
      const done = new Events<void>();
      await using _all = sessions(endpoint, { onError: reject }, (session) => {
        session.signal.addEventListener("abort", () => done.push());
        throw new Error("thrown");
      });
      await using client = await bindUdp({ backend });
      await client.send("throw", at(server));
      await client.send("throw", at(endpoint));
      await done.next();
      assertEquals(text((await client.request("alive", at(server))).data), "alive");
    });
    assertEquals(printed.length, 3);
  });

  test("a second receive() takes nothing from the first", async () => {
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend });
    const words: string[] = [];
    const taking = async () => void words.push(text((await b.receive()).data));
    const first = taking();
    queueMicrotask(taking);
    await a.send("1", at(b));
    await first;
    const others = [taking(), taking()];
    for (const word of ["2", "3", "4"]) await a.send(word, at(b));
    await Promise.all(others);
    assertEquals(words.sort(), ["1", "2", "3", "4"]);
  });

  test("bytes of answers stay as they were sent", async () => {
    const answer = bytes("right");
    await using server = await serveUdp({ ...quiet, backend }, () => {
      queueMicrotask(() => answer.fill(0x78));
      return answer;
    });
    await using client = await bindUdp({ backend });
    assertEquals(text((await client.request("?", at(server))).data), "right");
  });
}
