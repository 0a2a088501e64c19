/** Unix datagrams: receivers that do not read, connected clients, long paths, unnamed senders. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { bindUdp, type Datagram, serveUdp, type UdpEndpoint } from "../../udp/mod.ts";
import { testWith } from "../_util/peers.ts";
import { Events, limit, Peer, python, text } from "./_util.ts";

const pythonTest = testWith("python3");

function test(name: string, body: (folder: string) => Promise<void>): void {
  pythonTest(`unix datagrams: ${name}`, limit, async () => {
    const folder = await Deno.makeTempDir({ prefix: "u" });
    try {
      await body(folder);
      assertEquals((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name), []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** Binds PATH, asks TO ten times what it is told to send, and never reads the answers. */
const NEVER_READS = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
if sys.argv[3] == "connected": s.connect(sys.argv[2])
for i in range(40):
    if sys.argv[3] == "connected": s.send(b"?")
    else: s.sendto(b"?", sys.argv[2])
print("sent", flush=True)
sys.stdin.read()
os.unlink(sys.argv[1])
`;

for (const how of ["unconnected", "connected"]) {
  test(`a client that never reads, ${how}, holds up no one`, async (folder) => {
    const path = `${folder}/server`;
    const errors = new Events<unknown>();
    const server = await serveUdp(
      { path, onListen() {}, onError: errors.push },
      ({ data }) => data,
    );
    const silent = python(NEVER_READS, `${folder}/silent`, path, how);
    try {
      assertEquals(await silent.line(), "sent");
      await using client = await bindUdp({ path: `${folder}/client` });
      for (let i = 0; i < 20; i++) {
        const { data } = await client.request(`${i}`, { path }, {
          match: (d) => text(d) === `${i}`,
        });
        assertEquals(text(data), `${i}`);
      }
      if (how === "unconnected") {
        const error = await errors.next();
        assert(error instanceof Deno.errors.TimedOut, `${error}`);
      }
      await server.shutdown({ timeout: 100 });
    } finally {
      await silent.endInput(); // it ends, and so does the send to it that the runtime cannot take back
      await silent.status;
      await silent[Symbol.asyncDispose]();
    }
  });
}

test("many concurrent requests between few sockets are all answered", async (folder) => {
  const path = `${folder}/server`;
  await using server = await serveUdp({ path, onListen() {} }, async (datagram: Datagram) => {
    await datagram.reply("one moment");
    return datagram.data;
  });
  const clients: UdpEndpoint[] = [];
  for (let i = 0; i < 25; i++) clients.push(await bindUdp({ path: `${folder}/client${i}` }));
  await Promise.all(clients.map(async (client, i) => {
    const asking = Array.from({ length: 4 }, (_, id) =>
      client.request(`${i}.${id}`, { path }, {
        match: (data) => text(data) === `${i}.${id}`,
        timeout: 5_000,
      }));
    const answers = (await Promise.all(asking)).map(({ data }) => text(data));
    assertEquals(answers, [0, 1, 2, 3].map((id) => `${i}.${id}`));
  }));
  for (const client of clients) await client.close();
  assertEquals(server.stats().handlerErrors, 0);
});

test("requests without match have a socket of their own", async (folder) => {
  const path = `${folder}/server`;
  await using _server = await serveUdp({ path, onListen() {} }, ({ data }) => data);
  await using client = await bindUdp({ path: `${folder}/client` });
  for (let i = 0; i < 5; i++) {
    assertEquals(text((await client.request(`${i}`, { path })).data), `${i}`);
  }
});

test("what is sent to one receiver keeps its order", async (folder) => {
  await using a = await bindUdp({ path: `${folder}/a` });
  await using b = await bindUdp({ path: `${folder}/b` });
  for (let i = 0; i < 100; i++) a.send(`${i}`, { path: `${folder}/b` });
  for (let i = 0; i < 100; i++) {
    const { data, from } = await b.receive();
    assertEquals([text(data), from], [`${i}`, a.addr]);
  }
});

test("a connected client is answered by the socket it is connected to", async (folder) => {
  const path = `${folder}/server`;
  await using _server = await serveUdp({ path, onListen() {} }, ({ data }) => data);
  await using client = python(
    `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.connect(sys.argv[2])
s.settimeout(10)
for i in range(50):
    s.send(str(i).encode())
    assert s.recv(100) == str(i).encode()
os.unlink(sys.argv[1])
print("answered", flush=True)`,
    `${folder}/client`,
    path,
  );
  assertEquals(await client.line(), "answered");
});

test("the longest paths can send, too", async (folder) => {
  for (const length of [102, 103, 107]) {
    const path = `${folder}/`.padEnd(length, "x");
    await using a = await bindUdp({ path });
    await using b = await bindUdp({ path: `${folder}/b` });
    await a.send("x", { path: `${folder}/b` });
    const datagram = await b.receive();
    assertEquals(datagram.from, { transport: "unixpacket", path });
    await datagram.reply("y");
    assertEquals(text((await a.receive()).data), "y");
  }
});

test("files of others beside it do not matter", async (folder) => {
  const path = `${folder}/a`;
  await Deno.writeTextFile(`${path}.wake`, "somebody else's");
  await using a = await bindUdp({ path });
  await using b = await bindUdp({ path: `${folder}/b` });
  await a.send("x", { path: `${folder}/b` });
  assertEquals(text((await b.receive()).data), "x");
  await Deno.remove(`${path}.wake`);
});

test("unnamed senders are not taken for one by dedup", async (folder) => {
  const path = `${folder}/server`;
  const handled = new Events<string>();
  await using server = await serveUdp({ onListen() {}, path, dedup: true }, ({ data }) => {
    handled.push(text(data));
    return "no one can be told";
  });
  for (let i = 0; i < 2; i++) {
    await using _sender = new Peer("python3", [
      "-c",
      "import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'same', sys.argv[1])",
      path,
    ]);
    assertEquals(await handled.next(), "same");
  }
  const { duplicates, unanswerable, handlerErrors } = server.stats();
  assertEquals([duplicates, unanswerable, handlerErrors], [0, 2, 0]);
});

test("sends to one that does not read are bounded in number and time", async (folder) => {
  await using a = await bindUdp({ path: `${folder}/a` });
  const b = await bindUdp({ path: `${folder}/b` });
  const full = python(
    "import socket, sys\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\ns.bind(sys.argv[1])\nprint('bound', flush=True)\nsys.stdin.read()",
    `${folder}/full`,
  );
  try {
    assertEquals(await full.line(), "bound");
    const to = { path: `${folder}/full` };
    const sends = Array.from({ length: 30 }, () => a.send("x", to));
    await a.send("others are served", { path: `${folder}/b` });
    assertEquals(text((await b.receive()).data), "others are served");
    const settled = await Promise.allSettled(sends);
    const failed = settled.filter(({ status }) => status === "rejected");
    assert(failed.length >= 15 && failed.length <= 20, `${failed.length} failed`);
    await assertRejects(() => a.send("x", to), Deno.errors.TimedOut, "does not read");
    await b.close();
    await a.close(); // although a send still waits in the runtime
  } finally {
    await full.endInput();
    await full.status;
    await full[Symbol.asyncDispose]();
    await Deno.remove(`${folder}/full`);
  }
});
