import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { ClosedError, connectTcp, serveTcp, type TcpConnection } from "../../mod.ts";
import { captureErrors, Events, nextTurn, Watched } from "../_util/events.ts";
import { freePort } from "../_util/ports.ts";
import { deno } from "../_util/peers.ts";
import {
  drain,
  echo,
  portOf,
  serverTls,
  tcp,
  text,
  tls,
  tlsFiles,
  transports,
} from "../_util/transports.ts";

const limit = { timeout: 20_000 };

for (const transport of transports) {
  Deno.test(`${transport.name}: shutdown tells handlers, which may finish`, limit, async () => {
    const accepted = new Events<TcpConnection>();
    const told = new Events<unknown>();
    const server = transport.serve({}, async (conn) => {
      conn.signal.addEventListener("abort", () => told.push(conn.signal.reason));
      accepted.push(conn);
      for (let line = await conn.readLine(); line !== null; line = await conn.readLine()) {
        await conn.write(`${line}, ${conn.draining ? "draining" : "serving"}\n`);
        if (conn.draining) return;
      }
    });
    const client = await transport.connect(server);
    await client.write("one\n");
    assertEquals(await client.readLine(), "one, serving");
    const conn = await accepted.next();
    assertEquals(conn.draining, false);
    const finished = new Watched(server.finished);
    const stopping = server.shutdown();
    const reason = await told.next();
    assert(reason instanceof ClosedError);
    assertEquals(reason.code, "draining");
    assertEquals(conn.draining, true);
    await client.write("two\n");
    assertEquals(await client.readLine(), "two, draining");
    assertEquals(finished.settled, false);
    assertEquals(await client.readLine(), null);
    await client.close();
    await stopping;
    await server.finished;
    assertEquals(server.connections.size, 0);
    assertEquals((await conn.closed).how, "closed");
  });

  Deno.test(`${transport.name}: shutdown aborts the connections that stay`, limit, async () => {
    const failed = new Events<unknown>();
    const closed = new Events<string>();
    const server = transport.serve({
      onError: failed.push,
      onClose: (_, { how }) => closed.push(how),
    }, echo);
    const clients = [await transport.connect(server), await transport.connect(server)];
    for (const client of clients) { // both are being served
      await client.write("x");
      await client.readExactly(1);
    }
    await server.shutdown({ timeout: 20 });
    for (const client of clients) {
      const error = await failed.next();
      assert(error instanceof ClosedError && error.code === "aborted", String(error));
      assertEquals(await closed.next(), "aborted");
      assertEquals(await drain(client).catch(() => 0), 0); // an end or a reset
      await client.close();
    }
    assertEquals(server.stats().active, 0);
  });

  Deno.test(
    `${transport.name}: the address is free when shutdown resolves, 50 times`,
    limit,
    async () => {
      const dir = await Deno.makeTempDir();
      const tlsOption = transport.name === "tls" ? { tls: serverTls } : {};
      const port = freePort();
      for (let round = 0; round < 50; round++) {
        const server = transport.name === "unix"
          ? serveTcp({ path: `${dir}/socket`, onListen() {} }, echo)
          : serveTcp({ port, ...tlsOption, onListen() {} }, echo);
        const client = await transport.connect(server);
        if (round % 2 === 0) {
          await client.write("ping");
          assertEquals(text(await client.readExactly(4)), "ping");
        }
        const stopping = server.shutdown({ timeout: round % 3 === 0 ? 0 : 10_000 });
        await client.close();
        await stopping;
      }
      await Deno.remove(dir, { recursive: true });
    },
  );
}

Deno.test("shutdown refuses newcomers at once", limit, async () => {
  const release = Promise.withResolvers<void>();
  const server = tcp.serve({}, () => release.promise);
  const client = await tcp.connect(server);
  const stopping = server.shutdown();
  await nextTurn(); // the system has closed the listener
  await assertRejects(() => tcp.connect(server), Deno.errors.ConnectionRefused);
  release.resolve();
  await client.close();
  await stopping;
});

Deno.test("shutdown with timeout 0 does not wait", limit, async () => {
  const server = tcp.serve({ onError() {} }, echo);
  const client = await tcp.connect(server);
  await client.write("x");
  await client.readExactly(1);
  await server.shutdown({ timeout: 0 });
  await client.close();
});

