import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { REPORTS_PER_SECOND } from "../../common/peer_report.ts";
import {
  connectTcp,
  isNetError,
  jsonLines,
  type TcpConnection,
  type TcpServer,
} from "../../mod.ts";
import { captureErrors, Events } from "../_util/events.ts";
import { deno, Peer, python, testWith } from "../_util/peers.ts";
import { pattern } from "../_util/random.ts";
import {
  drain,
  echo,
  portOf,
  readAll,
  tcp,
  text,
  tls,
  tlsFiles,
  type Transport,
  transports,
} from "../_util/transports.ts";

const ncTest = testWith("nc");
const pythonTest = testWith("python3");

const limit = { timeout: 30_000 };

async function assertEchoes(transport: Transport, server: TcpServer): Promise<void> {
  await using conn = await transport.connect(server);
  await conn.write("are you there?");
  assertEquals(text(await conn.readExactly(14)), "are you there?");
}

pythonTest(
  "serveTcp survives 3,000 clients that reset before they are accepted",
  limit,
  async () => {
    const errors = new Events<unknown>();
    await using server = tcp.serve({ onError: errors.push }, echo);
    await using peer = python(
      `
import socket, struct, sys
linger = struct.pack("ii", 1, 0)
for _ in range(3000):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    s.connect(("127.0.0.1", int(sys.argv[1])))
    s.close()
print("done")
`,
      portOf(server),
    );
    assertEquals(await peer.line(), "done");
    await assertEchoes(tcp, server);
    assert(server.stats().acceptErrors > 0, "none of them was reset before it was accepted");
    for (const error of errors.pending) { // those accepted in time say it when they are read
      assert(error instanceof Deno.errors.ConnectionReset, String(error));
    }
  },
);

Deno.test("serveTcp survives running out of descriptors", limit, async () => {
  await using child = deno(
    `
    // The runtime begins to watch signals half a second after its start, and panics without a
    // descriptor for that; this makes it begin now.
    const watch = () => {};
    Deno.addSignalListener("SIGUSR1", watch);
    Deno.removeSignalListener("SIGUSR1", watch);
    const server = net.serveTcp({
      onListen: (addr) => console.log(addr.port),
      onError: (error) => console.log("error", error.code, error.operation, error.message),
    }, async (conn) => {
      for await (const chunk of conn) await conn.write(chunk);
    });
    for await (const _ of Deno.stdin.readable) {
      const { accepted, acceptErrors } = server.stats();
      console.log(JSON.stringify({ accepted, acceptErrors }));
    }
    `,
    { descriptors: 80 }, // for more than 40 clients and fewer than 100
  );
  const port = Number(await child.line());
  const held: TcpConnection[] = [];
  for (let i = 0; i < 100; i++) held.push(await connectTcp({ port }));
  assertEquals(
    await child.line(),
    `error EMFILE accept Cannot accept on 127.0.0.1:${port}: too many open files in this process`,
  );
  // Those who are in are served meanwhile.
  await held[0]?.write("still served");
  assertEquals(text(await held[0]?.readExactly(12) ?? null), "still served");
  await child.type("\n");
  const { acceptErrors } = JSON.parse(await child.line());
  assert(acceptErrors < 100, `accept was tried ${acceptErrors} times: it spins`);
  // Those who left make room, and everybody who waited is served.
  await Promise.all(held.splice(0, 60).map((conn) => conn.close({ linger: 0 })));
  await Promise.all(held.map(async (conn) => {
    await conn.write("served");
    assertEquals(text(await conn.readExactly(6)), "served");
  }));
  await Promise.all(held.map((conn) => conn.close({ linger: 0 })));
});

