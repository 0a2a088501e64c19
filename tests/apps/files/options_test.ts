/** The options that files share with every server and client: transports, names, hooks. */
import { assertEquals, assertRejects } from "@std/assert";
import {
  type FileServerOptions,
  FileTransferError,
  getFile,
  type GetFileOptions,
  listFiles,
  putFile,
  serveFiles,
} from "../../../apps/files/mod.ts";
import { TincanError } from "../../../mod.ts";
import { Events } from "../../_util/events.ts";
import { clientTls, serverTls } from "../../_util/transports.ts";
import { Folder, serve } from "./_harness.ts";

const quiet = { onListen() {}, upload: {} };

/** Lists, fetches and stores a file. */
async function useAll(here: Folder, client: Parameters<typeof listFiles>[0]): Promise<void> {
  assertEquals((await listFiles(client)).map(({ name }) => name), ["a"]);
  await getFile("a", { ...client, output: here.at("b") });
  await putFile(here.at("b"), client);
  assertEquals((await listFiles(client)).length, 2);
}

Deno.test("files over TLS, on both sides", async () => {
  await using there = await Folder.make();
  await using here = await Folder.make();
  await there.write("a", "hello");
  await using server = await serveFiles(there.path, { ...quiet, port: 0, tls: serverTls });
  await useAll(here, { port: server.addr.port, tls: clientTls });
});

Deno.test({
  name: "files over a unix socket",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using there = await Folder.make();
    await using here = await Folder.make();
    await there.write("a", "hello");
    const path = here.at("socket");
    await using server = await serveFiles(there.path, { ...quiet, path });
    assertEquals(server.addr.path, path);
    await useAll(here, { path });
  },
});

Deno.test("options that do not exist are refused, and the right ones named", async () => {
  await using folder = await Folder.make();
  const serving: [object, string][] = [
    [{ requestTimeout: 1 }, 'Cannot use option "requestTimeout" of serveFiles'],
    [{ maxEntries: 1 }, 'did you mean "limits.maxEntries"?'],
    [{ upload: { qota: 1 } }, 'did you mean "upload.quota"?'],
    [{ timeouts: { stal: 1 } }, 'did you mean "timeouts.stall"?'],
  ];
  for (const [options, message] of serving) {
    await assertRejects(
      () => serveFiles(folder.path, options as FileServerOptions),
      TypeError,
      message,
    );
  }
  const asking: [(options: GetFileOptions) => Promise<unknown>, object, string][] = [
    [(options) => getFile("a", options), { maxSize: 1 }, 'did you mean "limits.maxSize"?'],
    [(options) => putFile("a", options), { chcksum: 1 }, 'did you mean "checksum"?'],
    [listFiles, { limits: { maxEntrys: 1 } }, 'did you mean "limits.maxEntries"?'],
    [listFiles, { host: "here" }, 'did you mean "hostname"?'],
  ];
  for (const [ask, options, message] of asking) {
    await assertRejects(
      () => ask({ port: 1, ...options } as GetFileOptions),
      TypeError,
      message,
    );
  }
});

Deno.test("numbers out of range are refused by their names", async () => {
  await using folder = await Folder.make();
  const options: FileServerOptions[] = [
    { timeouts: { request: -1 } },
    { timeouts: { stall: NaN } },
    { limits: { minRate: -1 } },
    { limits: { maxEntries: 0.5 } },
    { upload: { quota: -1 } },
  ];
  for (const given of options) {
    const [[group, inside] = []] = Object.entries(given);
    const name = `"${group}.${Object.keys(inside ?? {})[0]}"`;
    await assertRejects(() => serveFiles(folder.path, given), RangeError, name);
  }
  for (const name of ["answer", "stall"]) {
    const ask = () => listFiles({ port: 1, timeouts: { [name]: -1 } });
    await assertRejects(ask, RangeError, `"timeouts.${name}"`);
  }
});

Deno.test("a hook that rejects ends neither the server nor the process", async () => {
  await using folder = await Folder.make();
  const errors = new Events<unknown>();
  await using server = await serve(folder, {
    onTransfer: () => Promise.reject(new Error("the log is full")),
    onError: errors.push,
  });
  for (let count = 0; count < 2; count++) {
    await listFiles({ port: server.port });
    assertEquals((await errors.next() as Error).message, "the log is full");
  }
});

Deno.test("the errors are those of tincan", async () => {
  await using folder = await Folder.make();
  await using server = await serve(folder);
  const error = await assertRejects(() => getFile("a", { port: server.port }), TincanError);
  assertEquals([error instanceof FileTransferError, error.code], [true, "not_found"]);
});
