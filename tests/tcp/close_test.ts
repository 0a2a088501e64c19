import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { ClosedError, connectTcp, type TcpConnection } from "../../mod.ts";
import { Events, nextTurn, Watched } from "../_util/events.ts";
import { python, testWith } from "../_util/peers.ts";
import { pattern } from "../_util/random.ts";
import {
  clientTls,
  connectedPair,
  drain,
  readAll,
  tcp,
  text,
  tls,
  tlsFiles,
  transports,
} from "../_util/transports.ts";

const pythonTest = testWith("python3");

const limit = { timeout: 20_000 };
const MiB = 1024 * 1024;

Deno.test("close waits for the peer's end, abort does not", limit, async () => {
  await using pair = await connectedPair();
  const closing = pair.client.close({ linger: 60_000 });
  const watched = new Watched(closing);
  assertEquals(await pair.server.readLine(), null);
  await pair.server.write("unheard");
  await nextTurn();
  assertEquals(watched.settled, false);
  await pair.server.closeWrite();
  await closing;
  assertEquals((await pair.client.closed).how, "closed");
});

for (const transport of transports) {
  Deno.test(`${transport.name}: linger bounds the wait for a peer that stays`, limit, async () => {
    await using pair = await connectedPair(transport);
    await pair.client.write("last words");
    await pair.client.close({ linger: 30 });
    assertEquals((await pair.client.closed).how, "closed");
    assertEquals(text(await pair.server.readExactly(10)), "last words");
  });

  Deno.test(`${transport.name}: close with linger 0 waits for nobody`, limit, async () => {
    await using pair = await connectedPair(transport);
    await pair.client.write("last words");
    await pair.client.close({ linger: 0 });
    assertEquals(text(await pair.server.readExactly(10)), "last words");
  });

  Deno.test(`${transport.name}: close sends all that was written before it`, limit, async () => {
    await using pair = await connectedPair(transport);
    const writes = [pair.client.write(pattern(8 * MiB)), pair.client.write(pattern(100))];
    const closing = pair.client.close();
    assertEquals((await readAll(pair.server)).length, 8 * MiB + 100);
    await Promise.all(writes);
    await pair.server.close();
    await closing;
  });

  Deno.test(`${transport.name}: a handler that returns has closed, in order`, limit, async () => {
    const closed = new Events<string>();
    await using server = transport.serve({
      onClose: (_, { how }) => closed.push(how),
    }, (conn) => {
      conn.write("not awaited, ").then(() => {});
      conn.write("but sent");
    });
    const conn = await transport.connect(server);
    assertEquals(text(await readAll(conn)), "not awaited, but sent");
    await conn.close();
    assertEquals(await closed.next(), "closed");
  });
}

Deno.test("a lingering peer that sends for ever is left after the linger", limit, async () => {
  await using pair = await connectedPair();
  const closing = pair.server.close({ linger: 50 });
  await assertRejects(async () => {
    while (true) await pair.client.write(pattern(64 * 1024));
  });
  await closing;
});

Deno.test("a client that ends its side first costs the server no linger", limit, async () => {
  await using pair = await connectedPair();
  await pair.client.closeWrite();
  assertEquals(await drain(pair.server), 0);
  await pair.server.close({ linger: 60_000 });
  assertEquals(await drain(pair.client), 0);
});

Deno.test("close never rejects: the peer breaks it off meanwhile", limit, async () => {
  await using pair = await connectedPair();
  await pair.client.write("unread, so that the peer resets");
  const closing = pair.client.close({ linger: 60_000 });
  pair.server.abort();
  await closing;
  assertEquals((await pair.client.closed).how, "closed");
});

Deno.test("close is bounded by the write time-out when the peer does not read", limit, async () => {
  await using pair = await connectedPair(undefined, { server: { timeouts: { write: 40 } } });
  const writing = assertRejects(() => pair.server.write(pattern(32 * MiB)), Deno.errors.TimedOut);
  await pair.server.close();
  await writing;
  assertEquals((await pair.server.closed).how, "failed");
});

Deno.test("close without a write time-out is bounded by its linger", limit, async () => {
  await using pair = await connectedPair(undefined, { server: { timeouts: { write: Infinity } } });
  const writing = assertRejects(() => pair.server.write(pattern(32 * MiB)), ClosedError);
  await pair.server.close({ linger: 40 });
  await writing;
});

Deno.test("closing twice is closing once, and abort cuts a close short", limit, async () => {
  await using pair = await connectedPair();
  const first = pair.client.close({ linger: 60_000 });
  assertStrictEquals(pair.client.close(), first);
  pair.client.abort();
  await first;
  pair.client.abort();
  assertEquals((await pair.client.closed).how, "aborted");
});

Deno.test("closing again does not forget to check its options", limit, async () => {
  await using pair = await connectedPair();
  for (const linger of [-1, NaN]) {
    assertThrows(() => pair.client.close({ linger }), RangeError, "linger");
  }
});

Deno.test("await using closes", limit, async () => {
  await using server = tcp.serve({}, async (conn) => void await drain(conn));
  let kept: TcpConnection;
  {
    await using conn = await tcp.connect(server);
    kept = conn;
    await conn.write("x");
  }
  assertEquals((await kept.closed).how, "closed");
});

Deno.test("the signal tells why, whenever one asks for it", limit, async () => {
  await using asked = await connectedPair();
  const { signal } = asked.client;
  assertEquals(signal.aborted, false);
  const heard = new Promise((resolve) => signal.addEventListener("abort", resolve));
  asked.client.abort();
  await heard;
  assert(signal.reason instanceof ClosedError && signal.reason.code === "aborted");

  await using late = await connectedPair();
  const reason = { any: "value" };
  late.client.abort(reason);
  assertStrictEquals(late.client.signal.reason, reason);
  assertEquals(await late.client.closed, { how: "aborted", reason });
});

Deno.test("abort drops what waits to be written", limit, async () => {
  await using pair = await connectedPair();
  const first = assertRejects(() => pair.client.write(pattern(32 * MiB)), ClosedError);
  const second = assertRejects(() => pair.client.write("never sent"), ClosedError);
  pair.client.abort();
  await Promise.all([first, second]);
  assertEquals(pair.client.stats().bytesQueued, 0);
  assert(await drain(pair.server).catch(() => 0) < 32 * MiB);
});

Deno.test(
  "closing a TLS connection is said to the peer: null, not UnexpectedEof",
  limit,
  async () => {
    await using pair = await connectedPair(tls);
    const closing = pair.client.close();
    assertEquals(await pair.server.readLine(), null);
    await pair.server.close();
    await closing;
  },
);

pythonTest("a TLS peer that is cut off is not mistaken for the end", limit, async () => {
  await using peer = python(
    `
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1])
conn = context.wrap_socket(listener.accept()[0], server_side=True)
conn.send(b"half of it")
socket.socket(fileno=conn.detach()).close()  # no close_notify
`,
    tlsFiles.certPath,
    tlsFiles.keyPath,
  );
  await using conn = await connectTcp({ port: Number(await peer.line()), tls: clientTls });
  assertEquals(text(await conn.readExactly(10)), "half of it");
  await assertRejects(() => conn.readLine(), Deno.errors.UnexpectedEof);
});
