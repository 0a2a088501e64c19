/**
 * What waits to be written: in order, whole, and bounded by its bytes and by its pieces.
 */
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { fixed, LimitError, lines, text } from "../../mod.ts";
import { grownSince, heldMemory } from "../_util/memory.ts";
import { pattern } from "../_util/random.ts";
import { connectedPair, readAll, tcp, text as textOf, transports } from "../_util/transports.ts";

const limit = { timeout: 30_000 };
const MiB = 1024 * 1024;
/** More than the system's buffers of both sides hold. */
const TOO_MUCH = pattern(24 * MiB);

for (const transport of transports) {
  Deno.test(
    `${transport.name}: what send() has accepted arrives, also from a full queue`,
    limit,
    async () => {
      await using pair = await connectedPair(transport, {
        client: { limits: { maxWriteQueue: 64 } },
      });
      const { client, server } = pair;
      const messages = client.framed(text(lines()));
      client.write(TOO_MUCH);
      client.write(new Uint8Array(60)); // the queue is as good as full
      await messages.send("accepted");
      await assertRejects(() => client.write("refused, because the queue is full"), LimitError);
      const received = readAll(server);
      await messages.flush();
      await messages.send("still works");
      await client.closeWrite();
      const all = await received;
      assertEquals(
        textOf(all.subarray(TOO_MUCH.length + 60)),
        "accepted\nstill works\n",
      );
    },
  );
}

Deno.test("a message larger than the queue does not wait after another", limit, async () => {
  await using pair = await connectedPair(tcp, { client: { limits: { maxWriteQueue: 1000 } } });
  const writing = pair.client.write(TOO_MUCH);
  await assertRejects(() => pair.client.write(pattern(1001)), LimitError, "the limit is 1000");
  const received = readAll(pair.server);
  await writing;
  await pair.client.write(pattern(1001)); // nothing waits now
  await pair.client.closeWrite();
  assertEquals((await received).length, TOO_MUCH.length + 1001);
});

Deno.test("small writes and empty ones that wait cost their bytes", limit, async () => {
  await using pair = await connectedPair(tcp, { client: { limits: { maxWriteQueue: MiB } } });
  const writing = pair.client.write(TOO_MUCH);
  const before = heldMemory();
  const one = new Uint8Array([1]);
  const none = new Uint8Array(0);
  for (let i = 0; i < MiB; i++) {
    pair.client.write(one);
    pair.client.write(none);
  }
  assertEquals(pair.client.stats().bytesQueued, MiB);
  assertLess(await grownSince(before, 8 * MiB), 8 * MiB);
  await assertRejects(() => pair.client.write(one), LimitError);
  const received = readAll(pair.server);
  await writing;
  await pair.client.closeWrite();
  const all = await received;
  assertEquals(all.length, TOO_MUCH.length + MiB);
  assert(all.subarray(TOO_MUCH.length).every((byte) => byte === 1));
});

Deno.test("an empty write settles after what was written before it", limit, async () => {
  await using pair = await connectedPair();
  const order: string[] = [];
  const large = pair.client.write(TOO_MUCH).then(() => order.push("large"));
  const empty = pair.client.write("").then(() => order.push("empty"));
  const small = pair.client.write("x").then(() => order.push("small"));
  const last = pair.client.write("").then(() => order.push("last"));
  const received = readAll(pair.server);
  await Promise.all([large, empty, small, last]);
  await pair.client.closeWrite();
  assertEquals((await received).length, TOO_MUCH.length + 1);
  assertEquals(order, ["large", "empty", "small", "last"]);
});

Deno.test("bytesQueued counts messages that wait", limit, async () => {
  await using pair = await connectedPair();
  const messages = pair.client.framed(fixed(100));
  messages.send(new Uint8Array(100));
  messages.send(new Uint8Array(100));
  assertEquals(pair.client.stats().bytesQueued, 200);
  await messages.flush();
  assertEquals(pair.client.stats().bytesQueued, 0);
});