Deno.test("a second shutdown may have less time", limit, async () => {
  const server = tcp.serve({ onError() {} }, echo);
  const client = await tcp.connect(server);
  await client.write("x");
  await client.readExactly(1);
  const first = server.shutdown({ timeout: Infinity });
  const watched = new Watched(first);
  await nextTurn();
  assertEquals(watched.settled, false);
  await server.shutdown({ timeout: 1 });
  await first;
  await client.close();
});

Deno.test("a second shutdown with more time does not put the end off", limit, async () => {
  const server = tcp.serve({ onError() {} }, echo);
  const client = await tcp.connect(server);
  await client.write("x");
  await client.readExactly(1);
  const stopped = server.shutdown({ timeout: 50 });
  server.shutdown({ timeout: 600_000 });
  server.shutdown({ timeout: Infinity });
  await stopped;
  await client.close();
});

Deno.test("active counts handlers that never end", limit, async () => {
  const closed = Promise.withResolvers<void>();
  const never = Promise.withResolvers<void>();
  const server = tcp.serve({ onClose: () => closed.resolve() }, (conn) => {
    conn.abort();
    return never.promise;
  });
  const client = await tcp.connect(server);
  await closed.promise;
  assertEquals([server.connections.size, server.stats().active], [0, 1]);
  never.resolve();
  await server.shutdown();
  assertEquals([server.connections.size, server.stats().active], [0, 0]);
  await client.close();
});

Deno.test("a handler that never ends cannot hold up a forced shutdown", limit, async () => {
  const entered = Promise.withResolvers<void>();
  const server = tcp.serve({}, () => {
    entered.resolve();
    return new Promise(() => {});
  });
  const client = await tcp.connect(server);
  await entered.promise;
  await server.shutdown({ timeout: 1 });
  await server.shutdown(); // leaves no timer behind, although the handler is still there
  await server[Symbol.asyncDispose]();
  await client.close();
});

Deno.test(
  "a server has not stopped before its listener, even if a handler never ends",
  limit,
  async () => {
    const settled = Promise.withResolvers<void>();
    const { listen } = Deno;
    const slowly = (options: Deno.TcpListenOptions): Deno.TcpListener => {
      const listener = listen(options);
      const accept = listener.accept.bind(listener);
      listener.accept = () =>
        accept().catch(async (error) => {
          await settled.promise;
          throw error;
        });
      return listener;
    };
    Deno.listen = slowly as typeof listen;
    const stuck = () => new Promise<void>(() => {});
    const server = tcp.serve({}, stuck);
    Deno.listen = listen;
    const other = tcp.serve({}, stuck);
    const clients = [await tcp.connect(server), await tcp.connect(other)];
    while (server.stats().active + other.stats().active < 2) await nextTurn();
    let hasStopped = false;
    const stopped = server.shutdown({ timeout: 0 }).then(() => hasStopped = true);
    await other.shutdown({ timeout: 0 }); // its grace ends after that of the first
    assertEquals(hasStopped, false);
    settled.resolve();
    await stopped;
    for (const client of clients) await client.close();
  },
);

Deno.test("a longer shutdown after an abort does not begin to wait again", limit, async () => {
  const controller = new AbortController();
  const entered = Promise.withResolvers<void>();
  const server = tcp.serve({ signal: controller.signal }, () => {
    entered.resolve();
    return new Promise(() => {});
  });
  const client = await tcp.connect(server);
  await entered.promise;
  controller.abort();
  await server.shutdown({ timeout: 600_000 });
  await client.close();
});

Deno.test("shutdown waits for a handshake that is under way, or ends it", limit, async () => {
  const failed = new Events<unknown>();
  const server = tls.serve({ onError: failed.push }, echo);
  const silent = await Deno.connect({ port: portOf(server) });
  await tls.connect(server).then((conn) => conn.close()); // the silent one was accepted before
  const stopping = server.shutdown({ timeout: 600_000 });
  const watched = new Watched(stopping);
  await nextTurn();
  assertEquals(watched.settled, false);
  await server.shutdown({ timeout: 0 });
  await stopping;
  assertEquals(server.stats().handshakeErrors, 1); // ended by us, not by the client's leaving
  silent.close();
  assertEquals(failed.pending.length, 0);
});

