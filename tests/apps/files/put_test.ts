/** Uploads: only where allowed, whole and verified, within the quota. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FileTransferError, putFile, type PutFileOptions } from "../../../apps/files/mod.ts";
import { encode, Folder, noise, readLine, say, serve, serveLies } from "./_harness.ts";

const MiB = 1024 * 1024;

async function fails(code: string, path: string, options: PutFileOptions): Promise<void> {
  const error = await assertRejects(() => putFile(path, options), FileTransferError);
  assertEquals(error.code, code, error.message);
}

for (const size of [0, 1, MiB, 3 * MiB + 7]) {
  Deno.test(`putFile stores ${size} bytes`, async () => {
    await using here = await Folder.make();
    await using there = await Folder.make();
    await using server = await serve(there, { upload: {} });
    const content = noise(size);
    const path = await here.write("a file", content);
    const result = await putFile(path, { port: server.port });
    assertEquals(await there.read("a file"), content);
    assertEquals([result.size, result.bytes], [size, size]);
    await putFile(path, { port: server.port, name: "\u4f60\u597d", checksum: "crc32" });
    assertEquals(await there.names(), ["a file", "\u4f60\u597d"]);
  });
}

Deno.test("putFile is refused unless the server takes uploads", async () => {
  await using here = await Folder.make();
  await using there = await Folder.make();
  await using server = await serve(there);
  await fails("forbidden", await here.write("big", noise(4 * MiB)), { port: server.port });
  assertEquals(await there.names(), []);
});

Deno.test("putFile replaces only if both sides agree", async () => {
  await using here = await Folder.make();
  await using there = await Folder.make();
  const path = await here.write("x", "new");
  await there.write("x", "precious");
  {
    await using strict = await serve(there, { upload: {} });
    await fails("exists", path, { port: strict.port });
    await fails("forbidden", path, { port: strict.port, force: true });
  }
  await using server = await serve(there, { upload: { replace: true } });
  await fails("exists", path, { port: server.port });
  assertEquals(await there.text("x"), "precious");
  await putFile(path, { port: server.port, force: true });
  assertEquals(await there.text("x"), "new");
  assertEquals(await there.names(), ["x"]);
});

Deno.test("uploads share a quota, and what fails is given back", async () => {
  await using here = await Folder.make();
  await using there = await Folder.make();
  await using server = await serve(there, { upload: { quota: 100_000 } });
  const { port } = server;
  await fails("quota", await here.write("huge", noise(100_001)), { port });
  // Announced, begun, broken off: nothing of it stays, neither on the disk nor in the quota.
  for (let round = 0; round < 3; round++) {
    assertMatch(
      await say(port, "PUT 90000 new none broken\n123"),
      /^OK 90000 0 -\nNO /,
    );
  }
  await putFile(await here.write("one", noise(60_000)), { port });
  await fails("quota", await here.write("two", noise(60_000)), { port });
  // However small, a file takes a share.
  const small = await here.write("small", "");
  for (let index = 0; index < 9; index++) await putFile(small, { port, name: `small${index}` });
  await fails("quota", small, { port });
  assertEquals((await there.names()).filter((name) => name.startsWith(".")), []);
});

Deno.test("an upload that is slow holds of the quota what has come of it", async () => {
  await using here = await Folder.make();
  await using there = await Folder.make();
  await using server = await serve(there, { upload: { quota: 100_000 } });
  const { port } = server;
  using slow = await Deno.connect({ port });
  await slow.write(encode("PUT 90000 new none slow\nabc"));
  assertEquals(await readLine(slow), "OK 90000 0 -");
  await putFile(await here.write("one", noise(60_000)), { port });
  // What is left does not suffice for the slow one.
  await slow.write(noise(89_997));
  assertMatch(await readLine(slow), /^NO quota /);
  await server.shutdown();
  assertEquals(await there.names(), ["one"]);
});

Deno.test("the server keeps nothing of an upload that is not what was sent", async () => {
  await using there = await Folder.make();
  await using server = await serve(there, { upload: {} });
  const wrong = "0".repeat(64);
  const cases: [string, RegExp][] = [
    [`PUT 3 new sha256 x\nabcOK ${wrong}\n`, /^OK 3 0 -\nNO checksum /],
    ["PUT 3 new sha256 x\nabcOK -\n", /^OK 3 0 -\nNO checksum /],
    ["PUT 3 new sha256 x\nabc", /^OK 3 0 -\nNO /],
    ["PUT 3 new sha256 x\nabcNO changed it changed\n", /^OK 3 0 -\nNO changed /],
    ["PUT 3 new sha256 x\nab", /^OK 3 0 -\nNO /],
    ["PUT 3 new none x\nabcdefgh\n", /^OK 3 0 -\nNO /],
    ["PUT 3 new none x\nabc" + "x".repeat(100_000), /^OK 3 0 -\nNO /],
    ["PUT -3 new none x\nabc", /^NO bad_request /],
    ["PUT 99999999999999999999 new none x\nabc", /^NO bad_request /],
    ["PUT 9007199254740991 new none x\nabc", /^NO quota /],
    ["PUT 3 append none x\nabcOK -\n", /^NO bad_request /],
    ["PUT 3 new md5 x\nabcOK -\n", /^NO bad_request /],
  ];
  for (const [request, answer] of cases) {
    assertMatch(await say(server.port, request), answer, request.slice(0, 60));
  }
  assertEquals(await there.names(), []);
  // By hand, the same done right is taken.
  assertEquals(await say(server.port, "PUT 3 new none x\nabcOK -\n"), "OK 3 0 -\nOK -\n");
  assertEquals(await there.text("x"), "abc");
});

Deno.test("two uploads of one name: one is taken, the other told so, nothing is mixed", async () => {
  await using there = await Folder.make();
  await using server = await serve(there, { upload: {} });
  const conns = await Promise.all([1, 2].map(() => Deno.connect({ port: server.port })));
  for (const conn of conns) {
    await conn.write(encode("PUT 3 new none x\n"));
    assertEquals(await readLine(conn), "OK 3 0 -"); // both are under way
  }
  const said: string[] = [];
  for (const [index, conn] of conns.entries()) {
    await conn.write(encode(`${index}${index}${index}OK -\n`));
    said.push((await readLine(conn)).split(" ", 2).join(" "));
    conn.close();
  }
  assertEquals(said, ["OK -", "NO exists"]);
  assertEquals(await there.text("x"), "000");
  assertEquals(await there.names(), ["x"]);
});

Deno.test("putFile sends regular files only, and says what it cannot read", async () => {
  await using here = await Folder.make();
  await fails("not_a_file", here.path, { port: 1, name: "x" });
  await fails("not_a_file", "/dev/zero", { port: 1 });
  await fails("disk", here.at("nothing"), { port: 1 });
  await fails("bad_name", await here.write("x", ""), { port: 1, name: "../x" });
});

Deno.test("putFile does not store a file that changes while it is sent", async () => {
  await using here = await Folder.make();
  await using there = await Folder.make();
  const refused: unknown[] = [];
  let onRefused = () => {};
  await using server = await serve(there, {
    upload: {},
    onTransfer: ({ error }) => {
      refused.push(error instanceof FileTransferError && error.code);
      onRefused();
    },
  });
  const path = await here.write("log", noise(3 * MiB));
  const changes = [
    () => Deno.utimeSync(path, 1, 1), // written anew, as long as before
    () => Deno.writeFileSync(path, noise(10), { append: true }),
    () => Deno.truncateSync(path, MiB),
  ];
  for (const change of changes) {
    const { promise, resolve } = Promise.withResolvers<void>();
    onRefused = resolve;
    await fails("changed", path, { port: server.port, onProgress: () => change() });
    await promise; // the server may notice after the client
  }
  await server.shutdown();
  assertEquals(refused.length, changes.length);
  assertEquals(refused.slice(0, 2), ["changed", "changed"]);
  assertEquals(await there.names(), []);
});

Deno.test("putFile hears a refusal that comes while it sends", async () => {
  await using here = await Folder.make();
  const path = await here.write("big", noise(64 * MiB));
  await using server = serveLies(async (conn) => {
    await conn.write("OK 67108864 0 -\n");
    await conn.readExactly(MiB);
    await conn.write("NO disk full\n");
  });
  await fails("disk", path, { port: server.port });
});
