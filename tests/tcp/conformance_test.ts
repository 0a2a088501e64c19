/**
 * What every connection does, whatever carries it. Each test runs over TCP, TLS and unix sockets.
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { equals } from "@std/bytes";
import { ClosedError, isNetError, type TcpConnection } from "../../mod.ts";
import { nextTurn, Watched } from "../_util/events.ts";
import { pattern } from "../_util/random.ts";
import {
  connectedPair,
  drain,
  readAll,
  text,
  type Transport,
  transports,
  unverifiedTls,
  utf8,
} from "../_util/transports.ts";

const MiB = 1024 * 1024;

function onEach(name: string, body: (transport: Transport) => Promise<void>): void {
  for (const transport of transports) {
    Deno.test(`${transport.name}: ${name}`, { timeout: 30_000 }, () => body(transport));
  }
  Deno.test(`tls, unverified: ${name}`, { timeout: 30_000 }, () => body(unverifiedTls));
}

/** Reads until something other than data comes: the end (`null`) or an error. */
async function outcome(conn: TcpConnection): Promise<unknown> {
  try {
    await drain(conn);
    return null;
  } catch (error) {
    return error;
  }
}

onEach("bytes go both ways", async (transport) => {
  await using pair = await connectedPair(transport);
  await pair.client.write("ping");
  assertEquals(text(await pair.server.readExactly(4)), "ping");
  await pair.server.write(utf8("pong"));
  assertEquals(text(await pair.client.readExactly(4)), "pong");
});

onEach("each end knows both addresses", async (transport) => {
  await using pair = await connectedPair(transport);
  assertEquals(pair.client.transport, transport.name);
  assertEquals(pair.server.transport, transport.name);
  assertEquals(pair.server.remoteAddr, pair.client.localAddr);
  assertEquals(pair.server.localAddr, pair.client.remoteAddr);
  assert(pair.client.id !== pair.server.id);
});

onEach("no address is null, for an unnamed unix peer neither", async (transport) => {
  await using pair = await connectedPair(transport);
  for (const addr of [pair.server.remoteAddr, pair.server.localAddr, pair.client.localAddr]) {
    assertEquals(typeof ("path" in addr ? addr.path : addr.hostname), "string");
  }
});

onEach("a write of 20 MB arrives whole", async (transport) => {
  await using pair = await connectedPair(transport);
  const sent = pattern(20 * MiB);
  const received = readAll(pair.server);
  await pair.client.write(sent);
  await pair.client.closeWrite();
  assert(equals(await received, sent));
  assertEquals(pair.client.stats().bytesSent, sent.length);
  assertEquals(pair.server.stats().bytesReceived, sent.length);
});

onEach("20 MB go both ways at once", async (transport) => {
  await using pair = await connectedPair(transport);
  const { client, server } = pair;
  const sent = [pattern(20 * MiB, 1), pattern(20 * MiB, 2)] as const;
  const send = async (conn: TcpConnection, data: Uint8Array) => {
    await conn.write(data);
    await conn.closeWrite();
  };
  const [toServer, toClient] = await Promise.all([
    readAll(server),
    readAll(client),
    send(client, sent[0]),
    send(server, sent[1]),
  ]);
  assert(equals(toServer, sent[0]));
  assert(equals(toClient, sent[1]));
});

onEach("writes of many callers go out whole and in order", async (transport) => {
  await using pair = await connectedPair(transport);
  const received = readAll(pair.server);
  const pieces = Array.from({ length: 500 }, (_, i) => pattern((i * 7919) % 3000, i + 1));
  await Promise.all(pieces.map((piece) => pair.client.write(piece)));
  await pair.client.closeWrite();
  const all = await received;
  let at = 0;
  for (const piece of pieces) {
    assert(equals(all.subarray(at, at + piece.length), piece), `the piece at ${at} is not intact`);
    at += piece.length;
  }
  assertEquals(all.length, at);
});

onEach("the end of the stream is null, again and again", async (transport) => {
  await using pair = await connectedPair(transport);
  await pair.client.write("last\nrest");
  await pair.client.closeWrite();
  assertEquals(await pair.server.readLine(), "last");
  assertEquals(await pair.server.readLine(), "rest");
  assertEquals(await pair.server.readLine(), null);
  assertEquals(await pair.server.readExactly(1), null);
  assertEquals(await pair.server.readUntil("\n"), null);
  assertEquals(await pair.server.read(new Uint8Array(1)), null);
  for await (const _ of pair.server) throw new Error("a chunk after the end");
});

