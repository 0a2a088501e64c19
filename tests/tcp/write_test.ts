import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { equals } from "@std/bytes";
import { isNetError, LimitError } from "../../mod.ts";
import { nextTurn, Watched } from "../_util/events.ts";
import { between, pattern, random } from "../_util/random.ts";
import { connectedPair, readAll, text, transports, utf8 } from "../_util/transports.ts";

const limit = { timeout: 20_000 };
const MiB = 1024 * 1024;
/** More than the socket buffers of both ends take. */
const TOO_MUCH = pattern(32 * MiB);

Deno.test("text leaves as UTF-8", limit, async () => {
  await using pair = await connectedPair();
  await pair.client.write("grüße 🥫");
  await pair.client.closeWrite();
  assertEquals(await readAll(pair.server), utf8("grüße 🥫"));
});

Deno.test("writing nothing sends nothing and fails nowhere", limit, async () => {
  await using pair = await connectedPair();
  await pair.client.write("");
  await Promise.all([pair.client.write("a"), pair.client.write(""), pair.client.write("b")]);
  await pair.client.closeWrite();
  assertEquals(text(await readAll(pair.server)), "ab");
});

Deno.test(
  "what is neither bytes nor text is refused, and nothing else is harmed",
  limit,
  async () => {
    await using pair = await connectedPair();
    const buffer = new ArrayBuffer(4);
    for (
      const data of [7, null, undefined, buffer, new DataView(buffer), new Uint16Array(buffer)]
    ) {
      await assertRejects(
        () => pair.client.write(data as unknown as Uint8Array),
        TypeError,
        "Cannot write data",
      );
    }
    await pair.client.write("fine");
    await pair.client.closeWrite();
    assertEquals(text(await readAll(pair.server)), "fine");
  },
);

Deno.test(
  "many callers at random moments: every piece whole, in the order of calls",
  limit,
  async () => {
    await using pair = await connectedPair();
    const received = readAll(pair.server);
    const chance = random(42);
    const pieces: Uint8Array[] = [];
    const callers = Array.from({ length: 20 }, async () => {
      for (let i = 0; i < 30; i++) {
        const size = chance() < 0.05 ? between(chance, 50_000, 200_000) : between(chance, 0, 400);
        const piece = pattern(size, pieces.length + 1);
        pieces.push(piece);
        const writing = pair.client.write(piece);
        if (chance() < 0.5) await writing;
        if (chance() < 0.2) await nextTurn();
        await writing;
      }
    });
    await Promise.all(callers);
    await pair.client.closeWrite();
    const all = await received;
    let at = 0;
    for (const [index, piece] of pieces.entries()) {
      assert(equals(all.subarray(at, at + piece.length), piece), `piece ${index} at ${at}`);
      at += piece.length;
    }
    assertEquals(all.length, at);
  },
);

Deno.test("a buffer may be used again when its write has settled", limit, async () => {
  await using pair = await connectedPair();
  const received = readAll(pair.server);
  const buffer = new Uint8Array(100_000);
  const sent: number[] = [];
  for (let i = 0; i < 40; i++) {
    buffer.fill(i);
    sent.push(i);
    await pair.client.write(buffer);
    buffer.fill(255);
  }
  await pair.client.closeWrite();
  const all = await received;
  assertEquals(all.length, 40 * buffer.length);
  for (const i of sent) {
    const part = all.subarray(i * buffer.length, (i + 1) * buffer.length);
    assert(part.every((byte) => byte === i), `write ${i} was changed after it had settled`);
  }
});

Deno.test("buffers of writes that queued up may be used again too", limit, async () => {
  await using pair = await connectedPair();
  const first = pair.client.write(TOO_MUCH);
  const buffers = [1, 2, 3].map((n) => new Uint8Array(50_000).fill(n));
  const queued = buffers.map(async (buffer) => {
    await pair.client.write(buffer);
    buffer.fill(255);
  });
  const received = readAll(pair.server);
  await Promise.all([first, ...queued]);
  await pair.client.closeWrite();
  const rest = (await received).subarray(TOO_MUCH.length);
  assertEquals(rest.length, 150_000);
  assert(rest.every((byte, i) => byte === 1 + Math.floor(i / 50_000)));
});

Deno.test("the queue is bounded, and what is refused was not sent", limit, async () => {
  await using pair = await connectedPair(undefined, {
    client: { limits: { maxWriteQueue: 1000 } },
  });
  const writing = pair.client.write(TOO_MUCH);
  const kept = [pair.client.write(new Uint8Array(600)), pair.client.write(new Uint8Array(400))];
  assertEquals(pair.client.stats().bytesQueued, 1000);
  const error = await assertRejects(
    () => pair.client.write("x"),
    LimitError,
    "1000 bytes wait already and the limit is 1000",
  );
  assertEquals(
    [error.code, error.limit, error.operation, error.transport],
    ["write_queue", 1000, "write", "tcp"],
  );
  const received = readAll(pair.server);
  await Promise.all([writing, ...kept]);
  await pair.client.write("y");
  await pair.client.closeWrite();
  const all = await received;
  assertEquals(all.length, TOO_MUCH.length + 1001);
  assertEquals(all.at(-1), 0x79);
});

