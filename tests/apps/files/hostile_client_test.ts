/** Clients that want to hurt: each gets a plain answer or the door, and the others notice nothing. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  FileTransferError,
  type FileTransferEvent,
  getFile,
  listFiles,
} from "../../../apps/files/mod.ts";
import { Events } from "../../_util/events.ts";
import { encode, Folder, noise, readAll, readLine, say, serve } from "./_harness.ts";

const MiB = 1024 * 1024;

const BAD_REQUESTS: readonly string[] = [
  "",
  " ",
  "GET",
  "GET a.txt",
  "get 0 - sha256 a.txt",
  "GET  0 - sha256 a.txt",
  "GET -1 - sha256 a.txt",
  "GET 1e3 - sha256 a.txt",
  "GET 0x10 - sha256 a.txt",
  "GET 1.5 - sha256 a.txt",
  "GET NaN - sha256 a.txt",
  "GET 99999999999999999999 - sha256 a.txt",
  "GET 9007199254740993 - sha256 a.txt",
  "GET 0 - md5 a.txt",
  "GET 0 - __proto__ a.txt",
  "GET 0 a/b sha256 a.txt",
  `GET 0 ${"t".repeat(65)} sha256 a.txt`,
  "DELETE a.txt",
  "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
  "POST / HTTP/1.1\r\nContent-Length: 24\r\n\r\nGET 0 - sha256 a.txt",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "\0\0\0\0\0",
];

Deno.test("what is no request gets one line and nothing else", async () => {
  await using folder = await Folder.make();
  await folder.write("a.txt", "content");
  await using server = await serve(folder);
  for (const request of BAD_REQUESTS) {
    assertMatch(await say(server.port, `${request}\n`), /^NO bad_request [^\n]*\n$/, request);
  }
});

Deno.test("an offset behind the end begins at the beginning", async () => {
  await using folder = await Folder.make();
  await folder.write("a.txt", "content");
  await using server = await serve(folder);
  for (const offset of ["8", "9007199254740991"]) {
    assertMatch(
      await say(server.port, `GET ${offset} - none a.txt\n`),
      /^OK 7 0 \S+\ncontentOK -\n$/,
    );
  }
  assertMatch(await say(server.port, "GET 3 - none a.txt\n"), /^OK 7 3 \S+\ntentOK -\n$/);
  assertMatch(
    await say(server.port, "GET 3 other-tag none a.txt\n"),
    /^OK 7 0 \S+\ncontentOK -\n$/,
  );
});

Deno.test("a request that does not end is refused after a few thousand bytes", async () => {
  await using folder = await Folder.make();
  await using server = await serve(folder);
  // Without an end: the server must answer although more could come.
  using conn = await Deno.connect({ port: server.port });
  const feed = (async () => {
    const junk = new Uint8Array(65_536).fill(0x41);
    try {
      while (true) await conn.write(junk);
    } catch {
      // It has closed.
    }
  })();
  assertMatch(await readLine(conn), /^NO bad_request /);
  assertEquals(await listFiles({ port: server.port }), []); // others need not wait for its end
  await feed;
  assertMatch(await say(server.port, noise(MiB).map((byte) => byte === 0x0a ? 0 : byte)), /^NO /);
});

Deno.test("a request that does not come in time is refused, drip or silence", async () => {
  await using folder = await Folder.make();
  await using server = await serve(folder, { timeouts: { request: 100 } });
  for (const drip of ["", "G", "GET 0 - sha256 a.txt"]) {
    using conn = await Deno.connect({ port: server.port });
    const reading = readAll(conn);
    const dripping = (async () => {
      try {
        for (const byte of encode(drip)) {
          await conn.write(new Uint8Array([byte]));
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      } catch {
        // It has closed.
      }
    })();
    assertMatch(await reading, /^NO too_slow [^\n]*\n$/);
    await dripping;
  }
});

Deno.test("a client that takes nothing, or next to nothing, loses its place", async () => {
  await using folder = await Folder.make();
  await folder.write("big", noise(32 * MiB));
  for (const reads of [false, true]) {
    const events = new Events<FileTransferEvent>();
    await using server = await serve(folder, {
      timeouts: { stall: 200 },
      limits: { minRate: reads ? 1e12 : 0 },
      onTransfer: events.push,
    });
    const conn = await Deno.connect({ port: server.port });
    await conn.write(encode("GET 0 - none big\n"));
    const reading = reads ? slowly(conn) : undefined;
    const { error, bytes } = await events.next();
    assert(error instanceof FileTransferError);
    assertEquals(error.code, "too_slow");
    assert(bytes < 32 * MiB);
    conn.close(); // what the system still holds for it would take an hour at that rate
    await reading;
    assertEquals((await listFiles({ port: server.port })).length, 1);
  }
});

/** Reads a little at a time until the connection breaks. */
async function slowly(conn: Deno.Conn): Promise<void> {
  const little = new Uint8Array(64);
  try {
    while (await conn.read(little) !== null) await new Promise((resolve) => setTimeout(resolve, 5));
  } catch {
    // Broken off, as it should be.
  }
}

Deno.test("an upload that stands still loses its place, and leaves nothing", async () => {
  await using folder = await Folder.make();
  await using server = await serve(folder, { timeouts: { stall: 200 }, upload: {} });
  using conn = await Deno.connect({ port: server.port });
  await conn.write(encode("PUT 1000 new none x\n12345"));
  assertMatch(await readAll(conn), /^OK 1000 0 -\n/);
  // The folder is clean once the handler is done, which the drained server waits for.
  await server.shutdown();
  assertEquals(await folder.names(), []);
});

Deno.test("clients that reset in the middle cost nothing but themselves", async () => {
  await using folder = await Folder.make();
  await folder.write("big", noise(8 * MiB));
  const events = new Events<FileTransferEvent>();
  await using server = await serve(folder, { onTransfer: events.push });
  for (let round = 0; round < 20; round++) {
    const conn = await Deno.connect({ port: server.port });
    await conn.write(encode("GET 0 - sha256 big\n"));
    await conn.read(new Uint8Array(1_000));
    conn.close(); // with bytes unread, which resets
  }
  for (let round = 0; round < 20; round++) {
    const { error } = await events.next();
    assert(error instanceof Error);
  }
  const said = await say(server.port, "GET 8388608 - none big\n");
  assertMatch(said, /^OK 8388608 8388608 \S+\nOK -\n$/);
});

Deno.test("one address does not take all places", async () => {
  await using folder = await Folder.make();
  await using server = await serve(folder, { limits: { maxConnectionsPerIp: 4 } });
  const silent: Deno.Conn[] = [];
  for (let index = 0; index < 4; index++) silent.push(await Deno.connect({ port: server.port }));
  assertEquals(
    await say(server.port, "LIST\n").then((said) => said.replace("<broken off>", "")),
    "",
  );
  silent.pop()?.close();
  silent.shift()?.close();
  for (const conn of silent) conn.close();
});

Deno.test("eight downloads at once are all whole, while somebody stands in the way", async () => {
  await using folder = await Folder.make();
  const content = noise(4 * MiB);
  await folder.write("big", content);
  await using server = await serve(folder);
  const blocker = await Deno.connect({ port: server.port });
  await blocker.write(encode("GET 0 - sha256 big\n")); // and does not read
  await Promise.all(Array.from({ length: 8 }, async (_, index) => {
    const output = folder.at(`copy${index}`);
    await getFile("big", { port: server.port, output });
    assertEquals(await Deno.readFile(output), content);
  }));
  blocker.close();
});
