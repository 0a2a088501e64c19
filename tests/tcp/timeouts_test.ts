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

Deno.test("timeouts.read is the timeout of every read, which loses nothing", limit, async () => {
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
  await pair.client.write("in time\n");
  assertEquals(await reading, "in time");
});

Deno.test("a silent TLS client blocks no other and is closed", limit, async () => {
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

Deno.test("timeouts must be milliseconds", limit, async () => {
  for (const name of ["handshake", "idle", "read", "write", "frame", "lifetime"]) {
    for (
      const [value, Class] of [[-1, RangeError], [NaN, RangeError], ["1000", TypeError]] as const
    ) {
      const timeouts = { [name]: value as number };
      const message = `Cannot use option "timeouts.${name}"`;
      assertThrows(() => serveTcp({ timeouts, onListen() {} }, echo), Class, message);
      await assertRejects(() => connectTcp({ port: 1, timeouts }), Class, message);
    }
  }
});

Deno.test("Infinity means no limit", limit, async () => {
  const timeouts = {
    handshake: Infinity,
    idle: Infinity,
    read: Infinity,
    write: Infinity,
    frame: Infinity,
    lifetime: Infinity,
  };
  await using pair = await connectedPair(tls, { server: { timeouts }, client: { timeouts } });
  const reading = pair.server.readLine();
  await assertRejects(() => pair.client.readLine({ timeout: 30 }), Deno.errors.TimedOut);
  await pair.client.write("x\n");
  assertEquals(await reading, "x");
});

for (const name of ["idle", "lifetime"] as const) {
  Deno.test(`timeouts.${name}: 0 ends a connection at once`, limit, async () => {
    await using server = serveTcp({ timeouts: { [name]: 0 }, onListen() {}, onError() {} }, echo);
    await using conn = await connectTcp({ port: portOf(server), timeouts: { [name]: 0 } });
    const { how, reason } = await conn.closed;
    assertEquals([how, reason instanceof Deno.errors.TimedOut], ["failed", true]);
    while (server.connections.size > 0) await nextTurn();
  });
}

Deno.test("timeouts.read: 0 takes what has arrived, or times out", limit, async () => {
  await using pair = await connectedPair(undefined, { server: { timeouts: { read: 0 } } });
  await assertRejects(() => pair.server.readLine(), Deno.errors.TimedOut);
  await pair.client.write("x\n");
  let line: string | null = null;
  while (line === null) {
    line = await pair.server.readLine().catch(() => nextTurn().then(() => null));
  }
  assertEquals(line, "x");
});

Deno.test("timeouts.handshake: 0 serves no one", limit, async () => {
  const failed = new Events<unknown>();
  await using server = tls.serve({ timeouts: { handshake: 0 }, onError: failed.push }, echo);
  await assertRejects(() => tls.connect(server));
  assertEquals(await failed.next() instanceof Deno.errors.TimedOut, true);
  await using open = tls.serve({}, echo);
  const error = await assertRejects(
    () => tls.connect(open, { timeouts: { handshake: 0 } }),
    Deno.errors.TimedOut,
    "within 0 ms",
  );
  assertEquals(isNetError(error) && error.operation, "handshake");
});

Deno.test(
  "connectTcp with a timeout of 0 times out at once, with Infinity never",
  limit,
  async () => {
    await using server = serveTcp({ port: 0, onListen() {} }, echo);
    const port = portOf(server);
    await assertRejects(
      () => connectTcp({ port, timeout: 0 }),
      Deno.errors.TimedOut,
      "within 0 ms",
    );
    assertEquals(server.stats().accepted, 0);
    await using _conn = await connectTcp({ port, timeout: Infinity });
  },
);
