/**
 * Closing a connection whose peer is slow, and cutting one whose peer has stopped.
 */
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { ClosedError } from "../../mod.ts";
import { pattern } from "../_util/random.ts";
import { connectedPair, readAll, tcp, text, tls } from "../_util/transports.ts";

const limit = { timeout: 30_000 };
const MiB = 1024 * 1024;
/** More than the system's buffers of both sides hold. */
const TOO_MUCH = pattern(24 * MiB);

/** Reads to the end, or to the error that took its place. */
async function readToEnd(conn: { read(buffer: Uint8Array): Promise<number | null> }) {
  const buffer = new Uint8Array(64 * 1024);
  let size = 0;
  try {
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) size += n;
    return { size, end: "clean" };
  } catch (error) {
    return { size, end: error };
  }
}

Deno.test(
  "close waits for a peer that reads steadily, without a write timeout too",
  limit,
  async () => {
    await using pair = await connectedPair(tcp, { server: { timeouts: { write: Infinity } } });
    const linger = 200;
    const writing = pair.server.write(TOO_MUCH);
    const closing = pair.server.close({ linger });
    const began = performance.now();
    // Slowly enough that all of it takes several times the linger, but never stops for as long.
    for (let size = 0; size < TOO_MUCH.length; size += MiB) {
      assertEquals((await pair.client.readExactly(MiB))?.length, MiB);
      await new Promise((resolve) => setTimeout(resolve, linger / 5));
    }
    assert(performance.now() - began > 2 * linger);
    await writing;
    assertEquals(await pair.client.read(new Uint8Array(1)), null);
    await pair.client.close();
    await closing;
  },
);

Deno.test("close with linger 0 drops what waits at once", limit, async () => {
  await using pair = await connectedPair();
  const writing = assertRejects(() => pair.server.write(TOO_MUCH), ClosedError);
  await pair.server.close({ linger: 0 }); // or it waits for a peer that does not read
  await writing;
  assertEquals((await pair.server.closed).how, "aborted");
});

const cuts = {
  "close with linger 0": (conn) => conn.close({ linger: 0 }),
  "close after its linger": (conn) => conn.close({ linger: 20 }),
  "abort": (conn) => conn.abort(),
} satisfies Record<string, (conn: Awaited<ReturnType<typeof connectedPair>>["server"]) => unknown>;

for (const side of ["server", "client"] as const) {
  for (const [name, cut] of Object.entries(cuts)) {
    Deno.test(`${side}: ${name}: the peer sees a reset, not an end`, limit, async () => {
      const timeouts = { write: Infinity };
      await using pair = await connectedPair(tcp, { server: { timeouts }, client: { timeouts } });
      const other = side === "server" ? pair.client : pair.server;
      pair[side].write(TOO_MUCH);
      await cut(pair[side]);
      const { size, end } = await readToEnd(other);
      assert(size < TOO_MUCH.length);
      assertInstanceOf(end, Deno.errors.ConnectionReset);
    });
  }
}

Deno.test("over TLS a cut is an error too", limit, async () => {
  await using pair = await connectedPair(tls);
  pair.server.write(TOO_MUCH);
  await pair.server.close({ linger: 0 });
  const { size, end } = await readToEnd(pair.client);
  assert(size < TOO_MUCH.length);
  assertInstanceOf(end, Error);
});

Deno.test(
  "without the permission for a reset, a cut still ends the connection",
  limit,
  async () => {
    const root = new URL("../../", import.meta.url);
    const program = `
    import { connectTcp, serveTcp } from "${root}mod.ts";
    const server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
      conn.write(new Uint8Array(${TOO_MUCH.length}));
      await conn.close({ linger: 0 });
    });
    const conn = await connectTcp({ port: server.addr.port });
    let size = 0;
    for await (const chunk of conn) size += chunk.length;
    console.log(size < ${TOO_MUCH.length});
    await conn.close();
    await server.shutdown();`;
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(file, program);
      const config = new URL("deno.json", root).pathname;
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", "--no-prompt", "--allow-net", "--config", config, file],
      }).output();
      assertEquals([text(stdout), text(stderr)], ["true\n", ""]);
    } finally {
      await Deno.remove(file);
    }
  },
);

for (const when of ["before", "after"] as const) {
  Deno.test(`a reset is no end of the stream ${when} the write that met it`, limit, async () => {
    for (let i = 0; i < 20; i++) {
      await using pair = await connectedPair();
      const { client, server } = pair;
      await server.write("half a mess");
      assertEquals(text(await client.readExactly(4)), "half");
      const reading = when === "before" ? client.readLine() : undefined;
      reading?.catch(() => {});
      const writing = client.write(TOO_MUCH);
      server.abort();
      await assertRejects(() => writing);
      await assertRejects(() => reading ?? client.readLine(), Deno.errors.ConnectionReset);
      client.abort();
    }
  });
}

Deno.test("what was sent before a close arrives whole", limit, async () => {
  await using pair = await connectedPair();
  pair.server.write(pattern(3 * MiB));
  const closing = pair.server.close();
  assertEquals((await readAll(pair.client)).length, 3 * MiB);
  await pair.client.close();
  await closing;
});