onEach("the client ends its side and still gets the answer", async (transport) => {
  await using pair = await connectedPair(transport);
  await pair.client.write("question");
  await pair.client.closeWrite();
  assertEquals(text(await readAll(pair.server)), "question");
  await pair.server.write("answer");
  await pair.server.closeWrite();
  assertEquals(text(await readAll(pair.client)), "answer");
});

onEach("the server ends its side and still hears the client", async (transport) => {
  await using pair = await connectedPair(transport);
  await pair.server.write("greeting");
  await pair.server.closeWrite();
  assertEquals(text(await readAll(pair.client)), "greeting");
  await pair.client.write("still here");
  await pair.client.closeWrite();
  assertEquals(text(await readAll(pair.server)), "still here");
});

onEach("closeWrite sends what was written before, and can be called again", async (transport) => {
  await using pair = await connectedPair(transport);
  const sent = pattern(4 * MiB);
  const writing = pair.client.write(sent);
  const ending = [pair.client.closeWrite(), pair.client.closeWrite()];
  assert(equals(await readAll(pair.server), sent));
  await Promise.all([writing, ...ending, pair.client.closeWrite()]);
  const error = await assertRejects(() => pair.client.write("more"), ClosedError);
  assertEquals(error.code, "closed");
});

onEach("close right after closeWrite still ends the stream in order", async (transport) => {
  await using pair = await connectedPair(transport);
  const sent = pattern(MiB);
  pair.client.write(sent);
  const ended = pair.client.closeWrite();
  const closed = pair.client.close();
  assert(equals(await readAll(pair.server), sent));
  await pair.server.close();
  await Promise.all([ended, closed]);
});

onEach("a second reader gets Busy, the first goes on", async (transport) => {
  await using pair = await connectedPair(transport);
  const first = pair.server.read(new Uint8Array(8));
  const error = await assertRejects(
    () => pair.server.read(new Uint8Array(8)),
    Deno.errors.Busy,
    "another read is in progress",
  );
  assert(isNetError(error));
  assertEquals([error.operation, error.code, error.transport], ["read", "EBUSY", transport.name]);
  for (
    const second of [
      () => pair.server.readLine(),
      () => pair.server.readExactly(1),
      () => pair.server.readUntil("\0"),
      () => pair.server[Symbol.asyncIterator]().next(),
    ]
  ) {
    await assertRejects(second, Deno.errors.Busy);
  }
  await pair.client.write("go on");
  assertEquals(await first, 5);
});

onEach("a read that timed out has lost nothing", async (transport) => {
  await using pair = await connectedPair(transport);
  await assertRejects(
    () => pair.server.read(new Uint8Array(8), { timeout: 1 }),
    Deno.errors.TimedOut,
  );
  await pair.client.write("late");
  assertEquals(text(await pair.server.readExactly(4)), "late");
});

onEach("a read that was aborted has lost nothing", async (transport) => {
  await using pair = await connectedPair(transport);
  const controller = new AbortController();
  const reason = new Error("never mind");
  const reading = pair.server.readLine({ signal: controller.signal });
  await pair.client.write("half");
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => reading), reason);
  await pair.client.write(" a line\n");
  assertEquals(await pair.server.readLine(), "half a line");
});

onEach("our close ends our calls with ClosedError, the peer's with null", async (transport) => {
  await using pair = await connectedPair(transport);
  const reading = assertRejects(() => pair.client.read(new Uint8Array(1)), ClosedError);
  const closed = pair.client.close();
  assertEquals((await reading).code, "closed");
  assertEquals(await outcome(pair.server), null);
  await pair.server.close();
  await closed;
  for (
    const call of [
      () => pair.client.read(new Uint8Array(1)),
      () => pair.client.readLine(),
      () => pair.client.readExactly(1),
      () => pair.client.write("more"),
      () => pair.client[Symbol.asyncIterator]().next(),
    ]
  ) {
    assertEquals((await assertRejects(call, ClosedError)).code, "closed");
  }
  assertEquals((await pair.client.closed).how, "closed");
  assert(pair.client.signal.aborted);
});

onEach("abort ends waiting reads and writes with its reason", async (transport) => {
  await using pair = await connectedPair(transport);
  const reason = new Error("enough");
  const reading = assertRejects(() => pair.client.read(new Uint8Array(1)));
  const writing = assertRejects(() => pair.client.write(pattern(32 * MiB)));
  const queued = assertRejects(() => pair.client.write("queued"));
  pair.client.abort(reason);
  assertStrictEquals(await reading, reason);
  assertStrictEquals(await writing, reason);
  assertStrictEquals(await queued, reason);
  assertEquals(await pair.client.closed, { how: "aborted", reason });
  assertStrictEquals(pair.client.signal.reason, reason);
});

