/** The programs on docs/files.md, taken from the page and run. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { FileTransferError, getFile, putFile } from "../../../apps/files/mod.ts";
import { blockOf, readPage } from "../../docs/_page.ts";
import { Peer, testWith } from "../../_util/peers.ts";
import { Folder, noise, say, serve } from "./_harness.ts";

const pythonTest = testWith("python3");

const page = await readPage("docs/files.md");

/** It must not have more lines than the page says. */
function fifteen(code: string): string {
  assertEquals(code.trim().split("\n").length, 15);
  return code;
}

async function runClient(port: number, name: string, target: string) {
  const args = ["-c", fifteen(blockOf(page, "client")), "127.0.0.1", String(port), name, target];
  const { code, stderr } = await new Deno.Command("python3", { args }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

pythonTest("the page's Python client gets files from our server", async () => {
  await using folder = await Folder.make();
  const content = noise(3_000_000);
  await folder.write("a \u4f60 file", content);
  await using server = await serve(folder);
  const got = await runClient(server.port, "a \u4f60 file", folder.at("copy"));
  assertEquals(got, { code: 0, stderr: "" });
  assertEquals(await folder.read("copy"), content);
  const missing = await runClient(server.port, "nothing", folder.at("none"));
  assertEquals(missing, { code: 1, stderr: "not_found no such file\n" });
  assertEquals(await folder.names(), ["a \u4f60 file", "copy"]);
});

pythonTest("our client gets files from the page's Python server", async () => {
  await using folder = await Folder.make();
  const content = noise(3_000_000);
  await folder.write("a \u4f60 file", content);
  const args = ["-c", fifteen(blockOf(page, "server")), "0", folder.path];
  await using peer = new Peer("python3", args);
  const port = Number(await peer.line());
  const result = await getFile("a \u4f60 file", { port, output: folder.at("copy") });
  assertEquals([result.size, result.resumedFrom], [3_000_000, 0]);
  assertEquals(await folder.read("copy"), content);
  const error = await getFile("nothing", { port }).catch((error) => error);
  assert(error instanceof FileTransferError);
  assertEquals(error.code, "not_found");
});

Deno.test("the page's conversations are what our server says", async () => {
  await using folder = await Folder.make();
  await folder.write("notes.txt", "hello");
  await using server = await serve(folder, { upload: {} });
  const get = blockOf(page, "get");
  const put = blockOf(page, "put");
  const sum = /OK ([0-9a-f]{64})/.exec(get)?.[1];
  const [, request] = /client: {2}(GET .*)/.exec(get) ?? [];
  const said = await say(server.port, `${request}\n`);
  assertMatch(said, new RegExp(`^OK 5 0 [0-9a-z.]+\nhelloOK ${sum}\n$`));
  const [, store = ""] = /client: {2}(PUT .*)/.exec(put) ?? [];
  const stored = await say(server.port, `${store.replace("notes", "new")}\nhelloOK ${sum}\n`);
  assertEquals(stored, `OK 5 0 -\nOK ${sum}\n`);
  await putFile(folder.at("notes.txt"), { port: server.port, name: "other.txt" });
  assertEquals(await folder.names(), ["new.txt", "notes.txt", "other.txt"]);
});