Deno.test("a handshake that ends while the server is draining is told so", limit, async () => {
  const served = new Events<boolean>();
  const server = tls.serve({}, (conn) => served.push(conn.draining));
  const late = await Deno.connect({ port: portOf(server) });
  await tls.connect(server).then((conn) => conn.close()); // the late one was accepted before
  assertEquals(await served.next(), false);
  const stopping = server.shutdown({ timeout: 600_000 });
  const conn = await Deno.startTls(late, { hostname: "localhost", caCerts: [tlsFiles.ca] });
  assertEquals(await conn.read(new Uint8Array(1)), null);
  assertEquals(await served.next(), true);
  conn.close();
  await stopping;
});

Deno.test("a server that has stopped lets go of its signal", limit, async () => {
  const { signal } = new AbortController();
  const listeners = new Set<unknown>();
  signal.addEventListener = (_: string, listener: unknown) => void listeners.add(listener);
  signal.removeEventListener = (_: string, listener: unknown) => void listeners.delete(listener);
  const server = tcp.serve({ signal }, echo);
  assertEquals(listeners.size, 1);
  await server.shutdown();
  assertEquals(listeners.size, 0);
});

Deno.test("shutdown while the server is full ends the wait for a vacancy", limit, async () => {
  const release = Promise.withResolvers<void>();
  const server = tcp.serve({ limits: { maxConnections: 1 } }, () => release.promise);
  const client = await tcp.connect(server);
  const queued = await tcp.connect(server);
  const stopping = server.shutdown();
  release.resolve();
  await client.close();
  await queued.close();
  await stopping;
});

Deno.test("the signal aborts the server at once, with its reason", limit, async () => {
  const controller = new AbortController();
  const reason = new Error("power cut");
  const failed = new Events<unknown>();
  const server = tcp.serve({ signal: controller.signal, onError: failed.push }, echo);
  const client = await tcp.connect(server);
  await client.write("x");
  await client.readExactly(1);
  const [conn] = server.connections;
  controller.abort(reason);
  await server.finished;
  assertStrictEquals(await failed.next(), reason);
  assertEquals(await conn?.closed, { how: "aborted", reason });
  await assertRejects(() => tcp.connect(server), Deno.errors.ConnectionRefused);
  await client.close();
});

Deno.test("a server whose signal has aborted already does not begin", limit, () => {
  const reason = new Error("never");
  assertThrows(() => tcp.serve({ signal: AbortSignal.abort(reason) }, echo), Error, "never");
});

Deno.test("a server that could not begin leaves nothing", limit, async () => {
  const controller = new AbortController();
  const { signal } = controller;
  let port = 0;
  assertThrows(
    () =>
      serveTcp({
        signal,
        onListen: (addr) => {
          port = addr.port;
          throw new Error("not today");
        },
      }, echo),
    Error,
    "not today",
  );
  controller.abort(); // must not reach the server that never was
  await nextTurn();
  await using _ = serveTcp({ port, onListen() {} }, echo);
});

Deno.test("a taken address is AddrInUse and says which", limit, async () => {
  await using server = tcp.serve({}, echo);
  const port = portOf(server);
  const error = assertThrows(() => serveTcp({ port }, echo), Deno.errors.AddrInUse);
  assertEquals(error.message, `Cannot listen on 127.0.0.1:${port}: address already in use`);
  assertEquals("operation" in error && error.operation, "listen");
  assertEquals("code" in error && error.code, "EADDRINUSE");
});

Deno.test("await using shuts a server down", limit, async () => {
  let port: number;
  {
    await using server = tcp.serve({}, echo);
    port = portOf(server);
    await using client = await tcp.connect(server);
    await client.write("x");
    assertEquals(text(await client.readExactly(1)), "x");
  }
  await assertRejects(() => connectTcp({ port }), Deno.errors.ConnectionRefused);
});

Deno.test("shutdown checks its options", limit, async () => {
  await using server = tcp.serve({}, echo);
  for (const timeout of [-1, NaN]) {
    assertThrows(() => server.shutdown({ timeout }), RangeError, "timeout");
  }
});

Deno.test("a server says where it listens, on stderr unless told otherwise", limit, async () => {
  const printed = await captureErrors(async () => {
    await using server = serveTcp(echo);
    assertEquals(server.addr.hostname, "127.0.0.1");
    assert(portOf(server) > 0);
  });
  assertEquals(printed.length, 1);
  assert(/^listening on 127\.0\.0\.1:\d+$/.test(String(printed[0]?.[0])));
  const heard = new Events<unknown>();
  await using server = serveTcp({ onListen: heard.push }, echo);
  assertEquals(heard.pending, [server.addr]);
});