onEach("abort without a reason says that it was this side", async (transport) => {
  await using pair = await connectedPair(transport);
  const reading = assertRejects(() => pair.client.readLine(), ClosedError);
  pair.client.abort();
  assertEquals((await reading).code, "aborted");
});

onEach("the last words of a server reach a client that is still sending", async (transport) => {
  const lastWords = pattern(300_000, 7);
  await using server = transport.serve({}, async (conn) => {
    await conn.readExactly(10_000);
    await conn.write(lastWords); // a protocol error, say; closed on return with the input unread
  });
  for (let round = 0; round < 10; round++) {
    const conn = await transport.connect(server);
    const sending = conn.write(pattern(4 * MiB)).then(() => conn.closeWrite());
    const heard = await readAll(conn);
    assert(equals(heard, lastWords), `round ${round}: heard ${heard.length} bytes`);
    await sending;
    await conn.close();
  }
});

onEach("writing to a peer that has gone is BrokenPipe or ConnectionReset", async (transport) => {
  await using pair = await connectedPair(transport);
  pair.server.abort();
  await pair.server.close();
  const error = await assertRejects(async () => {
    while (true) {
      await pair.client.write(pattern(64 * 1024));
      await nextTurn();
    }
  });
  assert(
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset,
    String(error),
  );
  assert(isNetError(error));
  assertEquals([error.operation, error.transport], ["write", transport.name]);
  assert(["EPIPE", "ECONNRESET"].includes(error.code), error.code);
  assertEquals(error.remoteAddr, pair.client.remoteAddr);
  assertInstanceOf(error.cause, Error);
  await pair.client.close(); // from now on it is we who have closed, whatever came before
  await assertRejects(() => pair.client.write("x"), ClosedError);
});

onEach("a peer that does not read stops its writer and nothing else", async (transport) => {
  await using pair = await connectedPair(transport);
  const sent = pattern(24 * MiB);
  const writing = pair.client.write(sent);
  const watched = new Watched(writing);
  for (let i = 0; i < 50; i++) {
    await pair.server.write(`${i}\n`);
    assertEquals(await pair.client.readLine(), `${i}`);
  }
  assertEquals(watched.settled, false);
  const received = readAll(pair.server);
  await writing;
  await pair.client.closeWrite();
  assert(equals(await received, sent));
});

onEach("the ends of readable and writable are half-closes", async (transport) => {
  await using pair = await connectedPair(transport);
  const { client, server } = pair;
  const upper = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array>({
    transform: (chunk, controller) => controller.enqueue(utf8(text(chunk)?.toUpperCase() ?? "")),
    flush: (controller) => controller.enqueue(utf8(" (the end)")),
  });
  const serving = server.readable.pipeThrough(upper).pipeTo(server.writable);
  const writer = client.writable.getWriter();
  await writer.write(utf8("over streams"));
  await writer.close();
  assertEquals(text(await readAll(client)), "OVER STREAMS (the end)");
  await serving;
});

onEach("everything that was read and written is counted", async (transport) => {
  await using pair = await connectedPair(transport);
  await pair.client.write("12345");
  await pair.server.readExactly(2);
  assertEquals(pair.client.stats().bytesSent, 5);
  assertEquals(pair.server.stats().bytesReceived, 5);
  assertEquals(pair.server.stats().bytesBuffered, 3);
  assertEquals(pair.client.stats().bytesQueued, 0);
});

onEach("the loop over chunks can be left and taken up again", async (transport) => {
  await using pair = await connectedPair(transport);
  await pair.client.write("first");
  for await (const chunk of pair.server) {
    assertEquals(text(chunk), "first");
    break;
  }
  await pair.client.write("second");
  await pair.client.closeWrite();
  assertEquals(text(await readAll(pair.server)), "second");
});

onEach(
  "the peer's machine ends it abruptly: ConnectionReset, UnexpectedEof or the end",
  async (transport) => {
    await using pair = await connectedPair(transport);
    await pair.client.write("unread by the server");
    pair.server.abort();
    const error = await outcome(pair.client);
    // A unix socket and TLS say it in their own way; what matters is that the wait is over.
    assert(
      error === null || error instanceof Deno.errors.ConnectionReset ||
        error instanceof Deno.errors.UnexpectedEof,
      String(error),
    );
  },
);