Deno.test("one message larger than the queue goes out when nothing waits", limit, async () => {
  await using pair = await connectedPair(undefined, { client: { limits: { maxWriteQueue: 10 } } });
  const received = readAll(pair.server);
  await Promise.all([pair.client.write("first"), pair.client.write(pattern(1000))]);
  await pair.client.closeWrite();
  assertEquals((await received).length, 1005);
});

Deno.test("a server's queue is bounded by limits.maxWriteQueue", limit, async () => {
  await using pair = await connectedPair(undefined, { server: { limits: { maxWriteQueue: 5 } } });
  const writing = pair.server.write(TOO_MUCH);
  const kept = pair.server.write("12345");
  const error = await assertRejects(() => pair.server.write("6"), LimitError);
  assertEquals(error.limit, 5);
  const received = readAll(pair.client);
  await Promise.all([writing, kept]);
  await pair.server.closeWrite();
  assertEquals((await received).length, TOO_MUCH.length + 5);
});

for (const transport of transports) {
  Deno.test(
    `${transport.name}: the write time-out ends a peer that does not read`,
    limit,
    async () => {
      await using pair = await connectedPair(transport, { server: { timeouts: { write: 40 } } });
      const writing = pair.server.write(TOO_MUCH);
      const queued = assertRejects(() => pair.server.write("more"));
      const error = await assertRejects(
        () => writing,
        Deno.errors.TimedOut,
        "the peer took nothing for 40 ms",
      );
      assert(isNetError(error));
      assertEquals([error.operation, error.code], ["write", "ETIMEDOUT"]);
      assertStrictEquals(await queued, error);
      assertEquals(await pair.server.closed, { how: "failed", reason: error });
      assertStrictEquals(await assertRejects(() => pair.server.read(new Uint8Array(1))), error);
    },
  );
}

Deno.test("a peer that reads slowly does not meet the write time-out", limit, async () => {
  await using pair = await connectedPair(undefined, { client: { timeouts: { write: 1_000 } } });
  const writing = pair.client.write(TOO_MUCH);
  const buffer = new Uint8Array(128 * 1024);
  const began = performance.now();
  let received = 0;
  while (performance.now() - began < 2_000) { // twice its length, with more to write all along
    received += await pair.server.read(buffer) ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert(pair.client.stats().bytesSent < TOO_MUCH.length, "it was written too early to tell");
  await Promise.all([writing, pair.server.readExactly(TOO_MUCH.length - received)]);
});

Deno.test("a stalled reader stops nobody but its own writer", limit, async () => {
  await using stalled = await connectedPair();
  const writing = stalled.server.write(TOO_MUCH);
  const watched = new Watched(writing);
  await using other = await connectedPair();
  const received = readAll(other.client);
  await other.server.write(TOO_MUCH);
  await other.server.closeWrite();
  assertEquals((await received).length, TOO_MUCH.length);
  assertEquals(watched.settled, false);
  stalled.client.abort();
  await assertRejects(() => writing);
});

Deno.test(
  "after a write has failed, later ones fail alike and reads still work",
  limit,
  async () => {
    await using pair = await connectedPair();
    await pair.server.write("last words");
    const heard = await pair.client.readExactly(4);
    pair.server.abort();
    await pair.server.close();
    const error = await assertRejects(async () => {
      while (true) await pair.client.write(TOO_MUCH.subarray(0, 4096));
    });
    assertStrictEquals(await assertRejects(() => pair.client.write("again")), error);
    assertEquals(text(heard), "last");
    assertEquals(text(await pair.client.readExactly(6)), " words");
  },
);

Deno.test("writable waits for the peer and passes errors on", limit, async () => {
  await using pair = await connectedPair();
  const writer = pair.client.writable.getWriter();
  const first = writer.write(TOO_MUCH);
  const watched = new Watched(first);
  await pair.server.write("x");
  assertEquals(text(await pair.client.readExactly(1)), "x");
  assertEquals(watched.settled, false);
  assertEquals(writer.desiredSize !== null && writer.desiredSize <= 0, true);
  const reason = new Error("enough");
  await Promise.all([
    assertRejects(() => first),
    assertRejects(() => writer.closed),
    writer.abort(reason),
  ]);
  assertEquals(await pair.client.closed, { how: "aborted", reason });
});