Deno.test("the path of a unix server is gone when it has stopped", limit, async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/socket`;
  const server = serveTcp({ path, onListen() {} }, echo);
  assertEquals(server.addr, { transport: "unix", path });
  assert((await Deno.stat(path)).isSocket);
  await server.shutdown();
  await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
  await Deno.remove(dir, { recursive: true });
});

Deno.test(
  "a unix server that was replaced leaves its successor's socket alone",
  limit,
  async () => {
    const dir = await Deno.makeTempDir();
    const path = `${dir}/socket`;
    const old = serveTcp({ path, onListen() {} }, echo);
    const { birthtime } = await Deno.lstat(path);
    await Deno.remove(path);
    while (true) { // until the clock of the file system has moved on
      await Deno.writeTextFile(path, "");
      const now = await Deno.lstat(path);
      await Deno.remove(path);
      if (now.birthtime?.getTime() !== birthtime?.getTime()) break;
      await nextTurn();
    }
    await using successor = serveTcp({ path, onListen() {} }, echo);
    const before = await Deno.lstat(path);
    await old.shutdown();
    assertEquals((await Deno.lstat(path)).ino, before.ino);
    for await (const { name } of Deno.readDir(dir)) assertEquals(name, "socket");
    await using conn = await connectTcp({ path });
    await conn.write("x");
    assertEquals(text(await conn.readExactly(1)), "x");
    await conn.close();
    await successor.shutdown();
    await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
    const last = serveTcp({ path, onListen() {} }, echo);
    await Deno.remove(path);
    await last.shutdown(); // there is nothing to leave alone
    await Deno.remove(dir, { recursive: true });
  },
);

Deno.test("options that are undefined are options that were not given", limit, async () => {
  const given = { port: 0, path: undefined, onListen() {} };
  await using server = serveTcp(given as unknown as { port: number }, echo);
  assertEquals(server.addr.transport, "tcp");
  const to = { port: portOf(server), path: undefined };
  await using conn = await connectTcp(to as unknown as { port: number });
  assertEquals(conn.transport, "tcp");
  const printed = await captureErrors(async () => {
    await using plain = serveTcp(undefined, echo);
    assertEquals(plain.addr.transport, "tcp");
  });
  assertEquals(printed.length, 1);
});

Deno.test("a socket file left behind is in use, and the error says what to do", limit, async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/socket`;
  await using child = deno(`
    net.serveTcp({ path: ${JSON.stringify(path)}, onListen: () => console.log("up") }, () => {});
  `);
  assertEquals(await child.line(), "up");
  child.kill("SIGKILL");
  await child.status;
  const error = assertThrows(() => serveTcp({ path, onListen() {} }, echo), Deno.errors.AddrInUse);
  assertEquals(
    error.message,
    `Cannot listen on ${path}: address already in use (if no server uses it, remove the file)`,
  );
  await Deno.remove(path);
  await using server = serveTcp({ path, onListen() {} }, echo);
  await server.shutdown();
  const nowhere = assertThrows(() => serveTcp({ path: `${dir}/no/socket`, onListen() {} }, echo));
  assert(nowhere instanceof Deno.errors.NotFound);
  assertEquals(
    nowhere.message,
    `Cannot listen on ${dir}/no/socket: no such file or directory`,
  );
  await Deno.remove(dir, { recursive: true });
});

Deno.test("unref lets a process end, ref keeps it", limit, async () => {
  await using child = deno(`
    const server = net.serveTcp({ onListen() {} }, () => {});
    server.unref();
    server.ref();
    server.unref();
    console.log("unreferenced");
  `);
  assertEquals(await child.line(), "unreferenced");
  assertEquals((await child.status).code, 0);
  await using other = deno(`
    const server = net.serveTcp({ onListen() {} }, () => {});
    server.unref();
    server.ref();
    addEventListener("beforeunload", () => console.log("ending"));
    setTimeout(() => console.log("still here"), 20).unref?.();
    setTimeout(() => { console.log("still there"); server.shutdown(); }, 30);
  `);
  assertEquals(await other.line(), "still here");
  assertEquals(await other.line(), "still there");
  assertEquals(await other.line(), "ending");
});