for (const how of ["throws", "rejects", "throws a non-error"] as const) {
  Deno.test(`a handler that ${how} ends its connection only`, limit, async () => {
    const errors = new Events<[unknown, TcpConnection | undefined]>();
    const mistake = how === "throws a non-error" ? "a string" : new Error("a mistake");
    await using server = tcp.serve({
      onError: (error, conn) => errors.push([error, conn]),
    }, (conn) => {
      if (how !== "rejects") throw mistake;
      return conn.readLine().then(() => Promise.reject(mistake));
    });
    for (let i = 0; i < 3; i++) {
      await using conn = await tcp.connect(server);
      await conn.write("go\n");
      assertEquals(await drain(conn).catch(() => 0), 0);
      const [error, failed] = await errors.next();
      assertStrictEquals(error, mistake);
      assertEquals(failed?.remoteAddr, conn.localAddr);
    }
    assertEquals(server.stats().handlerErrors, 3);
  });
}

for (
  const [what, answer] of [
    ["null", null],
    ["a number", 5],
    ["an object", { then: "not a function" }],
    ["a thenable", { then: (done: () => void) => done() }],
  ] as const
) {
  Deno.test(`a handler that returns ${what} is done, and that is no mistake`, limit, async () => {
    const errors = new Events<unknown>();
    await using server = tcp.serve({ onError: errors.push }, () => answer as unknown as void);
    await using conn = await tcp.connect(server);
    assertEquals(await drain(conn), 0);
    assertEquals(errors.pending, []);
  });
}

Deno.test("what a handler wrote before it threw still arrives", limit, async () => {
  await using server = tcp.serve({ onError() {} }, async (conn) => {
    await conn.write("sorry: ");
    conn.write("an error");
    throw new Error("a mistake");
  });
  await using conn = await tcp.connect(server);
  assertEquals(text(await readAll(conn)), "sorry: an error");
});

for (const hook of ["onError", "onConnect", "onClose"] as const) {
  Deno.test(`${hook} that throws harms nobody`, limit, async () => {
    const errors = new Events<unknown>();
    const thrown = new Error(`from ${hook}`);
    let calls = 0;
    const printed = await captureErrors(async () => {
      await using server = tcp.serve({
        onError: errors.push,
        [hook]: () => {
          if (++calls <= 2) throw thrown;
        },
      }, async (conn) => {
        await echo(conn);
        if (hook === "onError") throw new Error("a mistake");
      });
      for (let i = 0; i < 2; i++) {
        await using conn = await tcp.connect(server);
        await conn.write("x");
        const answer = text(await readOne(conn));
        assertEquals(answer, hook === "onConnect" ? null : "x");
        await conn.closeWrite();
        await drain(conn);
      }
      if (hook !== "onError") {
        assertStrictEquals(await errors.next(), thrown);
        assertStrictEquals(await errors.next(), thrown);
      }
      await assertEchoes(tcp, server);
    });
    if (hook === "onError") assert(printed.some(([text]) => isStackOf(thrown, text)));
    assert(calls >= 3);
  });
}

for (const hook of ["onListen", "onError", "onConnect", "onClose"] as const) {
  Deno.test(`${hook} that rejects harms nobody`, limit, async () => {
    const errors = new Events<unknown>();
    const thrown = new Error(`from ${hook}`);
    const printed = await captureErrors(async () => {
      await using server = tcp.serve({
        onError: errors.push,
        [hook]: () => Promise.reject(thrown),
      }, async (conn) => {
        await echo(conn);
        if (hook === "onError") throw new Error("a mistake");
      });
      if (hook !== "onConnect") await assertEchoes(tcp, server);
      else await tcp.connect(server).then((conn) => drain(conn).then(() => conn.close()));
      if (hook !== "onError") assertStrictEquals(await errors.next(), thrown);
    });
    assertEquals(printed.length, hook === "onError" ? 1 : 0);
    if (hook === "onError") assert(isStackOf(thrown, printed[0]?.[0]));
  });
}

/** Whether `text` is what the runtime would print of `error`: its message and where it was made. */
function isStackOf(error: Error, text: unknown): boolean {
  return typeof text === "string" && text.startsWith(`Error: ${error.message}\n    at `);
}

/** One byte, `null` at the end or when the peer broke it off. */
async function readOne(conn: TcpConnection): Promise<Uint8Array | null> {
  try {
    return await conn.readExactly(1);
  } catch {
    return null;
  }
}

