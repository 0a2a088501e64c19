/** What a server shows of its folder. */
import { assertEquals, assertRejects } from "@std/assert";
import { FileTransferError, listFiles } from "../../../apps/files/mod.ts";
import { Folder, serve, settle } from "./_harness.ts";

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
  await using server = await serve(folder, { maxEntries: 4 });
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
