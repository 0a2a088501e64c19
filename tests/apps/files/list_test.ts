/** What a server shows of its folder. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FileTransferError, getFile, listFiles, putFile } from "../../../apps/files/mod.ts";
import { testWith } from "../../_util/peers.ts";
import { encode, Folder, noise, readLine, say, serve, settle } from "./_harness.ts";

const pythonTest = testWith("python3");

async function namesOf(port: number, folder = ""): Promise<string[]> {
  return (await listFiles({ port, folder })).map(({ name, isFolder }) =>
    isFolder ? `${name}/` : name
  );
}

Deno.test("listFiles tells name, size, time and kind, sorted by name", async () => {
  await using folder = await Folder.make();
  await folder.write("b b.txt", "12345");
  await folder.write("a/inner.txt", "");
  await folder.write("\u4f60\u597d", "1");
  for (const name of ["b b.txt", "a", "\u4f60\u597d"]) await settle(folder.at(name));
  await using server = await serve(folder);
  const modified = new Date(1_700_000_000_000);
  assertEquals(await listFiles({ port: server.port }), [
    { name: "a", size: 0, modified, isFolder: true },
    { name: "b b.txt", size: 5, modified, isFolder: false },
    { name: "\u4f60\u597d", size: 1, modified, isFolder: false },
  ]);
  assertEquals(await namesOf(server.port, "a"), ["inner.txt"]);
  assertEquals(await namesOf(server.port, "a/"), ["inner.txt"]);
});

Deno.test("listFiles shows nothing hidden, half, outside, unaskable or that is no file", async () => {
  await using outer = await Folder.make();
  await outer.write("secret.txt", "secret");
  await outer.write("served/shown", "");
  await outer.write("served/.dot", "");
  await outer.write("served/.x.tincan-part", "");
  await outer.write("served/new\nline", "");
  await outer.write("served/escape\x1b[2J", "");
  await Deno.symlink("../secret.txt", outer.at("served/out"));
  await Deno.symlink("shown", outer.at("served/in"));
  await Deno.symlink("nowhere", outer.at("served/dangling"));
  await new Deno.Command("mkfifo", { args: [outer.at("served/pipe")] }).output();
  await using server = await serve(outer.at("served"));
  assertEquals(await namesOf(server.port), ["in", "shown"]);
  await using open = await serve(outer.at("served"), { hidden: true });
  assertEquals(await namesOf(open.port), [".dot", "in", "shown"]);
});

Deno.test("listFiles is told why there is no list", async () => {
  await using folder = await Folder.make();
  for (let index = 0; index < 5; index++) await folder.write(`f${index}`, "");
  await using server = await serve(folder, { limits: { maxEntries: 4 } });
  const codeOf = async (name: string) =>
    (await assertRejects(() => listFiles({ port: server.port, folder: name }), FileTransferError))
      .code;
  assertEquals(await codeOf(""), "too_many");
  assertEquals(await codeOf("nowhere"), "not_found");
  assertEquals(await codeOf("f0"), "not_a_file");
  assertEquals(await codeOf("../"), "bad_name");
});

Deno.test("listFiles of an empty folder is an empty list", async () => {
  await using folder = await Folder.make();
  await using server = await serve(folder);
  assertEquals(await listFiles({ port: server.port }), []);
});

/** File systems that keep any time: others keep the nearest they can. */
const ANY_TIME = "/dev/shm";

pythonTest("a date that cannot be written does not spoil a list, nor a transfer", async () => {
  await using folder = await Folder.make(ANY_TIME);
  for (const name of ["a", "b", "c", "d"]) await folder.write(name, "text");
  await settle(folder.at("a"));
  // Beyond the year 9999, before the year 0, and what no date of this language can be.
  for (const [name, time] of [["b", "1e12"], ["c", "-1e11"], ["d", "9e15"]]) {
    const script = "import os, sys; os.utime(sys.argv[1], (float(sys.argv[2]),) * 2)";
    const args = ["-c", script, folder.at(name!), time!];
    await new Deno.Command("python3", { args }).output();
  }
  await using server = await serve(folder, { upload: {} });
  const { port } = server;
  assertMatch(
    await say(port, "LIST\n"),
    /^OK \d+ 0 -\n4 2023-11-14T22:13:20Z a\n(?:4 (?:-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) [bcd]\n){3}OK -\n$/,
  );
  for (const name of ["b", "c", "d"]) {
    await getFile(name, { port, output: folder.at(`${name}-copy`) });
    await putFile(folder.at(name), { port, name: `${name}-put` });
    assertEquals(await folder.text(`${name}-put`), "text");
  }
});

pythonTest("listFiles tells how many names could not be shown", async () => {
  await using folder = await Folder.make();
  await folder.write("shown", "");
  await folder.write("new\nline", "");
  await folder.write("escape\x1b[2J", "");
  await folder.write("a \ufffd in its name", ""); // text, and so it can be asked for
  const script = "import os, sys; open(os.fsencode(sys.argv[1]) + b'/bad\\xff', 'w')";
  await new Deno.Command("python3", { args: ["-c", script, folder.path] }).output();
  await using server = await serve(folder);
  const counts: number[] = [];
  const onOmitted = (count: number) => counts.push(count);
  const { port } = server;
  const names = (await listFiles({ port, onOmitted })).map(({ name }) => name);
  assertEquals(names, ["a \ufffd in its name", "shown"]);
  assertEquals(counts, [3]);
  assertMatch(await say(port, "LIST\n"), /^OK \d+ 0 omitted\.3\n/);
  await Deno.mkdir(folder.at("clean"));
  await listFiles({ port, folder: "clean", onOmitted });
  assertEquals(counts, [3]);
});

Deno.test("listFiles lists 20,000 files, unless the caller takes fewer", async () => {
  await using folder = await Folder.make();
  fill(folder, 20_000);
  await using server = await serve(folder);
  const { port } = server;
  assertEquals(new Set(await namesOf(port)).size, 20_000);
  const error = await assertRejects(
    () => listFiles({ port, limits: { maxEntries: 19_999 } }),
    FileTransferError,
  );
  assertEquals(error.code, "too_large");
  // Many at once, while others are served: they share the work.
  const floods = Array.from({ length: 30 }, () => listFiles({ port }));
  const order: string[] = [];
  const flooding = Promise.all(floods).then((lists) => {
    order.push("flood");
    return lists;
  });
  using conn = await Deno.connect({ port });
  await conn.write(encode("GET 0 - none 7\n"));
  assertMatch(await readLine(conn), /^OK 0 0 /);
  order.push("other");
  for (const list of await flooding) assertEquals(list.length, 20_000);
  assertEquals(order, ["other", "flood"]);
  assertEquals(server.stats().handlerErrors, 0);
});

Deno.test("a list shows what was stored before it was asked for, also while others are made", async () => {
  await using folder = await Folder.make();
  fill(folder, 2_000);
  await using server = await serve(folder);
  const { port } = server;
  for (let round = 0; round < 10; round++) {
    const before = listFiles({ port });
    const name = `new${round}`;
    using conn = await Deno.connect({ port });
    await conn.write(encode("LIST\n")); // joins, or is followed by, the one before
    await Deno.writeFile(folder.at(name), noise(0));
    const names = await namesOf(port);
    assert(names.includes(name));
    await before;
  }
});

/** Makes empty files. */
function fill(folder: Folder, count: number): void {
  for (let index = 0; index < count; index++) Deno.writeFileSync(folder.at(`${index}`), noise(0));
}
