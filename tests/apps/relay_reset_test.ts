/** A connection that one side breaks off is broken off on the other side too, after what was sent. */
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { type RelayEvent, type RelayOptions, serveRelay } from "../../apps/relay/mod.ts";
import {
  connectTcp,
  serveTcp,
  type TcpConnection,
  type TcpHandler,
  type TcpServer,
} from "../../mod.ts";
import { clientTls, serverTls } from "../_util/transports.ts";

const portOf = (server: TcpServer<Deno.NetAddr>) => server.addr.port;

/** A target and a relay before it. */
interface Scene extends AsyncDisposable {
  connect(): Promise<TcpConnection>;
  /** The event with which a connection was closed. */
  closed: Promise<RelayEvent & { type: "close" }>;
  /** Settles when so many bytes of the target have been passed on. */
  passed(bytes: number): Promise<void>;
}

function scene(handler: TcpHandler, isTls = false): Scene {
  const silent = { port: 0, onListen() {}, onError() {} };
  const target = serveTcp(isTls ? { ...silent, tls: serverTls } : silent, handler);
  const closed = Promise.withResolvers<RelayEvent & { type: "close" }>();
  let total = 0;
  let look = () => {};
  const options: RelayOptions = {
    target: { port: portOf(target) },
    onListen() {},
    observer(event) {
      if (event.type === "close") closed.resolve(event);
      if (event.type === "data" && event.from === "target") total += event.data.length;
      look();
    },
  };
  if (isTls) options.target = { hostname: "localhost", port: portOf(target), tls: clientTls };
  const relay = serveRelay(options);
  return {
    connect: () => connectTcp({ port: portOf(relay) }),
    closed: closed.promise,
    passed: (bytes) =>
      new Promise((resolve) => {
        look = () => total >= bytes && resolve();
        look();
      }),
    async [Symbol.asyncDispose]() {
      await relay.shutdown({ timeout: 0 });
      await target.shutdown({ timeout: 0 });
    },
  };
}

/** What can be read, and the error that ends it; no error if the end was clean. */
async function readAll(conn: TcpConnection): Promise<{ size: number; error: unknown }> {
  let size = 0;
  try {
    for await (const chunk of conn) size += chunk.length;
    return { size, error: undefined };
  } catch (error) {
    return { size, error };
  }
}

Deno.test("a reset by the target reaches the client, after what it had sent", async () => {
  const go = Promise.withResolvers<void>();
  await using here = scene(async (conn) => {
    await conn.write("the last words\n");
    await go.promise;
    conn.abort();
  });
  await using conn = await here.connect();
  assertEquals(await conn.readLine(), "the last words");
  go.resolve();
  const { error } = await readAll(conn);
  assertInstanceOf(error, Deno.errors.ConnectionReset);
  const { first, reason } = await here.closed;
  assertEquals(first, "target");
  assert(reason?.includes("reset"), reason);
});

Deno.test("a reset by the client reaches the target", async () => {
  const seen = Promise.withResolvers<unknown>();
  await using here = scene(async (conn) => {
    await conn.write("hello\n");
    seen.resolve((await readAll(conn)).error);
  });
  await using conn = await here.connect();
  assertEquals(await conn.readLine(), "hello");
  conn.abort();
  assertInstanceOf(await seen.promise, Deno.errors.ConnectionReset);
  assertEquals((await here.closed).first, "client");
});

Deno.test("a reset that only a write is told of is no clean end for the client", async () => {
  await using here = scene(async (conn) => {
    await conn.readExactly(1_000_000);
    conn.abort();
  });
  await using conn = await here.connect();
  const block = new Uint8Array(65_536);
  const writing = assertRejects(async () => {
    while (true) await conn.write(block);
  });
  const { error } = await readAll(conn);
  assertInstanceOf(error, Error);
  await writing;
  assertEquals((await here.closed).first, "target");
});

Deno.test("what was passed on before a reset arrives, although the client reads late", async () => {
  const SIZE = 1_000_000;
  const go = Promise.withResolvers<void>();
  await using here = scene(async (conn) => {
    await conn.write(new Uint8Array(SIZE));
    await go.promise;
    conn.abort();
    aborted.resolve();
  });
  const aborted = Promise.withResolvers<void>();
  await using conn = await here.connect();
  await here.passed(SIZE);
  go.resolve();
  await aborted.promise;
  const { size, error } = await readAll(conn);
  assertEquals(size, SIZE);
  assertInstanceOf(error, Deno.errors.ConnectionReset);
});

Deno.test("a TLS target that is cut off is no clean end for the client", async () => {
  await using here = scene(async (conn) => {
    await conn.write("half of\n");
    await conn.readLine();
    conn.abort();
  }, true);
  await using conn = await here.connect();
  assertEquals(await conn.readLine(), "half of");
  await conn.write("go\n");
  const { error } = await readAll(conn);
  assertInstanceOf(error, Deno.errors.ConnectionReset);
  assertEquals((await here.closed).first, "target");
});

Deno.test("an end is still an end on both sides", async () => {
  await using here = scene(async (conn) => {
    for await (const chunk of conn) await conn.write(chunk);
  });
  await using conn = await here.connect();
  await conn.write(new Uint8Array(300_000));
  await conn.closeWrite();
  assertEquals(await readAll(conn), { size: 300_000, error: undefined });
  assertEquals((await here.closed).reason, undefined);
});
