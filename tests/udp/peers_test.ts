/** Real peers: Python, nc and socat, in both directions, and programs without the runtime's flag. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { isNetError } from "../../errors.ts";
import { bindUdp, connectUdp, serveUdp } from "../../udp/mod.ts";
import { testWith } from "../_util/peers.ts";
import { at, backends, limit, Peer, python, quiet, text } from "./_util.ts";

const ncTest = testWith("nc");
const pythonTest = testWith("python3");
const socatTest = testWith("socat");

const PYTHON_CLIENT = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
for word in sys.argv[2:]:
    s.sendto(word.encode(), ("127.0.0.1", int(sys.argv[1])))
    data, addr = s.recvfrom(65535)
    print(data.decode(), addr[1], flush=True)
`;

const PYTHON_SERVER = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    data, addr = s.recvfrom(65535)
    if data != b"ignore": s.sendto(b"py " + data, addr)
`;

for (const backend of backends) {
  pythonTest(`${backend}: a Python client of serveUdp`, limit, async () => {
    await using server = await serveUdp(
      { ...quiet, backend },
      ({ data }) => text(data).toUpperCase(),
    );
    const { port } = at(server);
    await using client = python(PYTHON_CLIENT, `${port}`, "hello", "grüße", "");
    assertEquals(await client.line(), `HELLO ${port}`);
    assertEquals(await client.line(), `GRÜSSE ${port}`);
    assertEquals(await client.line(), ` ${port}`);
    assertEquals((await client.status).code, 0);
  });

  pythonTest(`${backend}: a Python server for connectUdp`, limit, async () => {
    await using server = python(PYTHON_SERVER);
    await using peer = await connectUdp({ backend, port: Number(await server.line()) });
    assertEquals(text((await peer.request("hello")).data), "py hello");
    await peer.send("one");
    await peer.send("two");
    assertEquals(text((await peer.receive()).data), "py one");
    assertEquals(text((await peer.receive()).data), "py two");
    const big = new Uint8Array(60_000).fill(0x61);
    assertEquals((await peer.request(big)).data.length, 60_003);
    const asking = peer.request("ignore", { timeout: 10, retries: 1 });
    await assertRejects(() => asking, Deno.errors.TimedOut, "2 tries");
  });

  ncTest({
    name: `${backend}: nc -u as a client`,
    ...limit,
    fn: async () => {
      await using server = await serveUdp({ ...quiet, backend }, ({ data }) => `> ${text(data)}`);
      await using nc = new Peer("nc", ["-u", "127.0.0.1", `${at(server).port}`]);
      await nc.type("hello\n");
      assertEquals(await nc.line(), "> hello");
      await nc.type("again\n");
      assertEquals(await nc.line(), "> again");
    },
  });

  socatTest({
    name: `${backend}: socat as a member of a multicast group on loopback`,
    ...limit,
    fn: async () => {
      const group = "239.255.77.9";
      await using member = await bindUdp({ backend, hostname: "0.0.0.0" });
      await member.joinMulticast(group, { interface: "127.0.0.1" });
      const { port } = at(member);
      await using sender = new Peer("socat", [
        "-",
        `UDP4-DATAGRAM:${group}:${port},ip-multicast-if=127.0.0.1`,
      ]);
      await sender.type("to the group\n");
      const datagram = await member.receive();
      assertEquals(text(datagram.data), "to the group\n");
      // And the other way: socat joins a group of its own port.
      const other = await bindUdp({ backend });
      const otherPort = at(other).port;
      await other.close();
      await using joined = new Peer("socat", [
        "-u",
        `UDP4-RECV:${otherPort},bind=${group},ip-add-membership=${group}:127.0.0.1,reuseaddr`,
        "-",
      ]);
      await using loop = await bindUdp({ backend });
      const controller = new AbortController();
      const sending = (async () => {
        // socat does not say when it has joined.
        while (!controller.signal.aborted) {
          await loop.send("hello socat\n", { hostname: group, port: otherPort });
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      })();
      assertEquals(await joined.line(), "hello socat");
      controller.abort();
      await sending;
    },
  });
}

Deno.test("unix datagrams: endpoints, a server, and the socket's file", limit, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/a.sock`;
    {
      await using server = await serveUdp({ path, onListen() {} }, ({ data }) => data);
      assertEquals(server.addr, { transport: "unixpacket", path });
      await using b = await bindUdp({ path: `${folder}/b.sock` });
      const answer = await b.request("over a file", { path });
      assertEquals(text(answer.data), "over a file");
      assertEquals(answer.from, server.addr);
      await b.send(new Uint8Array(70_000), { path });
      const cut = await b.receive();
      assertEquals([cut.data.length, cut.truncated], [65_507, false]); // cut by the server
      assertEquals(server.stats().truncated, 1);
      const gone = await assertRejects(
        () => b.send("x", { path: `${folder}/c.sock` }),
        Deno.errors.NotFound,
      );
      assert(isNetError(gone) && gone.transport === "unixpacket");
      await assertRejects(() => b.send("x", { port: 9 }), TypeError);
      await assertRejects(() => b.joinMulticast("239.1.2.3"), TypeError);
      await assertRejects(() => bindUdp({ path }), Deno.errors.AddrInUse);
    }
    assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
    const error = await assertRejects(
      () => bindUdp({ path, backend: "node" }),
      Deno.errors.NotSupported,
    );
    assertStringIncludes(error.message, "node:dgram has no unix sockets");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

pythonTest("unix datagrams: a sender without a path cannot be answered", limit, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/a.sock`;
    await using a = await bindUdp({ path });
    await using _sender = python(
      `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b"anonymous", sys.argv[1])`,
      path,
    );
    const datagram = await a.receive();
    assertEquals(text(datagram.data), "anonymous");
    assertEquals(datagram.from, { transport: "unixpacket", path: "" });
    await datagram.reply("x"); // a sender's doing must not end a program that awaits this
    assertEquals([a.stats().unanswerable, a.stats().datagramsSent], [1, 0]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

socatTest({
  name: "unix datagrams: socat on the other end",
  ...limit,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/server.sock`;
      await using _server = await serveUdp({ path, onListen() {} }, ({ data }) => data);
      await using socat = new Peer("socat", [
        "-",
        `UNIX-SENDTO:${path},bind=${folder}/client.sock`,
      ]);
      await socat.type("hello unix\n");
      assertEquals(await socat.line(), "hello unix");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Runs a program as a user would: with the flags given, and no `deno.json` that adds more. */
