import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  connectTcp,
  serveTcp,
  type TcpConnection,
  type TcpServer,
  type TcpServerOptions,
} from "../../mod.ts";
import { Admission, MAX_UNRELEASED } from "../../tcp/_admission.ts";
import { Events, nextTurn } from "../_util/events.ts";
import { deno, python, testWith } from "../_util/peers.ts";
import { drain, echo, portOf, serverTls, tcp, text, tls, transports } from "../_util/transports.ts";

const pythonTest = testWith("python3");
/** The system tells about descriptors and timers in /proc. */
const linuxTest = testWith("Linux");
const linuxPythonTest = testWith("python3", "Linux");

const limit = { timeout: 20_000 };

/** Says from which addresses it connects and what it gets to hear: a byte back, or the end. */
const CALLER = `
import socket, sys
port = int(sys.argv[1])
held = []
for source in sys.argv[2:]:
    s = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET)
    s.bind((source, 0))
    s.settimeout(10)
    s.connect(("::1" if ":" in source else "127.0.0.1", port))
    try:
        s.send(b"x")
        print(source, s.recv(1).decode() or "end")
    except OSError:
        print(source, "end")
    held.append(s)
sys.stdin.read()
`;

for (const transport of transports) {
  Deno.test(
    `${transport.name}: at the limit newcomers wait until a connection ends`,
    limit,
    async () => {
      await using server = transport.serve({ limits: { maxConnections: 2 } }, echo);
      const inside = [await transport.connect(server), await transport.connect(server)];
      for (const conn of inside) {
        await conn.write("x");
        await conn.readExactly(1);
      }
      const waiting = transport.connect(server);
      // Over TLS not even the handshake begins; elsewhere the system takes bytes for the server.
      const served = waiting.then(async (conn) => {
        await conn.write("y");
        return [conn, text(await conn.readExactly(1))] as const;
      });
      await inside[0]?.write("z");
      await inside[0]?.readExactly(1);
      assertEquals(server.stats().accepted, 2);
      assertEquals(server.connections.size, 2);
      await inside[1]?.close();
      const [conn, answer] = await served;
      assertEquals(answer, "y");
      assertEquals(server.stats().refused, 0);
      await Promise.all([conn.close(), inside[0]?.close()]);
    },
  );

  Deno.test(`${transport.name}: with onLimit "drop" newcomers are sent away`, limit, async () => {
    await using server = transport.serve({
      limits: { maxConnections: 1, onLimit: "drop" },
    }, echo);
    await using inside = await transport.connect(server);
    await inside.write("x");
    await inside.readExactly(1);
    for (let i = 0; i < 3; i++) {
      const outcome = await transport.connect(server).then(async (conn) => {
        const heard = await drain(conn).catch(() => 0);
        await conn.close();
        return heard;
      }, () => 0);
      assertEquals(outcome, 0);
    }
    assertEquals(server.stats().refused, 3);
    assertEquals(server.stats().active, 1);
  });
}

Deno.test("places are given back by handlers that throw, too", limit, async () => {
  await using server = tcp.serve({ limits: { maxConnections: 1 }, onError() {} }, async (conn) => {
    await conn.readExactly(1);
    throw new Error("a mistake");
  });
  for (let i = 0; i < 5; i++) {
    await using conn = await tcp.connect(server);
    await conn.write("x");
    assertEquals(await drain(conn), 0);
  }
});

pythonTest("a limit per address is one address's own affair", limit, async () => {
  await using server = tcp.serve({ limits: { maxConnectionsPerIp: 2 } }, echo);
  const a = "127.0.0.1";
  const b = "127.0.0.2";
  await using peer = python(CALLER, portOf(server), a, a, a, b, b, b, "127.0.0.3");
  for (const expected of [`${a} x`, `${a} x`, `${a} end`, `${b} x`, `${b} x`, `${b} end`]) {
    assertEquals(await peer.line(), expected);
  }
  assertEquals(await peer.line(), "127.0.0.3 x");
  assertEquals(server.stats().refused, 2);
  await peer.endInput();
  await peer.status;
  while (server.connections.size > 0) await nextTurn();
  await using again = python(CALLER, portOf(server), a, a, a);
  for (const expected of ["x", "x", "end"]) assertEquals(await again.line(), `${a} ${expected}`);
});

