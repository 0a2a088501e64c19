/**
 * One reader at a time, and none beside messages: no byte and no message is skipped or given twice.
 */
import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { lines, text } from "../../mod.ts";
import { connectedPair, text as textOf, transports } from "../_util/transports.ts";

const limit = { timeout: 20_000 };

for (const transport of transports) {
  Deno.test(`${transport.name}: two receives never take the same message`, limit, async () => {
    await using pair = await connectedPair(transport);
    const messages = pair.client.framed(text(lines()));
    for (let steps = 0; steps < 8; steps++) {
      await pair.server.write("go\none\ntwo\n");
      assertEquals(await messages.receive(), "go");
      const first = messages.receive({ timeout: 10_000 });
      for (let i = 0; i < steps; i++) await null; // between its waiting and its taking
      const second = await messages.receive().catch((error) => error);
      assertEquals(await first, "one");
      if (second === "two") continue;
      assertInstanceOf(second, Deno.errors.Busy); // the first still waited
      assertEquals(await messages.receive(), "two");
    }
  });

  Deno.test(`${transport.name}: bytes are not read beside messages`, limit, async () => {
    await using pair = await connectedPair(transport);
    const { client, server } = pair;
    const messages = client.framed(text(lines()));
    await server.write("one\ntwo\nthree\nfour\n");
    assertEquals(await messages.receive(), "one");
    const calls: Record<string, () => Promise<unknown>> = {
      read: () => client.read(new Uint8Array(4)),
      readExactly: () => client.readExactly(4),
      readUntil: () => client.readUntil("\n"),
      readLine: () => client.readLine(),
      iterate: () => client[Symbol.asyncIterator]().next(),
      readable: () => client.readable.getReader().read(),
      "timeout 0": () => client.read(new Uint8Array(4), { timeout: 0 }),
    };
    for (const call of Object.values(calls)) {
      await assertRejects(call, TypeError, "call release() first");
    }
    assertEquals(await messages.receive(), "two");
    messages.release();
    assertEquals(await client.readLine(), "three");
    const { value } = await client.readable.getReader().read(); // the one that failed is forgotten
    assertEquals(textOf(value ?? null), "four\n");
  });

  Deno.test(`${transport.name}: a connection is not framed while a read waits`, limit, async () => {
    await using pair = await connectedPair(transport);
    const { client, server } = pair;
    const reading = client.readLine();
    assertThrows(() => client.framed(text(lines())), Deno.errors.Busy);
    await server.write("one\ntwo\n");
    assertEquals(await reading, "one");
    assertEquals(await client.framed(text(lines())).receive(), "two");
  });
}

Deno.test("a codec that fails to start leaves the connection unframed", limit, async () => {
  await using pair = await connectedPair();
  const broken = {
    decoder(): never {
      throw new Error("no decoder today");
    },
    encode: (message: Uint8Array) => message,
  };
  assertThrows(() => pair.client.framed(broken), Error, "no decoder today");
  await pair.server.write("one\ntwo\n");
  assertEquals(await pair.client.readLine(), "one");
  assertEquals(await pair.client.framed(text(lines())).receive(), "two");
});

Deno.test("readUntil refuses what is no delimiter", limit, async () => {
  await using pair = await connectedPair();
  for (const delimiter of [10, /\n/, {}, new ArrayBuffer(1), null, undefined, ["\n"]]) {
    await assertRejects(
      () => pair.client.readUntil(delimiter as unknown as string),
      TypeError,
      "Cannot read until delimiter",
    );
  }
  await assertRejects(() => pair.client.readUntil(""), TypeError, "empty");
});
