/** Slow transfers: as slow as the minimum rate allows is fast enough, and slower is not. */
import { assert, assertEquals } from "@std/assert";
import {
  FileTransferError,
  type FileTransferEvent,
  getFile,
  listFiles,
  putFile,
} from "../../../apps/files/mod.ts";
import { Events } from "../../_util/events.ts";
import { encode, Folder, noise, readLine, serve, serveLies } from "./_harness.ts";

const MiB = 1024 * 1024;

/** More than the system's buffers take at once, so that the sender feels how slow the other side is. */
const SIZE = 7 * MiB;

/** A rate at which the sender sees progress about every 0.5 s only. */
const LITTLE = 64 * 1024;
const PAUSE = 20;

/** Far shorter than the time between two signs of progress. */
const IMPATIENT = { timeouts: { stall: 120 }, limits: { minRate: 1_000 } };

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test("the server bears with a client that takes a file slowly", async () => {
  await using folder = await Folder.make();
  const content = noise(SIZE);
  await folder.write("big", content);
  const events = new Events<FileTransferEvent>();
  await using server = await serve(folder, { ...IMPATIENT, onTransfer: events.push });
  using conn = await Deno.connect({ port: server.port });
  await conn.write(encode("GET 0 - none big\n"));
  await readLine(conn);
  const buffer = new Uint8Array(LITTLE);
  let length = 0;
  while (length < SIZE) {
    const n = await conn.read(buffer.subarray(0, Math.min(LITTLE, SIZE - length)));
    assert(n !== null, `it ended after ${length} bytes`);
    assertEquals(buffer[0], content[length]);
    length += n;
    await pause(PAUSE);
  }
  assertEquals(await readLine(conn), "OK -");
  assertEquals((await events.next()).error, undefined);
});

Deno.test("putFile bears with a server that takes a file slowly", async () => {
  await using folder = await Folder.make();
  const path = await folder.write("big", noise(SIZE));
  await using server = serveLies(async (conn) => {
    await conn.write(`OK ${SIZE} 0 -\n`);
    const buffer = new Uint8Array(LITTLE);
    for (let left = SIZE; left > 0;) {
      left -= await conn.read(buffer.subarray(0, left)) ?? left;
      await pause(PAUSE);
    }
    assertEquals(await conn.readLine(), "OK -");
    await conn.write("OK -\n");
  });
  const options = { ...IMPATIENT, port: server.port, checksum: "none" as const };
  assertEquals((await putFile(path, options)).bytes, SIZE);
});

/** What drips takes longer than this, in all; a pause of its own is far shorter. */
const PATIENT = { timeouts: { stall: 1_000 }, limits: { minRate: 10 } };
const ENTRIES = 150;

/** Sends a text in small pieces. */
async function drip(write: (bytes: Uint8Array) => Promise<unknown>, text: string) {
  const bytes = encode(text);
  for (let at = 0; at < bytes.length; at += 11) {
    await write(bytes.subarray(at, at + 11));
    await pause(10);
  }
}

Deno.test("listFiles and getFile bear with a server that drips", async () => {
  const list = "5 - a file\n".repeat(ENTRIES);
  await using folder = await Folder.make();
  await using server = serveLies(async (conn) => {
    await drip((bytes) => conn.write(bytes), `OK ${list.length} 0 -\n${list}OK -\n`);
  });
  const options = { ...PATIENT, port: server.port };
  const [entries, { bytes }] = await Promise.all([
    listFiles(options),
    getFile("x", { ...options, output: folder.at("x"), checksum: "none" }),
  ]);
  assertEquals([entries.length, bytes], [ENTRIES, list.length]);
});

Deno.test("the server bears with an upload that drips", async () => {
  await using folder = await Folder.make();
  await using server = await serve(folder, { ...PATIENT, upload: {} });
  using conn = await Deno.connect({ port: server.port });
  const body = "x".repeat(11 * ENTRIES);
  await drip((bytes) => conn.write(bytes), `PUT ${body.length} new none x\n${body}OK -\n`);
  assertEquals(await readLine(conn), `OK ${body.length} 0 -`);
  assertEquals(await readLine(conn), "OK -");
  assertEquals(await folder.text("x"), body);
});

Deno.test("a fast beginning does not pay for a long rest", async () => {
  await using folder = await Folder.make();
  const events = new Events<FileTransferEvent>();
  // On average since the beginning it would be fast enough for 17 minutes.
  const options = {
    timeouts: { stall: 200 },
    limits: { minRate: 1_000 },
    upload: {},
    onTransfer: events.push,
  };
  await using server = await serve(folder, options);
  using conn = await Deno.connect({ port: server.port });
  await conn.write(encode(`PUT ${2 * MiB} new none x\n`));
  await readLine(conn);
  const start = noise(MiB);
  for (let sent = 0; sent < MiB;) sent += await conn.write(start.subarray(sent));
  const dripping = (async () => {
    try {
      while (true) {
        await conn.write(new Uint8Array(1));
        await pause(20);
      }
    } catch {
      // It has closed.
    }
  })();
  const { error } = await events.next();
  assert(error instanceof FileTransferError);
  assertEquals(error.code, "too_slow");
  await dripping;
});

Deno.test("clients that take nothing lose their places when others wait for them", async () => {
  await using folder = await Folder.make();
  await folder.write("big", noise(32 * MiB));
  const events = new Events<FileTransferEvent>();
  await using server = await serve(folder, {
    timeouts: { stall: 200 },
    limits: { minRate: 1, maxConnections: 2 },
    onTransfer: events.push,
  });
  const conns = await Promise.all([1, 2].map(() => Deno.connect({ port: server.port })));
  for (const conn of conns) await conn.write(encode("GET 0 - none big\n"));
  assertEquals((await listFiles({ port: server.port })).length, 1);
  const { error } = await events.next();
  assert(error instanceof FileTransferError && error.code === "too_slow");
  for (const conn of conns) conn.close();
});