async function run(program: string, ...flags: string[]): Promise<[number, string]> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const module = new URL("../../udp/mod.ts", import.meta.url).href;
    await Deno.writeTextFile(file, program.replaceAll("$udp", module));
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-config", "--no-lock", "--no-check", "--no-prompt", ...flags, file],
      env: { NO_COLOR: "1" },
    }).output();
    return [code, text(stdout) + text(stderr)];
  } finally {
    await Deno.remove(file);
  }
}

const ASK = `
import { bindUdp, serveUdp } from "$udp";
const server = await serveUdp({ onListen() {} }, ({ data }) => data);
const endpoint = await bindUdp();
await endpoint.request("hello", server.addr);
console.log(endpoint.backend);
await endpoint.close();
await server.shutdown();
`;

Deno.test("without the runtime's flag node:dgram takes over", limit, async () => {
  assertEquals(await run(ASK, "--allow-net"), [0, "node\n"]);
});

Deno.test("with the flag node:dgram is not even loaded", limit, async () => {
  assertEquals(await run(ASK, "--allow-net", "--unstable-net"), [0, "deno\n"]);
});

Deno.test("without the flag, what needs it says so", limit, async () => {
  const [, output] = await run(
    `import { bindUdp } from "$udp";
for (const options of [{ backend: "deno" }, { path: "/tmp/x.sock" }]) {
  await bindUdp(options).catch((error) => console.log(error.name, error.code, error.message));
}`,
    "--allow-net",
  );
  assertEquals(
    output,
    'NotSupported ENOTSUP Cannot bind on 127.0.0.1:0: backend "deno" needs the runtime flag --unstable-net\n' +
      'NotSupported ENOTSUP Cannot bind on /tmp/x.sock: option "path" needs the runtime flag --unstable-net\n',
  );
});

for (const flags of [[], ["--unstable-net"]]) {
  const named = flags.length > 0 ? "deno" : "node";
  Deno.test(`${named}: without permission it is NotCapable`, limit, async () => {
    const [code, output] = await run(
      `import { bindUdp } from "$udp";
await bindUdp().catch((error) => console.log(error.name, error.code));`,
      ...flags,
    );
    assertEquals([code, output], [0, "NotCapable ENOTCAPABLE\n"]);
  });

  Deno.test(`${named}: unref lets the process end, ref keeps it`, limit, async () => {
    const unref = await run(
      `import { serveUdp } from "$udp";
const server = await serveUdp({ onListen() {} }, () => {});
server.unref();
console.log("main is done");`,
      "--allow-net",
      ...flags,
    );
    assertEquals(unref, [0, "main is done\n"]);
    const kept = await run(
      `import { connectUdp, serveUdp } from "$udp";
const server = await serveUdp({ onListen() {} }, async () => {
  console.log("served");
  await server.shutdown({ timeout: 0 });
});
server.unref();
server.ref();
const peer = await connectUdp(server.addr);
await peer.send("x");
await peer.close();`,
      "--allow-net",
      ...flags,
    );
    assertEquals(kept, [0, "served\n"]);
  });
}
