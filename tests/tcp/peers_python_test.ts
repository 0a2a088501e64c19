import { assertEquals } from "@std/assert";
import { connectTcp } from "../../mod.ts";
import { python, testWith } from "../_util/peers.ts";
import {
  clientTls,
  echo,
  portOf,
  readAll,
  tcp,
  text,
  tls,
  tlsFiles,
  unix,
} from "../_util/transports.ts";

const pythonTest = testWith("python3");

const limit = { timeout: 30_000 };

pythonTest("python's socket: greeting, reply, end of stream", limit, async () => {
  await using server = tcp.serve({}, async (conn) => {
    await conn.write("welcome");
    const buffer = new Uint8Array(1024);
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      const message = text(buffer.subarray(0, n));
      if (message === "exit") return;
      await conn.write(`Loop_msg: ${message}!`);
    }
  });
  await using peer = python(
    `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(("127.0.0.1", int(sys.argv[1])))
print(s.recv(1024))
s.send(b"Hello,I am client!")
print(s.recv(1024))
s.send("grüße".encode())
print(s.recv(1024).decode())
s.send(b"exit")
print(s.recv(1024))
`,
    portOf(server),
  );
  assertEquals(
    await peer.rest(),
    "b'welcome'\nb'Loop_msg: Hello,I am client!!'\nLoop_msg: grüße!\nb''\n",
  );
});

pythonTest("200 python clients at once get each their own answer", limit, async () => {
  await using server = tcp.serve({}, echo);
  await using peer = python(
    `
import socket, sys, threading
wrong = []
def client(n):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    for i in range(20):
        message = f"client {n} message {i}".encode() * (n % 7 + 1)
        s.sendall(message)
        answer = b""
        while len(answer) < len(message):
            answer += s.recv(65536) or exit()
        if answer != message: wrong.append(n)
    s.shutdown(socket.SHUT_WR)
    if s.recv(1) != b"": wrong.append(n)
    s.close()
threads = [threading.Thread(target=client, args=(n,)) for n in range(200)]
for t in threads: t.start()
for t in threads: t.join()
print(len(threads), wrong)
`,
    portOf(server),
  );
  assertEquals(await peer.rest(), "200 []\n");
  assertEquals(server.stats().accepted, 200);
});

pythonTest("python sends 20 MB, half-closes and reads the sum", limit, async () => {
  await using server = tcp.serve({}, async (conn) => {
    const bytes = await readAll(conn);
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    await conn.write(new Uint8Array(digest).toHex());
  });
  await using peer = python(
    `
import hashlib, random, socket, sys
data = random.Random(1).randbytes(20_000_000)
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(data)
s.shutdown(socket.SHUT_WR)
answer = b"".join(iter(lambda: s.recv(4096), b""))
print(answer.decode() == hashlib.sha256(data).hexdigest())
`,
    portOf(server),
  );
  assertEquals(await peer.rest(), "True\n");
});

pythonTest("connectTcp talks to python's threaded socketserver", limit, async () => {
  await using peer = python(`
import socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())
class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64
with Server(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1])
    server.serve_forever()
`);
  const port = Number(await peer.line());
  await Promise.all(Array.from({ length: 30 }, async (_, n) => {
    await using conn = await connectTcp({ port });
    for (const word of ["straße", `client ${n}`]) {
      await conn.write(`${word}\n`);
      // Python maps bytes here, so only ASCII letters change.
      assertEquals(await conn.readLine(), word.replace(/[a-z]/g, (c) => c.toUpperCase()));
    }
    await conn.closeWrite();
    assertEquals(await conn.readLine(), null);
  }));
});

pythonTest("python's ssl on both sides of a TLS connection", limit, async () => {
  await using server = tls.serve({}, echo);
  await using client = python(
    `
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
s = context.wrap_socket(
    socket.create_connection(("127.0.0.1", int(sys.argv[1]))), server_hostname="localhost")
s.sendall(b"x" * 100000)
size = 0
while size < 100000: size += len(s.recv(65536))
print(size, s.version())
s.unwrap().close()
`,
    portOf(server),
    tlsFiles.caPath,
  );
  assertEquals(await client.rest(), "100000 TLSv1.3\n");

  await using peer = python(
    `
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1])
conn = context.wrap_socket(listener.accept()[0], server_side=True)
while data := conn.recv(65536): conn.sendall(data.upper())
conn.unwrap().close()
`,
    tlsFiles.certPath,
    tlsFiles.keyPath,
  );
  await using conn = await connectTcp({ port: Number(await peer.line()), tls: clientTls });
  await conn.write("over tls");
  assertEquals(text(await conn.readExactly(8)), "OVER TLS");
  await conn.closeWrite();
  assertEquals(await conn.readLine(), null);
});

pythonTest("python's AF_UNIX on both sides of a unix socket", limit, async () => {
  await using server = unix.serve({}, echo);
  const { path } = server.addr as Deno.UnixAddr;
  await using client = python(
    `
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"from python")
print(s.recv(100), s.getpeername() == sys.argv[1])
`,
    path,
  );
  assertEquals(await client.rest(), "b'from python' True\n");

  await using peer = python(
    `
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1] + "2")
listener.listen()
print("ready")
conn = listener.accept()[0]
os.unlink(sys.argv[1] + "2")
conn.sendall(conn.recv(100).upper())
`,
    path,
  );
  assertEquals(await peer.line(), "ready");
  await using conn = await connectTcp({ path: `${path}2` });
  await conn.write("to python");
  assertEquals(text(await readAll(conn)), "TO PYTHON");
});
