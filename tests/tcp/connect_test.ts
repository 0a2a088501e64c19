import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { connectTcp, isNetError, type NetError, serveTcp, type TcpConnection } from "../../mod.ts";
import { Events, nextTurn } from "../_util/events.ts";
import { freePort } from "../_util/ports.ts";
import { deno, python, testWith } from "../_util/peers.ts";
import {
  clientTls,
  drain,
  echo,
  portOf,
  readAll,
  serverTls,
  tcp,
  text,
  tls,
  tlsFiles,
  transports,
  unix,
} from "../_util/transports.ts";

const linuxTest = testWith("Linux");
const networkTest = testWith("network");
const pythonTest = testWith("python3");

const limit = { timeout: 20_000 };

/** A listener that never accepts and whose queue is full: a client waits forever. */
const DEAF = `
import socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(0)
held = []
for _ in range(4):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(listener.getsockname())
    held.append(s)
held[0].setblocking(True)
print(listener.getsockname()[1])
sys.stdin.read()
`;

/** Accepts one connection and says nothing on it. */
const SILENT = `
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1])
conn = listener.accept()[0]
print("accepted")
sys.stdin.read()
`;

/** The error of a connect that must fail, which must be one of ours. */
async function failure(connecting: Promise<unknown>): Promise<NetError> {
  const error = await assertRejects(() => connecting);
  assert(isNetError(error), String(error));
  return error;
}

Deno.test("refused: the error names host, port and reason", limit, async () => {
  const port = freePort();
  for (const options of [{ port }, { port, tls: clientTls }]) {
    const error = await failure(connectTcp(options));
    assert(error instanceof Deno.errors.ConnectionRefused);
    assertEquals(error.message, `Cannot connect to 127.0.0.1:${port}: connection refused`);
    assertEquals(error.operation, "connect");
    assertEquals(error.transport, "tls" in options ? "tls" : "tcp");
    assertEquals(error.code, "ECONNREFUSED");
    assert(error.cause instanceof Deno.errors.ConnectionRefused);
  }
});

pythonTest("refused: a unix socket that is not there, or has no server", limit, async () => {
  const dir = await Deno.makeTempDir();
  const absent = await failure(connectTcp({ path: `${dir}/absent` }));
  assert(absent instanceof Deno.errors.NotFound);
  assertEquals(absent.message, `Cannot connect to ${dir}/absent: no such socket`);
  assertEquals([absent.code, absent.transport], ["ENOENT", "unix"]);
  assertEquals(absent.remoteAddr, { transport: "unix", path: `${dir}/absent` });

  await using peer = python(
    `
import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])
print("bound")
`,
    `${dir}/stale`,
  );
  assertEquals(await peer.line(), "bound");
  const stale = await failure(connectTcp({ path: `${dir}/stale` }));
  assert(stale instanceof Deno.errors.ConnectionRefused);
  assertEquals(stale.message, `Cannot connect to ${dir}/stale: connection refused`);
  assertEquals([stale.code, stale.transport, stale.operation], ["ECONNREFUSED", "unix", "connect"]);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a name that no host has is NotFound", limit, async () => {
  for (const options of [{ port: 80 }, { port: 80, tls: true }]) {
    const error = await failure(connectTcp({ ...options, hostname: "nobody.invalid" }));
    assert(error instanceof Deno.errors.NotFound, String(error));
    assertEquals(error.operation, "resolve");
    assert(["ENOTFOUND", "EAI_AGAIN"].includes(error.code), error.code);
    assert(error.message.startsWith("Cannot resolve nobody.invalid:80: "), error.message);
    assert(error.cause instanceof Error);
  }
});

for (const transport of ["tcp", "tls"] as const) {
  pythonTest(`${transport}: a server that never accepts is a timeout`, limit, async () => {
    await using deaf = python(DEAF);
    const port = Number(await deaf.line());
    const options = transport === "tls" ? { port, tls: clientTls } : { port };
    const error = await failure(connectTcp({ ...options, timeout: 60 }));
    assert(error instanceof Deno.errors.TimedOut);
    assertEquals(error.message, `Cannot connect to 127.0.0.1:${port}: no answer within 60 ms`);
    assertEquals([error.operation, error.transport, error.code], [
      "connect",
      transport,
      "ETIMEDOUT",
    ]);
  });

  pythonTest(`${transport}: aborting ends a connect that waits`, limit, async () => {
    await using deaf = python(DEAF);
    const port = Number(await deaf.line());
    const controller = new AbortController();
    const reason = new Error("never mind");
    const connecting = connectTcp({
      ...(transport === "tls" ? { tls: clientTls } : {}),
      port,
      signal: controller.signal,
    });
    const rejected = assertRejects(() => connecting);
    await nextTurn();
    controller.abort(reason);
    assertStrictEquals(await rejected, reason);
  });
}

