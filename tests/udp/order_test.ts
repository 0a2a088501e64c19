/** What is sent leaves in order, as it was at the call, and bounded. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ClosedError, LimitError } from "../../errors.ts";
import { bindUdp, serveUdp, sessions } from "../../udp/mod.ts";
import { at, backends, limit, quiet, text } from "./_util.ts";

for (const backend of backends) {
  const test = (name: string, body: () => Promise<void>) =>
    Deno.test(`${backend}: sending: ${name}`, limit, body);

  test("what no one awaits leaves in the order of the calls", async () => {
    await using a = await bindUdp({ backend });
    await using b = await bindUdp({ backend });
    for (let i = 0; i < 100; i++) a.send(`${i}`, at(b));
    for (let i = 0; i < 100; i++) assertEquals(text((await b.receive()).data), `${i}`);
    const [first, ...others] = await Promise.all(
      [1, 2, 3].map(async (i) => {
        await a.send(`${i}`, at(b));
        return i;
      }),
    );
    assertEquals([first, ...others], [1, 2, 3]);
  });

  test("replies of a handler leave in order", async () => {
    await using server = await serveUdp({ ...quiet, backend }, (datagram) => {
      for (let i = 0; i < 20; i++) datagram.reply(`${i}`);
      return "end";
    });
    await using endpoint = await bindUdp({ backend });
    await using all = sessions(endpoint, async (session) => {
      await session.receive();
      for (let i = 0; i < 20; i++) session.send(`${i}`);
      await session.send("end");
    });
    await using client = await bindUdp({ backend });
    const expected = [...Array.from({ length: 20 }, (_, i) => `${i}`), "end"];
    for (const bound of [server, endpoint]) {
      await client.send("go", at(bound));
      for (const word of expected) assertEquals(text((await client.receive()).data), word);
    }
    assertEquals(all.stats().opened, 1);
  });

  test("a handler may use the buffer of its answer again at once", async () => {
    const answer = new Uint8Array(4);
    let count = 0;
    await using server = await serveUdp({ ...quiet, backend }, () => {
      answer.fill(++count);
      return answer;
    });
    await using client = await bindUdp({ backend });
    for (let i = 0; i < 50; i++) client.send("?", at(server));
    for (let i = 1; i <= 50; i++) {
      assertEquals((await client.receive()).data, new Uint8Array(4).fill(i));
    }
  });

  test("what waits to be sent is bounded in datagrams and in bytes", async () => {
    await using b = await bindUdp({ backend });
    await using few = await bindUdp({ backend, maxSendQueue: 3 });
    await using small = await bindUdp({ backend, maxSendQueueBytes: 10 });
    const counted = [1, 2, 3].map((i) => few.send(`${i}`, at(b)));
    assertEquals(few.stats().sending, 3);
    few.send("no one awaits this", at(b)); // and nothing ends by it
    const error = await assertRejects(() => few.send("4", at(b)), LimitError, "maxSendQueue");
    assertEquals([error.code, error.limit, error.operation], ["write_queue", 3, "send"]);
    await Promise.all(counted);
    await few.send("room again", at(b));
    const weighed = [small.send("a datagram that leaves at once", at(b)), small.send("2", at(b))];
    await assertRejects(() => small.send("1234567890", at(b)), LimitError, "maxSendQueueBytes");
    await Promise.all(weighed);
    for (const name of ["maxSendQueue", "maxSendQueueBytes", "maxRequestSockets"]) {
      await assertRejects(() => bindUdp({ backend, [name]: -1 }), RangeError, name);
    }
  });

  test("closing sends what was sent before, and nothing after", async () => {
    await using b = await bindUdp({ backend });
    const a = await bindUdp({ backend });
    const sending = Array.from({ length: 20 }, (_, i) => a.send(`${i}`, at(b)));
    const closing = a.close();
    await assertRejects(() => a.send("late", at(b)), ClosedError);
    a.send("late", at(b)).catch(() => {});
    await closing;
    await Promise.all(sending);
    for (let i = 0; i < 20; i++) assertEquals(text((await b.receive()).data), `${i}`);
    assert(a.stats().sending === 0);
  });
}
