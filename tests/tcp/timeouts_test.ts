import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { connectTcp, isNetError, serveTcp, type TcpConnection } from "../../mod.ts";
import { Events, nextTurn } from "../_util/events.ts";
import { connectedPair, drain, echo, portOf, text, tls, transports } from "../_util/transports.ts";

const limit = { timeout: 20_000 };

for (const transport of transports) {
  Deno.test(`${transport.name}: a connection without a byte is ended by idle`, limit, async () => {
    await using pair = await connectedPair(transport, { server: { timeouts: { idle: 30 } } });
    const error = await assertRejects(
      () => pair.server.read(new Uint8Array(1)),
      Deno.errors.TimedOut,
      "nothing was sent or received for 30 ms",
    );
    assert(isNetError(error));
    assertEquals([error.operation, error.code, error.transport], [
      "read",
      "ETIMEDOUT",
      transport.name,
    ]);
    assertEquals(await pair.server.closed, { how: "failed", reason: error });
    assertStrictEquals(pair.server.signal.reason, error);
    assertStrictEquals(await assertRejects(() => pair.server.write("x")), error);
    assertEquals(await drain(pair.client), 0);
  });

  Deno.test(`${transport.name}: lifetime ends a connection, however busy`, limit, async () => {
    await using server = transport.serve({ timeouts: { lifetime: 60 }, onError() {} }, echo);
    const conn = await transport.connect(server);
    await assertRejects(async () => {
      while (true) {
        await conn.write("busy");
        if (await conn.readExactly(4) === null) throw new Error("ended");
      }
    });
    await conn.close();
    assertEquals(server.stats().handlerErrors, 1);
  });
}

Deno.test("bytes in either direction keep a connection from being idle", limit, async () => {
  await using pair = await connectedPair(undefined, { server: { timeouts: { idle: 120 } } });
  const began = performance.now();
  while (performance.now() - began < 400) { // more than three times its length
    await pair.client.write("x");
    await pair.server.readExactly(1);
    await nextTurn();
  }
  while (performance.now() - began < 800) {
    await pair.server.write("x");
    await pair.client.readExactly(1);
    await nextTurn();
  }
  assertEquals(pair.server.signal.aborted, false);
});

Deno.test("a client is not idle unless told so", limit, async () => {
  await using pair = await connectedPair(undefined, { client: { timeouts: { idle: 20 } } });
  await assertRejects(() => pair.client.readLine(), Deno.errors.TimedOut);
  assertEquals((await pair.client.closed).how, "failed");
});

Deno.test("timeouts.read is the time-out of every read, which loses nothing", limit, async () => {
  await using pair = await connectedPair(undefined, { server: { timeouts: { read: 10 } } });
  const { server, client } = pair;
  for (
    const read of [
      () => server.read(new Uint8Array(4)),
      () => server.readExactly(4),
      () => server.readUntil(";"),
      () => server.readLine(),
      () => server[Symbol.asyncIterator]().next(),
    ]
  ) {
    await assertRejects(read, Deno.errors.TimedOut, "nothing arrived within 10 ms");
  }
  await client.write("kept");
  assertEquals(text(await server.readExactly(4)), "kept");
  assertEquals(server.signal.aborted, false);
});

Deno.test("a call's own timeout outweighs timeouts.read", limit, async () => {
  await using pair = await connectedPair(undefined, { server: { timeouts: { read: 1 } } });
  const reading = pair.server.readLine({ timeout: Infinity });
  await assertRejects(() => pair.client.readLine({ timeout: 30 }), Deno.errors.TimedOut);
  await pair.client.write("in the end\n");
  assertEquals(await reading, "in the end");
});

for (
  const [name, read] of [
    ["readLine", (conn) => conn.readLine()],
    ["readUntil", (conn) => conn.readUntil(";")],
    ["readExactly", (conn) => conn.readExactly(1000)],
  ] as [string, (conn: TcpConnection) => Promise<unknown>][]
) {
  Deno.test(`timeouts.frame bounds ${name} from the first byte on`, limit, async () => {
    await using pair = await connectedPair(undefined, { server: { timeouts: { frame: 40 } } });
    const reading = assertRejects(
      () => read(pair.server),
      Deno.errors.TimedOut,
      "the message begun was not complete within 40 ms",
    );
    let over = false;
    reading.finally(() => over = true);
    let sent = "";
    while (!over) { // a byte now and then, to keep the place
      await pair.client.write("x");
      sent += "x";
      await nextTurn();
    }
    await reading;
    assert(sent.length > 1);
    await pair.client.closeWrite();
    assertEquals(await drain(pair.server), sent.length);
  });
}

Deno.test("timeouts.frame does not count before the first byte", limit, async () => {
  await using pair = await connectedPair(undefined, { server: { timeouts: { frame: 15 } } });
  const reading = pair.server.readLine();
  await assertRejects(() => pair.client.readLine({ timeout: 60 }), Deno.errors.TimedOut);
  await pair.client.write("patience\n");
  assertEquals(await reading, "patience");
});

Deno.test("a silent TLS client blocks nobody and is sent away", limit, async () => {
  const errors = new Events<unknown>();
  await using server = tls.serve({ timeouts: { handshake: 500 }, onError: errors.push }, echo);
  const silent = await Deno.connect({ port: portOf(server) });
  await using conn = await tls.connect(server);
  await conn.write("served");
  assertEquals(text(await conn.readExactly(6)), "served");
  const error = await errors.next();
  assert(error instanceof Deno.errors.TimedOut);
  assert(isNetError(error));
  assertEquals([error.operation, error.code, error.transport], ["handshake", "ETIMEDOUT", "tls"]);
  assertEquals(error.remoteAddr, silent.localAddr);
  assertEquals(server.stats().handshakeErrors, 1);
  silent.close();
});

Deno.test("silent TLS clients give back their places at the limit", limit, async () => {
  await using server = tls.serve({
    timeouts: { handshake: 500 },
    limits: { maxConnections: 1 },
    onError() {},
  }, echo);
  const silent = await Deno.connect({ port: portOf(server) });
  await using conn = await tls.connect(server);
  await conn.write("served");
  assertEquals(text(await conn.readExactly(6)), "served");
  silent.close();
});

Deno.test("time-outs must be milliseconds", limit, async () => {
  for (const name of ["handshake", "idle", "read", "write", "frame", "lifetime"]) {
    for (const value of [-1, NaN, "1000"]) {
      const timeouts = { [name]: value as number };
      assertThrows(
        () => serveTcp({ timeouts, onListen() {} }, echo),
        RangeError,
        `Cannot use option "timeouts.${name}"`,
      );
      await assertRejects(
        () => connectTcp({ port: 1, timeouts }),
        RangeError,
        `timeouts.${name}`,
      );
    }
  }
});

Deno.test("0 and Infinity mean no limit", limit, async () => {
  const none = { handshake: 0, idle: 0, read: 0, write: 0, frame: 0, lifetime: 0 };
  await using pair = await connectedPair(tls, {
    server: { timeouts: none },
    client: { timeouts: { ...none, idle: Infinity } },
  });
  const reading = pair.server.readLine();
  await assertRejects(() => pair.client.readLine({ timeout: 30 }), Deno.errors.TimedOut);
  await pair.client.write("x\n");
  assertEquals(await reading, "x");
});