pythonTest("allow lets in only those on the list", limit, async () => {
  await using server = serveTcp({ allow: ["127.0.0.2", "127.1.0.0/16"], onListen() {} }, echo);
  await using peer = python(
    CALLER,
    portOf(server),
    "127.0.0.1",
    "127.0.0.2",
    "127.1.2.3",
    "127.2.0.1",
  );
  for (const expected of ["127.0.0.1 end", "127.0.0.2 x", "127.1.2.3 x", "127.2.0.1 end"]) {
    assertEquals(await peer.line(), expected);
  }
  assertEquals(server.stats().denied, 2);
});

pythonTest("deny outweighs allow", limit, async () => {
  await using server = serveTcp({
    allow: ["127.0.0.0/8"],
    deny: ["127.0.0.2"],
    onListen() {},
  }, echo);
  await using peer = python(CALLER, portOf(server), "127.0.0.1", "127.0.0.2");
  assertEquals(await peer.line(), "127.0.0.1 x");
  assertEquals(await peer.line(), "127.0.0.2 end");
});

pythonTest("a dual-stack server knows its IPv4 peers as IPv4", limit, async () => {
  const seen = new Events<TcpConnection<Deno.NetAddr>>();
  await using server = serveTcp({
    hostname: "::",
    deny: ["127.0.0.2/32"],
    allow: ["127.0.0.0/8", "::1"],
    limits: { maxConnectionsPerIp: 1 },
    onListen() {},
    onConnect: seen.push,
  }, echo);
  await using peer = python(CALLER, portOf(server), "127.0.0.1", "127.0.0.1", "127.0.0.2", "::1");
  for (const expected of ["127.0.0.1 x", "127.0.0.1 end", "127.0.0.2 end", "::1 x"]) {
    assertEquals(await peer.line(), expected);
  }
  const v4 = await seen.next();
  const v6 = await seen.next();
  assertEquals(v4.remoteAddr.hostname, "127.0.0.1");
  assertEquals(v4.localAddr.hostname, "127.0.0.1");
  assertEquals(v6.remoteAddr.hostname, "::1");
});

Deno.test("lists and limits that make no sense are refused before listening", limit, () => {
  const wrong: [object, string][] = [
    [{ allow: ["10.0.0.0/33"] }, '"allow"'],
    [{ deny: ["localhost"] }, '"deny"'],
    [{ limits: { maxConnections: 0 } }, '"limits.maxConnections"'],
    [{ limits: { maxConnectionsPerIp: 1.5 } }, '"limits.maxConnectionsPerIp"'],
    [{ limits: { onLimit: "explode" } }, '"limits.onLimit"'],
    [{ limits: { maxWriteQueue: -1 } }, '"limits.maxWriteQueue"'],
    [{ backlog: 0 }, '"backlog"'],
    [{ port: 65_536 }, '"port" as a whole number from 0 to 65535'],
    [{ port: -1 }, '"port" as a whole number from 0 to 65535'],
    [{ path: "" }, '"path" as a path: current value is ""'],
    [{ hostname: "" }, '"hostname" as a name or an address: current value is ""'],
    [{ hostname: "a b" }, 'current value is "a b"'],
  ];
  for (const [options, message] of wrong) {
    assertThrows(() => serveTcp({ onListen() {}, ...options }, echo), Error, message);
  }
  assertThrows(() => serveTcp({}, undefined as unknown as () => void), TypeError, "handler");
});

/** Opens connections to a port from some addresses, says nothing on them and keeps them open: one more
 * for each line `open ADDRESS`, which it repeats when the connection stands. */
const SILENT = `
import socket, sys
held = []
for line in sys.stdin:
    _, source = line.split()
    s = socket.socket()
    s.bind((source, 0))
    s.connect(("127.0.0.1", int(sys.argv[1])))
    if len(held) % 3 == 1: s.send(b"\\x16\\x03\\x01\\x02\\x00\\x01\\x00")  # the beginning of a ClientHello
    held.append(s)
    print(line.strip(), flush=True)
`;

/** The connections that a server holds a descriptor for. */
function socketsOf(server: TcpServer): number {
  const end = hexOf(portOf(server));
  return connections().filter(([, local, , state, ...rest]) =>
    local?.endsWith(end) && state !== LISTENING && rest[5] !== "0" // the inode, if it is open
  ).length;
}