for (
  const [how, script] of [
    ["write", "conn.write(large)"],
    ["send", "messages.send(large)"],
    ["sendAll", "messages.sendAll([large])"],
    ["closeWrite", "conn.write(large), conn.closeWrite()"],
  ] as const
) {
  Deno.test(`a ${how} that nobody awaits cannot end the process`, limit, async () => {
    await using child = deno(`
      const large = new Uint8Array(1_000_000);
      const settings = {
        limits: { maxWriteQueue: 1_000_000 },
        onListen: (addr) => console.log(addr.port),
        onClose: () => console.log("closed"),
      };
      net.serveTcp(settings, async (conn) => {
        const messages = conn.framed(net.fixed(large.length));
        for (let i = 0; i < 50; i++) {
          ${script};
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      });
    `);
    const port = Number(await child.line());
    for (let round = 0; round < 2; round++) {
      const peer = await Deno.connect({ port });
      await peer.read(new Uint8Array(1));
      peer.close(); // with bytes unread: the system resets the connection
      assertEquals(await child.line(), "closed");
    }
  });
}

pythonTest("without onError mistakes are printed, and what peers do is not", limit, async () => {
  const mistake = new Error("a mistake");
  const printed = await captureErrors(async () => {
    const ended = new Events<unknown>();
    await using server = tcp.serve({ onClose: ended.push }, async (conn) => {
      const line = await conn.readLine();
      await conn.write("read\n");
      if (line === "mistake") throw mistake;
      if (line === "timeout") await conn.readLine({ timeout: 1 });
      await conn.readLine();
    });
    for (const line of ["timeout", "reset", "mistake"]) {
      const conn = await tcp.connect(server);
      await conn.write(`${line}\n`);
      if (line === "reset") {
        await using peer = python(
          `
import socket, struct, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.send(b"go on\\n")
s.recv(5)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()
`,
          portOf(server),
        );
        await peer.rest();
        await ended.next();
        await conn.closeWrite();
      }
      await drain(conn).catch(() => {});
      await conn.close();
      await ended.next();
    }
  });
  assertEquals(printed.length, 1);
  assert(isStackOf(mistake, printed[0]?.[0]));
});