// The runtime forgets a connection that it has made when its connect is aborted.
Deno.test(
  "a connect that is given up leaves no socket, whenever the signal comes",
  limit,
  async () => {
    for (let i = 0; i < 100; i++) {
      await using server = serveTcp(
        { port: 0, onListen() {} },
        async (conn) => void await drain(conn),
      );
      const giveUp = new AbortController();
      const connecting = connectTcp({ port: server.addr.port, signal: giveUp.signal }).then(
        (conn) => conn.abort(),
        (error) => assertStrictEquals(error, giveUp.signal.reason),
      );
      for (let turn = 0; turn < i % 12; turn++) await nextTurn();
      giveUp.abort();
      await connecting;
      await server.shutdown({ timeout: 0 });
    }
  },
);

Deno.test("unix: aborting ends a connect that waits, a late winner is closed", limit, async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/socket`;
  const listener = Deno.listen({ transport: "unix", path });
  const controller = new AbortController();
  const reason = new Error("never mind");
  const rejected = assertRejects(() => connectTcp({ path, signal: controller.signal }));
  controller.abort(reason); // the system connects at once, our call must not
  assertStrictEquals(await rejected, reason);
  const accepted = await listener.accept();
  assertEquals(await accepted.read(new Uint8Array(1)), null);
  accepted.close();
  listener.close();
  await Deno.remove(dir, { recursive: true });
});

for (const transport of transports) {
  Deno.test(
    `${transport.name}: a signal that has aborted already ends it at once`,
    limit,
    async () => {
      await using server = transport.serve({}, echo);
      const reason = new Error("too late");
      const error = await assertRejects(() =>
        transport.connect(server, { signal: AbortSignal.abort(reason) })
      );
      assertStrictEquals(error, reason);
      assertEquals(server.stats().accepted, 0);
    },
  );

  Deno.test(
    `${transport.name}: the signal means the connecting, not the connection`,
    limit,
    async () => {
      await using server = transport.serve({}, echo);
      const controller = new AbortController();
      await using conn = await transport.connect(server, { signal: controller.signal });
      controller.abort();
      await conn.write("still here");
      assertEquals(text(await conn.readExactly(10)), "still here");
    },
  );

  Deno.test(`${transport.name}: retry continues until a late server appears`, limit, async () => {
    const dir = await Deno.makeTempDir();
    const path = `${dir}/socket`;
    const port = freePort();
    const options = transport.name === "tls" ? { port, tls: clientTls } : { port };
    const connecting = connectTcp({
      ...(transport.name === "unix" ? { path } : options),
      retry: { attempts: 500, minDelay: 1, maxDelay: 10 },
    });
    await assertRejects(() => connectTcp(transport.name === "unix" ? { path } : options));
    await nextTurn();
    await using _ = transport.name === "unix" ? serveTcp({ path, onListen() {} }, echo) : serveTcp(
      { port, onListen() {}, ...(transport.name === "tls" ? { tls: serverTls } : {}) },
      echo,
    );
    await using conn = await connecting;
    await conn.write("at last");
    assertEquals(text(await conn.readExactly(7)), "at last");
    await Deno.remove(dir, { recursive: true });
  });
}

Deno.test("retry gives up after its attempts with the last error", limit, async () => {
  const port = freePort();
  let attempts = 0;
  const original = Deno.connect;
  Deno.connect = ((options: Deno.ConnectOptions) => {
    attempts++;
    return original(options);
  }) as typeof Deno.connect;
  try {
    const retry = { attempts: 4, minDelay: 1 };
    const error = await failure(connectTcp({ port, retry }));
    assert(error instanceof Deno.errors.ConnectionRefused);
    assertEquals(attempts, 4);
    attempts = 0;
    await failure(connectTcp({ port }));
    assertEquals(attempts, 1);
  } finally {
    Deno.connect = original;
  }
});

Deno.test("retry does not try again what would fail again", limit, async () => {
  await using server = tls.serve({ onError() {} }, echo);
  const retry = { attempts: 5, minDelay: 10_000 };
  const error = await failure(connectTcp({ port: portOf(server), tls: true, retry }));
  assertEquals(error.code, "ETLS");
  assertEquals(server.stats().accepted, 1);
});

Deno.test("aborting ends the wait between two attempts", limit, async () => {
  const controller = new AbortController();
  const reason = new Error("never mind");
  const retry = { attempts: 9, minDelay: 600_000, maxDelay: 600_000, jitter: 0 };
  const connecting = connectTcp({ port: freePort(), retry, signal: controller.signal });
  const rejected = assertRejects(() => connecting);
  await failure(connectTcp({ port: freePort() })); // the first attempt has failed by now
  await nextTurn();
  controller.abort(reason);
  assertStrictEquals(await rejected, reason);
});

for (
  const [name, options] of [
    ["timeout", { timeout: 60 }],
    ["timeouts.handshake", { timeouts: { handshake: 60 } }],
  ] as const
) {
  pythonTest(`${name} bounds a TLS handshake that is never answered`, limit, async () => {
    await using silent = python(SILENT);
    const port = Number(await silent.line());
    const error = await failure(connectTcp({ port, tls: clientTls, ...options }));
    assert(error instanceof Deno.errors.TimedOut);
    assert(error.message.includes(`127.0.0.1:${port}`), error.message);
    assertEquals([error.transport, error.code], ["tls", "ETIMEDOUT"]);
    assertEquals(error.operation, name === "timeout" ? "connect" : "handshake");
  });
}

pythonTest("aborting ends a TLS handshake that is never answered", limit, async () => {
  await using silent = python(SILENT);
  const controller = new AbortController();
  const reason = new Error("never mind");
  const connecting = connectTcp({
    port: Number(await silent.line()),
    tls: clientTls,
    signal: controller.signal,
  });
  const rejected = assertRejects(() => connecting);
  assertEquals(await silent.line(), "accepted");
  controller.abort(reason);
  assertStrictEquals(await rejected, reason);
});

Deno.test("a peer that does not speak TLS is an error of the handshake", limit, async () => {
  await using server = tcp.serve({}, async (conn) => {
    await conn.write("220 mail.example ESMTP\r\n");
    await drain(conn);
  });
  const error = await failure(connectTcp({ port: portOf(server), tls: clientTls }));
  assertEquals([error.operation, error.code], ["handshake", "ETLS"]);
});

Deno.test("the server's certificate must be for the name that was asked for", limit, async () => {
  await using server = tls.serve({ onError() {} }, echo);
  const port = portOf(server);
  const other = { ...clientTls, serverName: "other.example" };
  const error = await failure(connectTcp({ port, tls: other }));
  assert(error instanceof Deno.errors.InvalidData);
  assertEquals([error.operation, error.code], ["handshake", "ETLS"]);
  for (
    const options of [
      { hostname: "localhost", tls: clientTls },
      { hostname: "127.0.0.1", tls: { ...clientTls, serverName: "localhost" } },
      { tls: { ...other, unsafelyDisableHostnameVerification: true } },
      { tls: { ...clientTls, cert: tlsFiles.cert, key: tlsFiles.key } },
    ]
  ) {
    await using conn = await connectTcp({ ...options, port });
    await conn.write("x");
    assertEquals(text(await conn.readExactly(1)), "x");
  }
  await assertRejects(
    () => connectTcp({ port, tls: { ...clientTls, cert: tlsFiles.cert } }),
    TypeError,
    "cert and key are needed together",
  );
});

Deno.test("both ends know the protocol that the handshake agreed on", limit, async () => {
  const agreed = new Events<string | null>();
  await using server = serveTcp({
    tls: { ...serverTls, alpnProtocols: ["tincan/2", "tincan/1"] },
    onListen() {},
    onConnect: (conn) => agreed.push(conn.alpnProtocol),
  }, echo);
  const port = portOf(server);
  await using one = await connectTcp({ port, tls: { ...clientTls, alpnProtocols: ["tincan/1"] } });
  assertEquals(one.alpnProtocol, "tincan/1");
  assertEquals(await agreed.next(), "tincan/1");
  await using none = await connectTcp({ port, tls: clientTls });
  assertEquals(none.alpnProtocol, null);
  assertEquals(await agreed.next(), null);
});

// Where the system has but one port to give away as a source.
networkTest({
  name: "a connect that meets only itself is refused",
  ...limit,
  async fn() {
    const script = `
      const error = await net.connectTcp({ port: 40_000 }).catch((error) => error);
      console.log(error.name, error.code, error.message);
    `;
    await using child = deno(script, {
      network: "ip link set lo up; echo 40000 40000 > /proc/sys/net/ipv4/ip_local_port_range",
    });
    assertEquals(
      await child.line(),
      "ConnectionRefused ECONNREFUSED Cannot connect to 127.0.0.1:40000: connection refused (it met only itself)",
    );
  },
});

pythonTest("a name with two addresses works whichever family the server has", limit, async () => {
  await using resolver = python(
    `import socket; print(*{one[4][0] for one in socket.getaddrinfo("localhost", None)})`,
  );
  for (const hostname of (await resolver.line()).split(" ")) { // both, or what the machine has
    await using server = serveTcp({ hostname, onListen() {} }, echo);
    await using conn = await connectTcp({ hostname: "localhost", port: portOf(server) });
    assertEquals(conn.remoteAddr.hostname, hostname);
    await conn.write("x");
    assertEquals(text(await conn.readExactly(1)), "x");
  }
});

Deno.test("IPv6 literals may stand in brackets", limit, async () => {
  await using server = serveTcp({ hostname: "[::1]", onListen() {} }, echo);
  const port = portOf(server);
  await using conn = await connectTcp({ hostname: "[::1]", port });
  await conn.closeWrite();
  assertEquals(await readAll(conn), new Uint8Array(0));
  const unused = freePort();
  const error = await failure(connectTcp({ hostname: "::1", port: unused }));
  assertEquals(error.message, `Cannot connect to [::1]:${unused}: connection refused`);
});

Deno.test("options that make no sense are refused before connecting", limit, async () => {
  const wrong: [object, string][] = [
    [{ port: 0 }, '"port" as a whole number from 1 to 65535: current value is 0'],
    [{ port: 65_536 }, "current value is 65536"],
    [{ port: 1.5 }, "current value is 1.5"],
    [{ port: NaN }, "current value is NaN"],
    [{ timeout: -1 }, '"timeout"'],
    [{ retry: 0 }, '"retry.attempts"'],
    [{ retry: { jitter: 2 } }, '"retry.jitter"'],
    [{ retry: { minDelay: -1 } }, '"retry.minDelay"'],
    [{ retry: { minDelay: 0 } }, '"retry.minDelay" as milliseconds from 1'],
    [{ retry: { maxDelay: 0 } }, '"retry.maxDelay" as milliseconds from 1'],
    [{ retry: { maxDelay: NaN } }, '"retry.maxDelay"'],
    [{ hostname: "" }, '"hostname" as a name or an address: current value is ""'],
    [{ hostname: "[]" }, '"hostname" as a name or an address: current value is ""'],
    [{ hostname: "a b" }, 'current value is "a b"'],
    [{ hostname: "a\n" }, 'current value is "a\\n"'],
    [{ hostname: "a".repeat(300) }, "300 characters long"],
    [{ limits: { maxWriteQueue: -1 } }, '"limits.maxWriteQueue"'],
  ];
  for (const [options, message] of wrong) {
    await assertRejects(() => connectTcp({ port: 1, ...options }), RangeError, message);
  }
});

Deno.test("a hostname that is not text is refused before connecting", limit, async () => {
  const hostname = 5 as unknown as string;
  const message = 'Cannot use option "hostname" as a name or an address: current value is 5';
  await assertRejects(() => connectTcp({ hostname, port: 1 }), TypeError, message);
});

Deno.test("a path takes no options that only a port has", limit, async () => {
  await using server = unix.serve({}, echo);
  const { path } = server.addr as Deno.UnixAddr;
  for (
    const [options, name] of [
      [{ tls: true }, "tls"],
      [{ tls: {} }, "tls"],
      [{ port: 1 }, "port"],
      [{ hostname: "localhost", tls: true }, "hostname"],
    ] as const
  ) {
    await assertRejects(
      // @ts-expect-error: the types do not allow it either
      () => connectTcp({ path, ...options }),
      TypeError,
      `Cannot use option "${name}" together with "path"`,
    );
  }
  assertEquals(server.stats().accepted, 0);
  await using conn = await connectTcp({ path, tls: false });
  assertEquals(conn.transport, "unix");
});

Deno.test("connecting with a timeout leaves the caller's options as they were", limit, async () => {
  await using server = unix.serve({}, echo);
  const options = Object.freeze({
    path: (server.addr as Deno.UnixAddr).path,
    timeouts: Object.freeze({ read: 5 }),
    retry: Object.freeze({ attempts: 2 }),
  });
  await using conn = await connectTcp(options);
  await conn.write("x");
  assertEquals(text(await conn.readExactly(1)), "x");
});

Deno.test(
  "tls: with certificate errors ignored all other failures are reported",
  limit,
  async () => {
    const ignoring = { unsafelyIgnoreCertificateErrors: true };
    const port = freePort();
    const refused = await failure(connectTcp({ port, tls: ignoring }));
    assertEquals(refused.message, `Cannot connect to 127.0.0.1:${port}: connection refused`);

    await using plain = tcp.serve({}, async (conn) => {
      await conn.write("SSH-2.0-no-tls\r\n");
      await drain(conn).catch(() => {});
    });
    const error = await failure(connectTcp({ port: portOf(plain), tls: ignoring }));
    assertEquals([error.operation, error.code], ["handshake", "ETLS"]);

    await using silent = tcp.serve({}, async (conn) => {
      await drain(conn).catch(() => {});
    });
    const timeouts = { handshake: 100 };
    const late = await failure(connectTcp({ port: portOf(silent), tls: ignoring, timeouts }));
    assertEquals([late.operation, late.code], ["handshake", "ETIMEDOUT"]);
  },
);

/** A TLS server for one client: it reads a byte, says `hello` and `!!`, and ends with or without a word. */
const ENDING = `
import socket, ssl, sys
how, version, cert, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
context.maximum_version = ssl.TLSVersion[version]
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
conn = context.wrap_socket(listener.accept()[0], server_side=True)
conn.recv(1)
conn.send(b"hello")
conn.send(b"!!")
if how == "announced":
    try: conn.unwrap()
    except OSError: pass
else: socket.socket.shutdown(conn, socket.SHUT_WR)
sys.stdin.read()
`;

for (const version of ["TLSv1_2", "TLSv1_3"]) {
  for (const how of ["announced", "cut"]) {
    for (const checked of [true, false]) {
      const name = `${version}: an end that was ${how} is told, certificate ${
        checked ? "checked" : "ignored"
      }`;
      pythonTest(name, limit, async () => {
        const files = new URL("../_util/tls/", import.meta.url).pathname;
        await using peer = python(
          ENDING,
          how,
          version,
          `${files}localhost.pem`,
          `${files}localhost.key`,
        );
        const port = Number(await peer.line());
        await using conn = await connectTcp({
          port,
          hostname: "localhost",
          tls: checked ? { caCerts: [tlsFiles.ca] } : { unsafelyIgnoreCertificateErrors: true },
        });
        await conn.write("x");
        assertEquals(text(await conn.readExactly(7)), "hello!!");
        const end = () => conn.read(new Uint8Array(1));
        if (how === "announced") assertEquals(await end(), null);
        else {
          for (let i = 0; i < 2; i++) {
            const error = await assertRejects(end, Deno.errors.UnexpectedEof);
            assertEquals((error as NetError).code, "EEOF");
          }
        }
        await conn.close({ linger: 0 });
        await peer.endInput();
      });
    }
  }
}

linuxTest({
  ...limit,
  name: "connections to one server that are aborted together are all reset",
  fn: async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const pairs: [TcpConnection, Deno.TcpConn][] = [];
    for (let i = 0; i < 5; i++) {
      const conn = await connectTcp({ port: listener.addr.port });
      pairs.push([conn, await listener.accept()]);
    }
    for (const [conn] of pairs) conn.abort();
    for (const [conn, peer] of pairs) {
      await assertRejects(() => peer.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
      peer.close();
      await conn.closed;
    }
  },
});