for (const how of ["per address", "in all", "denied"] as const) {
  linuxPythonTest({
    timeout: 60_000,
    name: `silent TLS clients hold no more descriptors than the limit ${how} allows`,
    fn: async () => {
      const options = {
        "per address": { limits: { maxConnectionsPerIp: 5 } },
        "in all": { limits: { maxConnections: 5, onLimit: "drop" } },
        "denied": { deny: ["127.0.0.2"] },
      }[how] as Pick<TcpServerOptions, "limits" | "deny">;
      const failed = new Events<unknown>();
      await using server = serveTcp({
        tls: serverTls,
        timeouts: { handshake: 1_000 },
        onListen() {},
        onError: failed.push,
        ...options,
      }, echo);
      await using peer = python(SILENT, portOf(server));
      for (let round = 0; round < 2; round++) {
        const { accepted } = server.stats();
        for (let i = 0; i < 10; i++) {
          await peer.type("open 127.0.0.2\n");
          assertEquals(await peer.line(), "open 127.0.0.2");
        }
        while (server.stats().accepted < accepted + 10) await nextTurn();
        while (socketsOf(server) > 5) await nextTurn(); // what was refused has been released
        while (server.stats().active > 0) await nextTurn();
        // Well-behaved clients are served meanwhile.
        await using conn = await tls.connect(server);
        await conn.write("x");
        assertEquals(text(await conn.readExactly(1)), "x");
      }
      // The silent ones are still there, and hold nothing.
      while (socketsOf(server) > 0) await nextTurn();
    },
  });
}

const ADMITTED: Deno.NetAddr = { transport: "tcp", hostname: "192.0.2.1", port: 1 };

Deno.test("sockets that the runtime does not release are bounded, too", () => {
  const admission = new Admission({});
  for (let i = 1; i < MAX_UNRELEASED; i++) admission.refuse();
  assertEquals(admission.full, false);
  assertEquals(admission.enter(ADMITTED), null);
  admission.giveUp();
  assertEquals(admission.full, true);
  admission.release();
  assertEquals(admission.full, false);
});

Deno.test("a given-up handshake counts for its address until its socket is released", () => {
  const admission = new Admission({ limits: { maxConnections: 1, maxConnectionsPerIp: 1 } });
  assertEquals(admission.enter(ADMITTED), null);
  admission.giveUp();
  assertEquals(admission.full, false);
  assertEquals(admission.enter(ADMITTED), "refused");
  admission.release(ADMITTED);
  assertEquals(admission.enter(ADMITTED), null);
});

Deno.test("a path takes no options that only a port has", limit, () => {
  const path = `${Deno.makeTempDirSync()}/socket`;
  const server = { path, onListen() {} };
  const given: [() => void, string][] = [
    // @ts-expect-error: the types do not allow it either
    [() => serveTcp({ ...server, tls: { cert: "", key: "" } }, echo), "tls"],
    // @ts-expect-error: the types do not allow it either
    [() => serveTcp({ ...server, allow: ["10.0.0.0/8"] }, echo), "allow"],
    // @ts-expect-error: the types do not allow it either
    [() => serveTcp({ ...server, deny: [] }, echo), "deny"],
    // @ts-expect-error: the types do not allow it either
    [() => serveTcp({ ...server, port: 0 }, echo), "port"],
    // @ts-expect-error: the types do not allow it either
    [() => serveTcp({ ...server, backlog: 1 }, echo), "backlog"],
  ];
  for (const [serve, name] of given) {
    assertThrows(serve, TypeError, `Cannot use option "${name}" together with "path"`);
    assertThrows(() => Deno.statSync(path), Deno.errors.NotFound); // nothing listened meanwhile
  }
  Deno.removeSync(path.slice(0, -"/socket".length));
});

Deno.test("the backlog keeps what comes before the server accepts", limit, async () => {
  // One place, taken: everybody else waits with the system.
  await using server = serveTcp({ backlog: 8, limits: { maxConnections: 1 }, onListen() {} }, echo);
  const port = portOf(server);
  const conns = await Promise.all(Array.from({ length: 6 }, () => connectTcp({ port })));
  assertEquals(server.stats().accepted <= 2, true);
  for (const conn of conns) {
    await conn.write("x");
    assertEquals(text(await conn.readExactly(1)), "x");
    await conn.close();
  }
});

Deno.test("a full backlog makes newcomers wait, and time out", limit, async () => {
  const release = Promise.withResolvers<void>();
  await using server = serveTcp({
    backlog: 1,
    limits: { maxConnections: 1 },
    onListen() {},
  }, () => release.promise);
  const port = portOf(server);
  const conns: TcpConnection[] = [];
  let error: unknown;
  for (let i = 0; i < 20 && error === undefined; i++) {
    try {
      conns.push(await connectTcp({ port, timeout: 150 }));
    } catch (thrown) {
      error = thrown;
    }
  }
  assert(error instanceof Deno.errors.TimedOut, String(error));
  assert(conns.length < 20);
  release.resolve();
  await Promise.all(conns.map((conn) => conn.close()));
});