Deno.test(
  "without onError what a peer has sent is one escaped line, and few of them",
  limit,
  async () => {
    const printed = await captureErrors(async () => {
      const ended = new Events<unknown>();
      await using server = tcp.serve({ onClose: ended.push }, async (conn) => {
        await conn.framed(jsonLines()).receive();
      });
      for (let i = 0; i < 30; i++) {
        await using conn = await tcp.connect(server);
        await conn.write("\x1b[2J\x1b]0;title\x07\u202e\u009b2J\n");
        assertEquals(await drain(conn).catch(() => 0), 0);
      }
      for (let i = 0; i < 30; i++) await ended.next();
      assertEquals(server.stats().handlerErrors, 30);
    });
    const lines = printed.map(([line]) => line as string);
    assert(lines.length >= REPORTS_PER_SECOND && lines.length <= 31, `${lines.length} lines`);
    const line =
      /^127\.0\.0\.1:\d+: Cannot decode a frame: [^\p{Cc}\p{Cf}]*␛\[2J[^\p{Cc}\p{Cf}]*$/u;
    let counted = 0;
    for (const shown of lines) {
      if (line.test(shown)) counted++;
      else counted += Number(/^(\d+) more like this w(as|ere) not shown$/.exec(shown)?.[1]);
    }
    assertEquals(counted, 30, lines.join("\n"));
  },
);

for (const transport of transports) {
  pythonTest(`${transport.name}: a peer killed while it sends is noticed`, limit, async () => {
    await testKilled(transport, "send");
  });
  pythonTest(`${transport.name}: a peer killed while it receives is noticed`, limit, async () => {
    await testKilled(transport, "receive");
  });
}

async function testKilled(transport: Transport, role: "send" | "receive"): Promise<void> {
  const outcome = Promise.withResolvers<unknown>();
  const started = Promise.withResolvers<void>();
  await using server = transport.serve({ onError: outcome.resolve }, async (conn) => {
    if (role === "send") {
      await conn.readExactly(100_000);
      started.resolve();
      await drain(conn);
      outcome.resolve(null);
    } else {
      while (true) {
        await conn.write(pattern(256 * 1024));
        if (conn.stats().bytesSent > 1_000_000) started.resolve();
      }
    }
  });
  const address = "path" in server.addr ? server.addr.path : `${portOf(server)}`;
  await using peer = python(
    `
import socket, ssl, sys
kind, address, role, ca = sys.argv[1:]
if kind == "unix":
    s = socket.socket(socket.AF_UNIX)
    s.connect(address)
else:
    s = socket.create_connection(("127.0.0.1", int(address)))
    if kind == "tls":
        s = ssl.create_default_context(cafile=ca).wrap_socket(s, server_hostname="localhost")
while True:
    if role == "send":
        s.sendall(b"x" * 65536)
    else:
        s.recv(65536)
`,
    transport.name,
    address,
    role,
    tlsFiles.caPath,
  );
  await started.promise;
  peer.kill("SIGKILL");
  const error = await outcome.promise;
  if (role === "send" && error === null) return; // its system said goodbye for it
  assert(
    error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
      error instanceof Deno.errors.UnexpectedEof,
    String(error),
  );
  assert(isNetError(error));
  assertEquals(error.transport, transport.name);
  const next = await transport.connect(server); // others still come in
  next.abort();
  await next.close();
}

ncTest(
  "a peer whose program stands still does not hold a connection for ever",
  limit,
  async () => {
    const closed = new Events<unknown>();
    await using server = tcp.serve({
      timeouts: { idle: 60 },
      onError() {},
      onClose: (_, { reason }) => closed.push(reason),
    }, echo);
    await using peer = new Peer("nc", ["127.0.0.1", `${portOf(server)}`]);
    await peer.type("hello\n");
    assertEquals(await peer.line(), "hello");
    peer.kill("SIGSTOP"); // half-open: the system answers, the program never will
    const reason = await closed.next();
    assert(reason instanceof Deno.errors.TimedOut, String(reason));
  },
);

Deno.test("garbage instead of a handshake harms nobody", limit, async () => {
  const errors = new Events<unknown>();
  await using server = tls.serve({ onError: errors.push }, echo);
  const noise = await Deno.connect({ port: portOf(server) });
  await noise.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"));
  const error = await errors.next();
  assert(error instanceof Deno.errors.InvalidData, String(error));
  assert(isNetError(error));
  assertEquals([error.operation, error.code, error.transport], ["handshake", "ETLS", "tls"]);
  noise.close();
  await assertEchoes(tls, server);
  assertEquals(server.stats().handshakeErrors, 1);
});

Deno.test("clients that leave during the handshake harm nobody", limit, async () => {
  const errors = new Events<unknown>();
  await using server = tls.serve({ onError: errors.push }, echo);
  for (let i = 0; i < 20; i++) {
    const conn = await Deno.connect({ port: portOf(server) });
    await conn.write(new Uint8Array([22, 3, 1])); // the beginning of a ClientHello
    conn.close();
  }
  for (let i = 0; i < 20; i++) {
    const error = await errors.next();
    assert(isNetError(error), String(error));
    assertEquals(error.operation, "handshake");
  }
  await assertEchoes(tls, server);
});

Deno.test("a client that does not trust the server is told why", limit, async () => {
  await using server = tls.serve({ onError() {} }, echo);
  const error = await assertRejects(
    () => connectTcp({ port: portOf(server), tls: true }),
    Deno.errors.InvalidData,
  );
  assert(isNetError(error));
  assertEquals([error.operation, error.code, error.transport], ["handshake", "ETLS", "tls"]);
  assertEquals(error.message.includes(`127.0.0.1:${portOf(server)}`), true, error.message);
  assert(/certificate|UnknownIssuer/i.test(error.message), error.message);
});
