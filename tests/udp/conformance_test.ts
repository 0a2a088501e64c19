/** One suite for both backends: they must behave the same. */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { ClosedError, isNetError, LimitError } from "../../errors.ts";
import { bindUdp, connectUdp, type Datagram, serveUdp } from "../../udp/mod.ts";
import { at, backends, bytes, endpoint, Events, limit, quiet, settled, text } from "./_util.ts";

for (const backend of backends) {
  const test = (name: string, body: () => Promise<void>) =>
    Deno.test(`${backend}: ${name}`, limit, body);

  test("binds loopback by default, and what it receives says who sent it", async () => {
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend, port: 0, hostname: "127.0.0.1" });
    assertEquals(a.backend, backend);
    assertEquals(at(a).hostname, "127.0.0.1");
    assertEquals(at(a).transport, "udp");
    assert(at(a).port > 0);
    await a.send("hello", at(b));
    const datagram = await b.receive();
    assertEquals(text(datagram.data), "hello");
    assertEquals(datagram.from, a.addr);
    assertEquals(datagram.truncated, false);
    await datagram.reply(bytes("hello yourself"));
    assertEquals(text((await a.receive()).data), "hello yourself");
  });

  test("a zero-length datagram is data", async () => {
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend });
    await a.send(new Uint8Array(0), at(b));
    const { data, from } = await b.receive();
    assertEquals(data.length, 0);
    assertEquals(from, a.addr);
  });

  test("what was received is owned: later datagrams do not change it", async () => {
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend });
    const sizes = [1, 64, 1_023, 1_024, 1_500, 9_000, 65_507];
    for (const [i, size] of sizes.entries()) await a.send(new Uint8Array(size).fill(i + 1), at(b));
    const received: Datagram[] = [];
    for (const _ of sizes) received.push(await b.receive());
    for (const [i, size] of sizes.entries()) {
      assertEquals(received[i]?.data, new Uint8Array(size).fill(i + 1));
    }
    received[1]?.data.fill(99); // and changing one does not change its neighbours
    assertEquals(received[0]?.data, new Uint8Array(1).fill(1));
    assertEquals(received[2]?.data, new Uint8Array(1_023).fill(3));
  });

  test("a longer datagram than accepted is cut and says so", async () => {
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend, maxDatagramSize: 8 });
    await a.send("12345678", at(b));
    await a.send("123456789", at(b));
    const whole = await b.receive();
    const cut = await b.receive();
    assertEquals([text(whole.data), whole.truncated], ["12345678", false]);
    assertEquals([text(cut.data), cut.truncated], ["12345678", true]);
    assertEquals(b.stats().truncated, 1);
  });

  test("sizes are checked: 65,507 bytes go, one more does not", async () => {
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend });
    await a.send(new Uint8Array(65_507), at(b));
    assertEquals((await b.receive()).data.length, 65_507);
    const error = await assertRejects(() => a.send(new Uint8Array(65_508), at(b)), RangeError);
    assertStringIncludes(error.message, "65507");
    await assertRejects(() => a.request(new Uint8Array(65_508), at(b)), RangeError);
    for (const maxDatagramSize of [0, -1, 1.5, NaN, 65_528, Infinity]) {
      await assertRejects(() => bindUdp({ backend, maxDatagramSize }), RangeError);
    }
  });

  test("ports are checked, not clamped", async () => {
    for (const port of [-1, 65_536, 1.5, NaN]) {
      await assertRejects(() => bindUdp({ backend, port }), RangeError);
      await assertRejects(() => connectUdp({ backend, port }), RangeError);
    }
    await assertRejects(() => connectUdp({ backend, port: 0 }), RangeError);
    await using a = await bindUdp({ backend });
    for (const port of [0, -1, 65_536, 70_000, 1.5, NaN]) {
      await assertRejects(() => a.send("x", { port }), RangeError);
      await assertRejects(() => a.request("x", { port }), RangeError);
    }
    assertEquals(a.stats().datagramsSent, 0);
  });

  test("wrong arguments reject with TypeError", async () => {
    await using a = await bindUdp({ backend });
    await assertRejects(() => a.send(7 as unknown as string, at(a)), TypeError);
    await assertRejects(() => a.send("x", null as unknown as Deno.NetAddr), TypeError);
    await assertRejects(() => a.send("x", { path: "/nowhere" }), TypeError);
    await assertRejects(() => bindUdp({ backend: "other" as "auto" }), TypeError);
    await assertRejects(() => serveUdp({ backend }, undefined as unknown as () => void), TypeError);
  });

  test("a port that is taken, an address that is not ours, a host that is not", async () => {
    await using a = await bindUdp({ backend });
    const taken = await assertRejects(
      () => bindUdp({ backend, port: at(a).port }),
      Deno.errors.AddrInUse,
      `Cannot bind on 127.0.0.1:${at(a).port}: address already in use`,
    );
    assert(isNetError(taken));
    assertEquals([taken.operation, taken.transport, taken.code], ["bind", "udp", "EADDRINUSE"]);
    await assertRejects(
      () => bindUdp({ backend, hostname: "192.0.2.77" }),
      Deno.errors.AddrNotAvailable,
    );
    const unknown = await assertRejects(
      () => bindUdp({ backend, hostname: "nowhere.invalid" }),
      Deno.errors.NotFound,
      "no such host",
    );
    assert(isNetError(unknown) && unknown.code === "ENOTFOUND");
    await assertRejects(
      () => a.send("x", { hostname: "nowhere.invalid", port: 9 }),
      Deno.errors.NotFound,
    );
    await assertRejects(
      () => connectUdp({ backend, hostname: "nowhere.invalid", port: 9 }),
      Deno.errors.NotFound,
    );
  });

  test("names are looked up", async () => {
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend, hostname: "localhost" });
    await a.send("by name", { hostname: "localhost", port: at(b).port });
    assertEquals(text((await b.receive()).data), "by name");
    const answering = b.receive().then((datagram) => datagram.reply("me"));
    const answer = await a.request("who?", { hostname: "localhost", port: at(b).port });
    assertEquals(text(answer.data), "me");
    await answering;
  });

  test("an IPv4 socket says that it cannot reach IPv6", async () => {
    await using a = await bindUdp({ backend });
    const error = await assertRejects(
      () => a.send("x", { hostname: "::1", port: 9 }),
      Error,
      "IPv4 socket",
    );
    assert(isNetError(error) && error.code === "EAFNOSUPPORT");
  });

  test("IPv6, and IPv4 senders to a dual-stack socket in their plain form", async () => {
    await using six = await bindUdp({ backend, hostname: "::" });
    await using peer = await connectUdp({ backend, hostname: "[::1]", port: at(six).port });
    await peer.send(new Uint8Array(65_527));
    const datagram = await six.receive();
    assertEquals([datagram.data.length, datagram.truncated], [65_507, true]);
    assertEquals(datagram.from, peer.addr);
    await datagram.reply("six");
    assertEquals(text((await peer.receive()).data), "six");
    await using four = await bindUdp({ backend });
    await four.send("four", { port: at(six).port });
    const { from } = await six.receive();
    assertEquals(from, four.addr);
    await six.send("back", from);
    assertEquals(text((await four.receive()).data), "back");
  });

  test("other spellings of an address find the same peer", async () => {
    await using server = await serveUdp(
      { ...quiet, backend, hostname: "::1" },
      ({ data }) => data,
    );
    await using peer = await connectUdp({
      backend,
      hostname: "0:0:0:0:0:0:0:1",
      port: at(server).port,
    });
    assertEquals(text((await peer.request("same?")).data), "same?");
  });

  test("nobody there: neither send nor the loop minds", async () => {
    await using gone = await bindUdp({ backend });
    const { port } = at(gone);
    await gone.close();
    await using a = await bindUdp({ backend });
    for (let i = 0; i < 5; i++) await a.send("anybody?", { port });
    await a.send("still here", at(a));
    assertEquals(text((await a.receive()).data), "still here");
  });

  test("broadcast needs its option", async () => {
    await using mute = await bindUdp({ backend, hostname: "0.0.0.0" });
    const error = await assertRejects(
      () => mute.send("x", { hostname: "255.255.255.255", port: 9 }),
      Deno.errors.PermissionDenied,
      "broadcast",
    );
    assert(isNetError(error) && error.code === "EACCES");
    await using loud = await bindUdp({ backend, hostname: "0.0.0.0", broadcast: true });
    // Loopback has a broadcast address of its own, which needs no network.
    await loud.send("everybody", { hostname: "127.255.255.255", port: at(mute).port });
    assertEquals(text((await mute.receive()).data), "everybody");
  });

  test("receive times out without losing what comes later", async () => {
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend });
    const error = await assertRejects(() => b.receive({ timeout: 10 }), Deno.errors.TimedOut);
    assert(isNetError(error) && error.operation === "receive");
    await assertRejects(() => b.receive({ timeout: 0 }), Deno.errors.TimedOut);
    const controller = new AbortController();
    const aborted = b.receive({ signal: controller.signal });
    const reason = new Error("changed my mind");
    controller.abort(reason);
    assertStrictEquals(await assertRejects(() => aborted), reason);
    assertStrictEquals(await assertRejects(() => b.receive({ signal: controller.signal })), reason);
    await assertRejects(() => b.receive({ timeout: -1 }), RangeError);
    await a.send("one", at(b));
    await a.send("two", at(b));
    assertEquals(text((await b.receive({ timeout: 10_000 })).data), "one");
    assertEquals(text((await b.receive({ signal: new AbortController().signal })).data), "two");
  });

  test("several may wait; each gets a whole datagram, in order", async () => {
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend });
    const waiting = [b.receive(), b.receive({ timeout: 10_000 }), b.receive()];
    for (const word of ["one", "two", "three"]) await a.send(word, at(b));
    const words = (await Promise.all(waiting)).map(({ data }) => text(data));
    assertEquals(words, ["one", "two", "three"]);
  });

  test("a loop can be left early and taken up again", async () => {
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend });
    const words: string[] = [];
    for (const word of ["one", "two", "three", "four"]) await a.send(word, at(b));
    for await (const { data } of b) {
      words.push(text(data));
      break;
    }
    for await (const { data } of b) {
      words.push(text(data));
      if (words.length === 3) break;
    }
    words.push(text((await b.receive()).data));
    assertEquals(words, ["one", "two", "three", "four"]);
    // An iterator that is left while it waits takes nothing with it.
    const iterator = b[Symbol.asyncIterator]();
    const next = iterator.next();
    assertEquals(await iterator.return?.(), { value: undefined, done: true });
    assertEquals(await next, { value: undefined, done: true });
    await a.send("five", at(b));
    assertEquals(text((await b.receive()).data), "five");
  });

  test("close ends loops, rejects waiters and frees the port", async () => {
    const a = await bindUdp({ backend });
    const { port } = at(a);
    const waiting = a.receive();
    const asking = a.request("x", { port: 9 });
    const rejected = [
      assertRejects(() => waiting, ClosedError),
      assertRejects(() => asking, ClosedError),
    ];
    const looping = (async () => {
      for await (const _ of a);
    })();
    const closing = a.close();
    assertStrictEquals(a.close(), closing);
    await closing;
    await Promise.all(rejected);
    await looping;
    const error = await assertRejects(() => a.send("x", { port: 9 }), ClosedError);
    assertEquals([error.code, error.operation, error.transport], ["closed", "send", "udp"]);
    await assertRejects(() => a.receive(), ClosedError);
    await assertRejects(() => a.request("x", { port: 9 }), ClosedError);
    await assertRejects(() => a.joinMulticast("239.1.2.3"), ClosedError);
    for await (const _ of a) throw new Error("a closed endpoint has no datagrams");
    await using again = await bindUdp({ backend, port });
    assertEquals(at(again).port, port);
  });

  test("a signal closes it, and its reason is what calls reject with", async () => {
    const controller = new AbortController();
    const a = await bindUdp({ backend, signal: controller.signal });
    const waiting = a.receive();
    const reason = new Error("enough");
    controller.abort(reason);
    assertStrictEquals(await assertRejects(() => waiting), reason);
    assertStrictEquals(await assertRejects(() => a.send("x", { port: 9 })), reason);
    await a.close();
    assertStrictEquals(
      await assertRejects(() => bindUdp({ backend, signal: controller.signal })),
      reason,
    );
  });

  test("what the queue cannot hold is dropped and counted: datagrams", async () => {
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend, maxQueue: 3 });
    for (let i = 0; i < 5; i++) await a.send(`${i}`, at(b));
    await settled(b, a, 5);
    assertEquals([b.stats().queued, b.stats().dropped], [3, 3]);
    for (let i = 0; i < 3; i++) assertEquals(text((await b.receive()).data), `${i}`);
    await a.send("room again", at(b));
    assertEquals(text((await b.receive()).data), "room again");
  });

  test("what the queue cannot hold is dropped and counted: bytes", async () => {
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend, maxQueueBytes: 10 });
    for (const word of ["12345", "123456", "12345", "1"]) await a.send(word, at(b));
    await settled(b, a, 4);
    const { bytesQueued, dropped } = b.stats();
    assertEquals([bytesQueued, dropped], [10, 2]);
    const words = [text((await b.receive()).data), text((await b.receive()).data)];
    assertEquals(words, ["12345", "12345"]);
  });

  test("stats count what went through", async () => {
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend });
    await a.send("12345", at(b));
    await b.receive();
    const { datagramsSent: sent, bytesSent } = a.stats();
    const { datagramsReceived: received, bytesReceived, queued } = b.stats();
    assertEquals([sent, bytesSent, received, bytesReceived, queued], [1, 5, 1, 5, 0]);
  });

  test("connectUdp hears its peer only", async () => {
    await using server = await bindUdp({ backend });
    await using stranger = await bindUdp({ backend });
    await using peer = await connectUdp({ backend, port: at(server).port });
    assertEquals(peer.remoteAddr, server.addr);
    assertEquals(peer.addr, peer.localAddr);
    await stranger.send("pst", at(peer));
    await server.send("psst", at(peer));
    assertEquals(text((await peer.receive()).data), "psst");
    assertEquals(peer.stats().strangers, 1);
    await peer.send("who was that?");
    const datagram = await server.receive();
    assertEquals(datagram.from, peer.addr);
    // Even when the stranger's datagram looks like the answer.
    const asking = peer.request("name?", { match: (data) => data[0] === 0x21 });
    const question = await server.receive();
    await stranger.send("!mallory", question.from);
    await question.reply("!bob");
    assertEquals(text((await asking).data), "!bob");
    const words: string[] = [];
    await server.send("one more", at(peer));
    for await (const { data } of peer) {
      words.push(text(data));
      break;
    }
    assertEquals(words, ["one more"]);
  });

  test("start order does not matter", async () => {
    await using placeholder = await bindUdp({ backend });
    const { port } = at(placeholder);
    await placeholder.close();
    await using peer = await connectUdp({ backend, port });
    const asking = peer.request("anybody?", { timeout: 20, maxTimeout: 20, retries: 500 });
    await using _server = await serveUdp({ ...quiet, backend, port }, () => "now");
    assertEquals(text((await asking).data), "now");
  });

  test("request: asks again, and says how often over how long", async () => {
    await using silent = await bindUdp({ backend });
    await using a = await bindUdp({ backend });
    const asking = a.request("hello?", at(silent), { timeout: 10, retries: 3 });
    const error = await assertRejects(
      () => asking,
      Deno.errors.TimedOut,
      "no answer to 4 tries over",
    );
    assert(isNetError(error));
    assertEquals([error.operation, error.code], ["request", "ETIMEDOUT"]);
    assertEquals(error.remoteAddr, silent.addr);
    for (let i = 0; i < 4; i++) assertEquals(text((await silent.receive()).data), "hello?");
    await assertRejects(() => silent.receive({ timeout: 0 }), Deno.errors.TimedOut);
    assertEquals([a.stats().retransmits, a.stats().datagramsSent, a.stats().requests], [3, 4, 0]);
    const once = a.request("hello?", at(silent), { timeout: 10, retries: 0 });
    await assertRejects(() => once, Deno.errors.TimedOut, "1 try over");
  });

  test("request: a lost question is asked again, and its buffer may be used again", async () => {
    await using server = await bindUdp({ backend });
    await using a = await bindUdp({ backend });
    const question = bytes("question");
    const asking = a.request(question, at(server), { timeout: 10, retries: 20 });
    await server.receive(); // as if it was lost
    question.fill(0);
    const again = await server.receive();
    assertEquals(text(again.data), "question");
    await again.reply("answer");
    assertEquals(text((await asking).data), "answer");
  });

  test("request: many at once, answered in another order", async () => {
    await using server = await bindUdp({ backend });
    await using a = await bindUdp({ backend });
    const asking = Array.from(
      { length: 100 },
      (_, id) =>
        a.request(new Uint8Array([id, 1]), at(server), {
          match: (data) => data[0] === id,
          timeout: 10_000,
        }),
    );
    const questions: Datagram[] = [];
    for (const _ of asking) questions.push(await server.receive());
    for (const question of questions.reverse()) {
      await question.reply(new Uint8Array([question.data[0] ?? 0, 2]));
    }
    for (const [id, answer] of (await Promise.all(asking)).entries()) {
      assertEquals(answer.data, new Uint8Array([id, 2]));
    }
  });

  test("request: late and duplicate answers are dropped and counted, the rest is received", async () => {
    await using server = await bindUdp({ backend });
    await using a = await bindUdp({ backend });
    const first = a.request("1?", at(server), { timeout: 10_000 });
    const question = await server.receive();
    await question.reply("1!");
    await question.reply("1!");
    assertEquals(text((await first).data), "1!");
    const match = (data: Uint8Array) => data[0] === 0x32;
    const asking = a.request("2?", at(server), { match, timeout: 5, retries: 0 });
    const late = assertRejects(() => asking, Deno.errors.TimedOut);
    const unanswered = await server.receive();
    await late;
    await unanswered.reply("2!");
    await unanswered.reply("news");
    assertEquals(text((await a.receive()).data), "news");
    assertEquals(a.stats().lateAnswers, 2);
    await assertRejects(() => a.receive({ timeout: 0 }), Deno.errors.TimedOut);
  });

  test("request: the answer must come from where it was asked, unless told otherwise", async () => {
    await using server = await bindUdp({ backend });
    await using other = await bindUdp({ backend });
    await using a = await bindUdp({ backend });
    const match = (data: Uint8Array) => data[0] === 0x21;
    const strict = a.request("?", at(server), { match, timeout: 10_000 });
    const question = await server.receive();
    await other.send("!other", question.from);
    assertEquals(text((await a.receive()).data), "!other");
    await question.reply("!server");
    assertEquals(text((await strict).data), "!server");
    const loose = a.request("?", at(server), { match, anySource: true, timeout: 10_000 });
    await other.send("!other", (await server.receive()).from);
    assertEquals((await loose).from, other.addr);
  });

  test("request: the same answer again and again is no duplicate", async () => {
    await using server = await serveUdp({ ...quiet, backend }, () => "pong");
    await using a = await bindUdp({ backend });
    for (let i = 0; i < 20; i++) {
      assertEquals(text((await a.request("ping", at(server), { retries: 0 })).data), "pong");
    }
    assertEquals(a.stats().lateAnswers, 0);
  });

  test("request: an answer to a retransmit is not taken for the next request's", async () => {
    await using server = await bindUdp({ backend });
    await using a = await bindUdp({ backend });
    const first = a.request("1?", at(server), { timeout: 10, maxTimeout: 10_000, retries: 2 });
    const tries = [await server.receive(), await server.receive()];
    await tries[0]?.reply("1!");
    assertEquals(text((await first).data), "1!");
    const second = a.request("2?", at(server), { timeout: 10_000 });
    const question = await server.receive();
    await tries[1]?.reply("1!");
    await question.reply("2!");
    assertEquals(text((await second).data), "2!");
    assertEquals(a.stats().lateAnswers, 1);
  });

  test("request: one datagram that was lost does not spoil the same answers after it", async () => {
    let lost = 1;
    await using server = await serveUdp(
      { ...quiet, backend },
      () => lost-- > 0 ? undefined : "pong",
    );
    await using a = await bindUdp({ backend });
    // With each answer taken for a copy of the one before, the fifth would get none in four tries.
    for (let i = 0; i < 6; i++) {
      const { data } = await a.request("ping", at(server), { timeout: 100, retries: 3 });
      assertEquals(text(data), "pong");
    }
  });

  test("request: bounded, cancelled, and a match that throws", async () => {
    await using server = await bindUdp({ backend });
    await using a = await bindUdp({ backend, maxRequests: 2 });
    const controller = new AbortController();
    const { signal } = controller;
    const one = a.request("1", at(server), { signal, match: () => false });
    const two = a.request("2", at(server), {
      match() {
        throw new Error("match failed");
      },
    });
    await server.receive();
    const question = await server.receive();
    const error = await assertRejects(() => a.request("3", at(server)), LimitError);
    assertEquals([error.code, error.limit], ["requests", 2]);
    const failed = assertRejects(() => two, Error, "match failed");
    const reason = new Error("never mind");
    controller.abort(reason);
    assertStrictEquals(await assertRejects(() => one), reason);
    await question.reply("?");
    await failed;
    assertEquals(a.stats().requests, 0);
    await assertRejects(() => a.request("x", at(server), { retries: -1 }), RangeError);
    await assertRejects(() => a.request("x", at(server), { timeout: -1 }), RangeError);
  });

  test("serveUdp: what a handler returns is the answer", async () => {
    const answers = [
      ({ data }: Datagram) => data,
      ({ data }: Datagram) => text(data),
      ({ data }: Datagram) => Promise.resolve(data),
      async (datagram: Datagram) => {
        await datagram.reply(datagram.data);
      },
    ];
    for (const handler of answers) {
      await using server = await serveUdp({ ...quiet, backend }, handler);
      await using a = await bindUdp({ backend });
      assertEquals(text((await a.request("echo", at(server))).data), "echo");
      const { datagramsReceived: received, datagramsSent: sent, active, handlerErrors } = server
        .stats();
      assertEquals([received, sent, active, handlerErrors], [1, 1, 0, 0]);
    }
  });

  test("serveUdp: a handler that throws is reported, and the next datagram is served", async () => {
    const errors = new Events<[unknown, Datagram | undefined]>();
    await using server = await serveUdp(
      { ...quiet, backend, onError: (error, datagram) => errors.push([error, datagram]) },
      ({ data }) => {
        const word = text(data);
        if (word === "sync") throw new Error("sync");
        if (word === "async") return Promise.reject(new Error("async"));
        if (word === "long") return new Uint8Array(70_000);
        if (word === "wrong") return 7 as unknown as string;
        return word;
      },
    );
    await using a = await bindUdp({ backend });
    for (const word of ["sync", "async"]) {
      await a.send(word, at(server));
      const [error, datagram] = await errors.next();
      assertEquals([(error as Error).message, text(datagram?.data)], [word, word]);
    }
    await a.send("long", at(server));
    assertInstanceOf((await errors.next())[0], RangeError);
    await a.send("wrong", at(server));
    assertInstanceOf((await errors.next())[0], TypeError);
    assertEquals(text((await a.request("fine", at(server))).data), "fine");
    assertEquals([server.stats().handlerErrors, server.stats().active], [4, 0]);
  });

  test("serveUdp: so many handlers at once, the rest wait in a bounded queue", async () => {
    const started = new Events<string>();
    const release = new Map<string, () => void>();
    let running = 0;
    let most = 0;
    await using server = await serveUdp(
      { ...quiet, backend, concurrency: 2, maxQueue: 2 },
      async ({ data }) => {
        most = Math.max(most, ++running);
        const { promise, resolve } = Promise.withResolvers<void>();
        release.set(text(data), resolve);
        started.push(text(data));
        await promise;
        running--;
        return data;
      },
    );
    await using a = await bindUdp({ backend });
    for (const word of ["1", "2", "3", "4", "5", "6"]) await a.send(word, at(server));
    assertEquals([await started.next(), await started.next()], ["1", "2"]);
    await settled(server, a, 6);
    const { active, queued, dropped } = server.stats();
    assertEquals([active, queued, dropped], [2, 2, 3]);
    release.get("1")?.();
    assertEquals(await started.next(), "3");
    for (const word of ["2", "3"]) release.get(word)?.();
    assertEquals(await started.next(), "4");
    release.get("4")?.();
    const answers = new Set<string>();
    for (let i = 0; i < 4; i++) answers.add(text((await a.receive()).data));
    assertEquals([...answers].sort(), ["1", "2", "3", "4"]);
    assertEquals(most, 2);
  });

  test("serveUdp: shutdown waits for the handlers and their answers", async () => {
    const started = new Events<AbortSignal>();
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = await serveUdp({ ...quiet, backend }, async ({ data }, { signal }) => {
      started.push(signal);
      await promise;
      return data;
    });
    await using a = await bindUdp({ backend });
    await a.send("work", at(server));
    const signal = await started.next();
    assertEquals(signal.aborted, false);
    const stopping = server.shutdown({ timeout: 10_000 });
    assertEquals(signal.aborted, true);
    assertEquals((signal.reason as ClosedError).code, "draining");
    await a.send("too late", at(server));
    resolve();
    await stopping;
    await server.finished;
    assertEquals(text((await a.receive()).data), "work");
    await using again = await bindUdp({ backend, port: at(server).port });
    assertEquals(again.addr, server.addr);
    await server.shutdown();
  });

  test("serveUdp: shutdown does not wait for ever, and a signal not at all", async () => {
    const started = new Events<void>();
    const never = new Promise<void>(() => {});
    const stuck = await serveUdp({ ...quiet, backend }, () => {
      started.push();
      return never;
    });
    await using a = await bindUdp({ backend });
    await a.send("work", at(stuck));
    await started.next();
    await stuck.shutdown({ timeout: 10 });
    const controller = new AbortController();
    const signals = new Events<AbortSignal>();
    const aborted = await serveUdp(
      { ...quiet, backend, signal: controller.signal },
      async (_, { signal }) => {
        signals.push(signal);
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
    );
    await a.send("work", at(aborted));
    const signal = await signals.next();
    const reason = new Error("stop");
    controller.abort(reason);
    await aborted.finished;
    assertStrictEquals(signal.reason, reason);
    assertStrictEquals(
      await assertRejects(() =>
        serveUdp({ ...quiet, backend, signal: controller.signal }, () => {})
      ),
      reason,
    );
  });

  test("serveUdp: is no amplifier", async () => {
    await using server = await serveUdp(
      { ...quiet, backend, maxReplyRatio: 2 },
      async (datagram) => {
        const size = Number(text(datagram.data));
        if (size < 100) return "x".repeat(size);
        await datagram.reply("x".repeat(4)); // 3 + 3 bytes are allowed
        await datagram.reply("x".repeat(3));
        await datagram.reply("x".repeat(2));
        return undefined;
      },
    );
    await using a = await bindUdp({ backend });
    assertEquals((await a.request("03", at(server))).data.length, 3);
    await a.send("05", at(server));
    await a.send("", at(server));
    await a.send("100", at(server));
    assertEquals((await a.receive()).data.length, 0); // Number("") is 0: an empty answer is none
    assertEquals((await a.receive()).data.length, 4);
    assertEquals((await a.receive()).data.length, 2);
    assertEquals(server.stats().refusedReplies, 2);
    for (const maxReplyRatio of [-1, NaN]) {
      await assertRejects(() => serveUdp({ backend, maxReplyRatio }, () => {}), RangeError);
    }
  });

  test("serveUdp: duplicates get the cached answer", async () => {
    let handled = 0;
    const pending = Promise.withResolvers<void>();
    await using server = await serveUdp(
      { ...quiet, backend, dedup: { window: 60_000 }, onError() {} },
      async ({ data }) => {
        handled++;
        if (text(data) === "slow") await pending.promise;
        if (text(data) === "throw") throw new Error("thrown");
        const answer = bytes(`${text(data)} ${handled}`);
        queueMicrotask(() => queueMicrotask(() => answer.fill(0))); // the cache has its own copy
        return answer;
      },
    );
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend });
    for (let i = 0; i < 3; i++) {
      await a.send("same", at(server));
      const { data } = await a.receive();
      if (i > 0) assertEquals(text(data), "same 1");
    }
    // The same bytes from somebody else are another request.
    await b.send("same", at(server));
    await b.receive();
    assertEquals(handled, 2);
    // No answer yet: the duplicate gets none, and the first one gets one.
    for (let i = 0; i < 3; i++) await a.send("slow", at(server));
    await settled(server, a, 7);
    await a.receive(); // the answer to settled()'s own datagram
    pending.resolve();
    await a.receive();
    await assertRejects(() => a.receive({ timeout: 0 }), Deno.errors.TimedOut);
    // A handler that threw has handled it.
    await a.send("throw", at(server));
    await a.send("throw", at(server));
    await settled(server, b, 10);
    await b.receive();
    const { duplicates, handlerErrors } = server.stats();
    assertEquals([duplicates, handlerErrors], [5, 1]);
  });

  test("serveUdp: what dedup remembers is bounded, and may have a key of its own", async () => {
    let handled = 0;
    await using server = await serveUdp(
      {
        ...quiet,
        backend,
        dedup: { maxEntries: 2, key: (data) => data[0] === 0 ? undefined : `${data[0]}` },
      },
      () => `${++handled}`,
    );
    await using a = await bindUdp({ backend });
    const ask = async (...data: number[]) =>
      Number(text((await a.request(new Uint8Array(data), at(server), { samePort: true })).data));
    assertEquals(await ask(1, 1), 1);
    assertEquals(await ask(1, 2), 1); // the same id, whatever else
    assertEquals(await ask(0), 2);
    assertEquals(await ask(0), 3); // no request
    assertEquals(await ask(2), 4);
    assertEquals(await ask(3), 5); // pushes out 1
    assertEquals(await ask(2), 4);
    assertEquals(await ask(1, 1), 6);
    await using small = await serveUdp(
      { ...quiet, backend, dedup: { maxBytes: 10 } },
      ({ data }) => `${text(data)}-${++handled}`.padEnd(6),
    );
    const same = { samePort: true }; // from the same port each time
    const first = await a.request("a", at(small), same);
    await a.request("b", at(small), same); // pushes out the first answer
    assert(text((await a.request("a", at(small), same)).data) !== text(first.data));
    for (const dedup of [-1, { maxEntries: 0 }, { maxBytes: -1 }, { window: NaN }]) {
      await assertRejects(() => serveUdp({ backend, dedup }, () => {}), RangeError);
    }
  });

  test("serveUdp: the endpoint can send, ask and not receive", async () => {
    await using server = await serveUdp({ ...quiet, backend }, () => "pong");
    await using other = await serveUdp({ ...quiet, backend }, () => "answer");
    const { endpoint } = server;
    assertEquals(text((await endpoint.request("ask", at(other))).data), "answer");
    const error = await assertRejects(() => endpoint.receive(), Deno.errors.Busy);
    assert(isNetError(error) && error.code === "EBUSY");
    await assertRejects(() => endpoint[Symbol.asyncIterator]().next(), Deno.errors.Busy);
    await endpoint.close();
    await server.finished;
  });

  test("options out of range are named", async () => {
    for (const name of ["maxQueue", "maxQueueBytes", "maxRequests"]) {
      await assertRejects(() => bindUdp({ backend, [name]: -1 }), RangeError, name);
      await assertRejects(() => serveUdp({ backend, [name]: -1 }, () => {}), RangeError, name);
    }
    await assertRejects(() => serveUdp({ backend, concurrency: 0 }, () => {}), RangeError);
  });

  test("multicast: members on this machine hear each other", async () => {
    const group = "239.255.77.1";
    await using one = await bindUdp({ backend, hostname: "0.0.0.0", reuseAddress: true });
    const { port } = at(one);
    await using two = await bindUdp({ backend, hostname: "0.0.0.0", port, reuseAddress: true });
    await using sender = await bindUdp({ backend }); // on 127.0.0.1: that is where it sends from
    const first = await one.joinMulticast(group, {
      interface: "127.0.0.1",
      ttl: 1,
      loopback: true,
    });
    const second = await two.joinMulticast(group, { interface: "127.0.0.1" });
    assertEquals(first.group, group);
    await sender.send("all", { hostname: group, port });
    assertEquals(text((await one.receive()).data), "all");
    assertEquals(text((await two.receive()).data), "all");
    await first.leave();
    await first.leave();
    await assertRejects(() => first.setTtl(2), ClosedError);
    await sender.send("the rest", { hostname: group, port });
    assertEquals(text((await two.receive()).data), "the rest");
    await second.setTtl(2);
    await second.setLoopback(false);
    for (const ttl of [0, 256, 1.5]) await assertRejects(() => second.setTtl(ttl), RangeError);
    await assertRejects(() => two.joinMulticast(group, { ttl: 256 }), RangeError);
    await assertRejects(() => two.joinMulticast("127.0.0.1"), TypeError, "IPv4 multicast address");
    await assertRejects(() => two.joinMulticast("ff02::1"), TypeError);
    await assertRejects(() => two.joinMulticast(group, { interface: "203.0.113.9" }), Error);
    assertEquals(two.stats().receiveErrors, 0);
  });

  test("multicast: a question to the group may be answered by any member", async () => {
    const group = "239.255.77.2";
    await using server = await serveUdp(
      { ...quiet, backend, hostname: "0.0.0.0" },
      () => "here",
    );
    await server.endpoint.joinMulticast(group, { interface: "127.0.0.1" });
    await using a = await bindUdp({ backend });
    const answer = await a.request("who is there?", { hostname: group, port: at(server).port });
    assertEquals(text(answer.data), "here");
    assertEquals(at({ addr: answer.from }).port, at(server).port);
  });

  test("ref and unref can be called at any time", async () => {
    await using server = await serveUdp({ ...quiet, backend }, () => "pong");
    server.unref();
    server.ref();
    await using a = await endpoint({ backend });
    a.unref();
    a.ref();
    assertEquals(text((await a.request("ping", at(server))).data), "pong");
    await server.shutdown();
    server.ref();
    server.unref();
  });
}

Deno.test("both backends talk to each other", limit, async () => {
  await using server = await serveUdp({ ...quiet, backend: "deno" }, ({ data }) => data);
  await using a = await bindUdp({ backend: "node" });
  assertEquals(text((await a.request("across", at(server))).data), "across");
  await using other = await serveUdp({ ...quiet, backend: "node" }, ({ data }) => data);
  await using b = await bindUdp({ backend: "deno" });
  assertEquals(text((await b.request("across", at(other))).data), "across");
});
