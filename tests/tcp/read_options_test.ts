/**
 * What the options of reading calls mean: 0 is "now", `Infinity` is "without limit", and a name that does
 * not exist is a mistake.
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { lines, text } from "../../mod.ts";
import { connectedPair, transports } from "../_util/transports.ts";

const limit = { timeout: 20_000 };
const textLines = text(lines());

/** Does nothing else for some milliseconds, as a handler that computes. */
function compute(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

// Not TLS: there a write settles before the bytes have left.
for (const transport of transports.filter(({ name }) => name !== "tls")) {
  Deno.test(`${transport.name}: timeout 0 takes what the system has`, limit, async () => {
    await using pair = await connectedPair(transport);
    const { client, server } = pair;
    const buffer = new Uint8Array(9);
    for (let round = 0; round < 20; round++) {
      await assertRejects(() => server.read(buffer, { timeout: 0 }), Deno.errors.TimedOut);
      await client.write("abc\ndef\n");
      const line = server.readLine({ timeout: 0 });
      compute(round % 4); // timers that are due come before what the sockets have
      assertEquals(await line, "abc");
      assertEquals(await server.readExactly(4, { timeout: 0 }), new TextEncoder().encode("def\n"));
    }
  });

  Deno.test(
    `${transport.name}: receive with timeout 0 takes what the system has`,
    limit,
    async () => {
      await using pair = await connectedPair(transport);
      const messages = pair.server.framed(textLines);
      for (let round = 0; round < 20; round++) {
        await assertRejects(() => messages.receive({ timeout: 0 }), Deno.errors.TimedOut);
        await pair.client.write("one\ntwo\nth");
        const message = messages.receive({ timeout: 0 });
        compute(round % 4);
        assertEquals(await message, "one");
        assertEquals(await messages.receive({ timeout: 0 }), "two");
        await assertRejects(() => messages.receive({ timeout: 0 }), Deno.errors.TimedOut);
        await pair.client.write("ree\n");
        assertEquals(await messages.receive(), "three");
      }
    },
  );
}

Deno.test(
  "what came in time is taken, also after a computation that took longer",
  limit,
  async () => {
    await using pair = await connectedPair();
    await pair.client.write("in time\n");
    const line = pair.server.readLine({ timeout: 5 });
    compute(20);
    assertEquals(await line, "in time");
  },
);

Deno.test("timeout Infinity waits longer than timeouts.read", limit, async () => {
  await using pair = await connectedPair(undefined, { server: { timeouts: { read: 1 } } });
  const { client, server } = pair;
  const buffer = new Uint8Array(1);
  const read = server.read(buffer, { timeout: Infinity });
  await assertRejects(() => server.readLine(), Deno.errors.Busy);
  compute(10);
  await client.write("x");
  assertEquals(await read, 1);
  await assertRejects(
    () => server.read(buffer),
    Deno.errors.TimedOut,
    "nothing arrived within 1 ms",
  );
  const messages = server.framed(textLines);
  const message = messages.receive({ timeout: Infinity });
  await client.write("y\n");
  assertEquals(await message, "y");
  await assertRejects(() => messages.receive(), Deno.errors.TimedOut);
});

Deno.test("options that do not exist are refused by name", limit, async () => {
  await using pair = await connectedPair();
  const { server, client } = pair;
  const wrong = { timeOut: 5 } as unknown as { timeout: number };
  const calls = {
    read: () => server.read(new Uint8Array(1), wrong),
    readExactly: () => server.readExactly(1, wrong),
    readUntil: () => server.readUntil("\n", wrong),
    readLine: () => server.readLine(wrong),
  };
  for (const [name, call] of Object.entries(calls)) {
    await assertRejects(
      call,
      TypeError,
      `Cannot use option "timeOut" of ${name}: did you mean "timeout"?`,
    );
  }
  const tooMuch = { maxLength: 1 } as unknown as { timeout: number };
  await assertRejects(() => server.readExactly(1, tooMuch), TypeError, "maxLength");
  await assertRejects(() => server.readLine(5 as unknown as { timeout: number }), TypeError, "5");
  await assertRejects(
    () => server.readLine({ timeout: "5" as unknown as number }),
    TypeError,
    "timeout",
  );
  const messages = server.framed(textLines);
  await assertRejects(() => messages.receive(wrong), TypeError, "of receive");
  await assertRejects(() => messages.request("?", wrong), TypeError, "of request");
  assertThrows(() => server.close({ wait: 5 } as unknown as { linger: number }), TypeError, "wait");
  await client.write("nothing was lost\n");
  assertEquals(
    await messages.receive({ timeout: undefined, signal: undefined }),
    "nothing was lost",
  );
});
