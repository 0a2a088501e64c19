/** A session per peer. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, isNetError } from "../../errors.ts";
import { bindUdp, connectUdp, sessions, type UdpSession } from "../../udp/mod.ts";
import { at, backends, Events, limit, settled, text } from "./_util.ts";

/** Takes whatever the peer sends next, so that it is asked from the same port each time. */
const next = { samePort: true };

for (const backend of backends) {
  const test = (name: string, body: () => Promise<void>) =>
    Deno.test(`${backend}: sessions: ${name}`, limit, body);

  test("each peer has its own handler and order", async () => {
    await using endpoint = await bindUdp({ backend });
    await using all = sessions(endpoint, async (session) => {
      let count = 0;
      for await (const { data } of session) await session.send(`${text(data)} ${++count}`);
    });
    await using a = await connectUdp({ backend, port: at(endpoint).port });
    await using b = await connectUdp({ backend, port: at(endpoint).port });
    assertEquals(text((await a.request("a", next)).data), "a 1");
    assertEquals(text((await b.request("b", next)).data), "b 1");
    assertEquals(text((await a.request("a", next)).data), "a 2");
    assertEquals([...all.peers].map(({ remoteAddr }) => remoteAddr), [b.addr, a.addr]);
    assertEquals([all.stats().active, all.stats().opened], [2, 2]);
    await assertRejects(() => endpoint.receive(), Deno.errors.Busy);
    assertThrows(() => sessions(endpoint, () => {}), Deno.errors.Busy);
    await all.shutdown();
    assertEquals(all.stats().active, 0);
    // The endpoint is given back.
    await a.send("plain");
    assertEquals(text((await endpoint.receive()).data), "plain");
  });

  test("one datagram, one answer, and a new session for the next", async () => {
    await using endpoint = await bindUdp({ backend });
    const seen: UdpSession[] = [];
    await using all = sessions(endpoint, async (session) => {
      seen.push(session);
      const datagram = await session.receive();
      await datagram?.reply("once");
    });
    await using a = await connectUdp({ backend, port: at(endpoint).port });
    assertEquals(text((await a.request("1", next)).data), "once");
    while (all.stats().active > 0) await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals(text((await a.request("2", next)).data), "once");
    assertEquals(seen.length, 2);
    assertEquals(seen[0]?.ended, "handler");
    assertEquals(await seen[0]?.receive(), null);
    await seen[0]?.send("afterwards");
    assertEquals(text((await a.receive()).data), "afterwards");
  });

  test("a silent peer's session ends", async () => {
    await using endpoint = await bindUdp({ backend });
    const ended = new Events<UdpSession>();
    await using all = sessions(endpoint, { idle: 20 }, async (session) => {
      for await (const _ of session);
      ended.push(session);
    });
    await using a = await connectUdp({ backend, port: at(endpoint).port });
    await a.send("x");
    const session = await ended.next();
    assertEquals([session.ended, session.signal.aborted], ["idle", true]);
    assert(session.signal.reason instanceof ClosedError);
    assertEquals([all.stats().expired, all.stats().active], [1, 0]);
  });

  test("idle: 0 ends a session at once, Infinity never", async () => {
    for (const idle of [0, Infinity]) {
      await using endpoint = await bindUdp({ backend });
      const ended = new Events<[string | null, unknown]>();
      await using all = sessions(endpoint, { idle }, async (session) => {
        for await (const _ of session);
        ended.push([session.ended, (session.signal.reason as ClosedError).code]);
      });
      await using a = await connectUdp({ backend, port: at(endpoint).port });
      await a.send("x");
      while (all.stats().opened === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      if (idle === Infinity) await all.shutdown();
      assertEquals(await ended.next(), idle === 0 ? ["idle", "closed"] : ["stopped", "draining"]);
    }
  });

  test("with too many peers the idlest goes", async () => {
    await using endpoint = await bindUdp({ backend });
    const ended = new Events<UdpSession>();
    await using all = sessions(endpoint, { maxPeers: 2 }, async (session) => {
      session.signal.addEventListener("abort", () => ended.push(session));
      for await (const datagram of session) await datagram.reply(datagram.data);
    });
    const { port } = at(endpoint);
    await using a = await connectUdp({ backend, port });
    await using b = await connectUdp({ backend, port });
    await using c = await connectUdp({ backend, port });
    for (const peer of [a, b]) {
      await peer.request("first", next);
      await peer.request("confirmed", next);
    }
    await a.request("a again", next);
    await c.request("first", next);
    assertEquals([all.stats().active, all.stats().unconfirmed], [3, 1]);
    await c.request("confirmed", next);
    const evicted = await ended.next();
    assertEquals([evicted.ended, evicted.remoteAddr], ["evicted", b.addr]);
    assertEquals([all.stats().active, all.stats().evicted], [2, 1]);
    assertEquals(text((await b.request("b again", next)).data), "b again");
    await b.request("confirmed", next);
    assertEquals((await ended.next()).remoteAddr, a.addr);
  });

  test("a slow handler's queue is bounded, others' are not touched", async () => {
    await using endpoint = await bindUdp({ backend });
    const started = new Events<UdpSession>();
    await using all = sessions(endpoint, { maxQueue: 2 }, async (session) => {
      const first = await session.receive();
      if (text(first?.data) !== "slow") {
        await session.send("fast");
        return;
      }
      started.push(session);
      await new Promise((resolve) => session.signal.addEventListener("abort", resolve));
    });
    await using slow = await bindUdp({ backend });
    await slow.send("slow", at(endpoint));
    const session = await started.next();
    for (let i = 0; i < 4; i++) await slow.send(`${i}`, at(endpoint));
    await settled(endpoint, slow, 5);
    assertEquals([session.dropped, all.stats().dropped], [3, 3]);
    await using fast = await connectUdp({ backend, port: at(endpoint).port });
    assertEquals(text((await fast.request("x")).data), "fast");
    assertEquals(text((await session.receive())?.data), "0");
    session.close();
    session.close();
    assertEquals([session.ended, await session.receive()], ["closed", null]);
  });

  test("bytes that wait are bounded over all peers, and newcomers have room", async () => {
    await using endpoint = await bindUdp({ backend });
    const done = Promise.withResolvers<void>();
    // A quarter of that is for unconfirmed peers.
    await using all = sessions(endpoint, { maxQueueBytes: 40 }, () => done.promise);
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend });
    await a.send("123456", at(endpoint));
    await settled(endpoint, a, 1);
    await b.send("12345", at(endpoint));
    await settled(endpoint, b, 3);
    const { evicted, active, dropped } = all.stats();
    assertEquals([evicted, active, dropped], [1, 1, 2]); // what a had sent, and nothing of b
    assertEquals([...all.peers].map(({ remoteAddr }) => remoteAddr), [b.addr]);
    done.resolve();
  });

  test("receive times out without losing anything; a throwing handler is reported", async () => {
    await using endpoint = await bindUdp({ backend });
    const errors = new Events<[unknown, UdpSession | undefined]>();
    const timedOut = new Events<unknown>();
    await using all = sessions(endpoint, {
      onError: (error, session) => errors.push([error, session]),
    }, async (session) => {
      await session.receive();
      await session.receive({ timeout: 10 }).catch(timedOut.push);
      const datagram = await session.receive({ timeout: 10_000 });
      throw new Error(`thrown after ${text(datagram?.data)}`);
    });
    await using a = await connectUdp({ backend, port: at(endpoint).port });
    await a.send("one");
    const late = await timedOut.next();
    assert(late instanceof Deno.errors.TimedOut && isNetError(late));
    await a.send("two");
    const [error, session] = await errors.next();
    assertEquals([(error as Error).message, session?.remoteAddr], ["thrown after two", a.addr]);
    assertEquals(all.stats().handlerErrors, 1);
  });

  test("they end with their endpoint", async () => {
    const endpoint = await bindUdp({ backend });
    const ends = new Events<string | null>();
    const started = new Events<void>();
    const all = sessions(endpoint, async (session) => {
      started.push();
      for await (const _ of session);
      ends.push(session.ended);
    });
    await using a = await connectUdp({ backend, port: at(endpoint).port });
    await a.send("x");
    await started.next();
    await endpoint.close();
    assertEquals(await ends.next(), "stopped");
    await all.finished;
    await all.shutdown();
    assertThrows(() => sessions(endpoint, () => {}), ClosedError);
  });
}

Deno.test("sessions: options out of range are named", limit, async () => {
  await using endpoint = await bindUdp();
  for (const name of ["idle", "maxPeers", "maxQueue", "maxQueueBytes"]) {
    assertThrows(() => sessions(endpoint, { [name]: -1 }, () => {}), RangeError, name);
  }
  assertThrows(() => sessions(endpoint, 1 as unknown as () => void), TypeError);
});