Deno.test("noDelay is on unless asked for otherwise", limit, async () => {
  const probe = Deno.listen({ port: 0 });
  const plain = await Deno.connect({ port: probe.addr.port });
  const prototype = Object.getPrototypeOf(plain) as Deno.TcpConn;
  plain.close();
  probe.close();
  const original = prototype.setNoDelay;
  const calls: boolean[] = [];
  prototype.setNoDelay = function (on = true) {
    calls.push(on);
    original.call(this, on);
  };
  try {
    for (const noDelay of [undefined, true, false]) {
      calls.length = 0;
      const option = noDelay === undefined ? {} : { noDelay };
      await using server = serveTcp({ ...option, onListen() {} }, echo);
      await using conn = await connectTcp({ port: portOf(server), ...option });
      await conn.write("x");
      assertEquals(text(await conn.readExactly(1)), "x");
      // Off is the system's own default, so a server has nothing to set.
      assertEquals(calls, noDelay === false ? [false] : [true, true]);
    }
  } finally {
    prototype.setNoDelay = original;
  }
});

linuxTest({
  name: "keepAlive is off unless asked for",
  ...limit,
  async fn() {
    for (const keepAlive of [undefined, true]) {
      const option = keepAlive === undefined ? {} : { keepAlive };
      await using server = serveTcp({ ...option, onListen() {} }, echo);
      const port = portOf(server);
      await using conn = await connectTcp({ port, ...option });
      await conn.write("x");
      assertEquals(text(await conn.readExactly(1)), "x");
      while (keepaliveTimers(port).includes("01")) await nextTurn(); // not yet acknowledged
      assertEquals(keepaliveTimers(port), keepAlive ? ["02", "02"] : ["00", "00"]);
    }
  },
});

/** The kinds of the timers of both ends of the connections to `port`. */
function keepaliveTimers(port: number): string[] {
  const end = hexOf(port);
  return connections()
    .filter(([, local, remote, state]) =>
      state === ESTABLISHED && (local?.endsWith(end) || remote?.endsWith(end))
    )
    .map((fields) => fields[5]?.slice(0, 2) ?? "");
}

/** The fields of each connection of this machine (proc_net_tcp.txt). */
function connections(): string[][] {
  return Deno.readTextFileSync("/proc/net/tcp").trim().split("\n").slice(1)
    .map((line) => line.trim().split(/\s+/));
}

const ESTABLISHED = "01";
const LISTENING = "0A";

function hexOf(port: number): string {
  return `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
}

Deno.test("reusePort with its flag lets two servers share a port", limit, async () => {
  await using child = deno(
    `
    const quiet = { onListen() {}, reusePort: true };
    const a = net.serveTcp({ ...quiet, port: 0 }, () => {});
    const b = net.serveTcp({ ...quiet, port: a.addr.port }, () => {});
    console.log(a.addr.port === b.addr.port);
    await Promise.all([a.shutdown(), b.shutdown()]);
    `,
    { flags: ["--unstable-net"] },
  );
  assertEquals(await child.line(), "true");
  assertEquals((await child.status).code, 0);
});

Deno.test("reusePort without its flag is an error that can be caught", limit, async () => {
  await using child = deno(`
    try {
      net.serveTcp({ reusePort: true, onListen() {} }, () => {});
    } catch (error) {
      console.log(error.name, error.code, error.operation, error.message);
    }
  `);
  assertEquals(
    await child.line(),
    "NotSupported ENOTSUP listen Cannot listen on 127.0.0.1:0: " +
      'option "reusePort" needs the runtime flag --unstable-net',
  );
  assertEquals((await child.status).code, 0);
});

Deno.test("without permission to listen the error is NotCapable", limit, async () => {
  const { state } = await Deno.permissions.query({ name: "net" });
  assertEquals(state, "granted");
  await using child = deno(
    `
    try {
      net.serveTcp({ onListen() {} }, () => {});
    } catch (error) {
      console.log(error.name, error.code, net.isNetError(error));
    }
    try {
      await net.connectTcp({ port: 80, retry: 3 });
    } catch (error) {
      console.log(error.name, error.code, error.operation);
    }
    `,
    { flags: ["--deny-net"] },
  );
  assertEquals(await child.line(), "NotCapable ENOTCAPABLE true");
  assertEquals(await child.line(), "NotCapable ENOTCAPABLE connect");
});
