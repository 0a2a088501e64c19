/** Downloads: whole, verified, resumed, or nothing under the final name. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type FileChecksum,
  FileTransferError,
  getFile,
  type GetFileOptions,
} from "../../../apps/files/mod.ts";
import { Events } from "../../_util/events.ts";
import { testWith } from "../../_util/peers.ts";
import {
  Folder,
  noise,
  readAll,
  readLine,
  say,
  serve,
  serveLies,
  settle,
  sha256,
} from "./_harness.ts";

const MiB = 1024 * 1024;

/** Where downloads go, and what they come from. */
async function setUp(content: Uint8Array<ArrayBuffer>) {
  const source = await Folder.make();
  const here = await Folder.make();
  await source.write("file.bin", content);
  await settle(source.at("file.bin"));
  return {
    source,
    here,
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      await here[Symbol.asyncDispose]();
    },
  };
}

async function fails(
  code: string,
  name: string,
  options: GetFileOptions,
): Promise<FileTransferError> {
  const error = await assertRejects(() => getFile(name, options), FileTransferError);
  assertEquals(error.code, code, error.message);
  assert(!/\p{Cc}/u.test(error.message), JSON.stringify(error.message));
  return error;
}

for (const size of [0, 1, 65_536, MiB - 1, MiB, MiB + 1, 3 * MiB + 7]) {
  for (const checksum of ["sha256", "crc32", "none"] as FileChecksum[]) {
    Deno.test(`getFile brings ${size} bytes, checksum ${checksum}`, async () => {
      const content = noise(size);
      await using place = await setUp(content);
      await using server = await serve(place.source);
      const output = place.here.at("copy.bin");
      const result = await getFile("file.bin", { port: server.port, output, checksum });
      assertEquals(await Deno.readFile(output), content);
      assertEquals([result.size, result.bytes, result.resumedFrom], [size, size, 0]);
      if (checksum === "sha256") assertEquals(result.checksum, await sha256(content));
      assertEquals(await place.here.names(), ["copy.bin"]);
    });
  }
}

Deno.test("getFile takes names of any alphabet, with spaces, and from folders", async () => {
  await using source = await Folder.make();
  await using here = await Folder.make();
  const names = [
    "a file  with spaces ",
    "\u4f60\u597d/stra\u00dfe.txt",
    "-rf",
    "a;b|c$(d)",
    "\u{1f600}",
  ];
  for (const name of names) await source.write(name, `content of ${name}`);
  await using server = await serve(source);
  for (const name of names) {
    await getFile(name, { port: server.port, output: here.path }); // into the folder, by its own name
    const base = name.slice(name.lastIndexOf("/") + 1);
    assertEquals(await here.text(base), `content of ${name}`);
  }
});

Deno.test("getFile reports progress up to the end", async () => {
  await using place = await setUp(noise(2 * MiB + 5));
  await using server = await serve(place.source);
  const seen: number[] = [];
  const onProgress = ({ bytes, size }: { bytes: number; size: number }) => {
    assertEquals(size, 2 * MiB + 5);
    seen.push(bytes);
  };
  await getFile("file.bin", { port: server.port, output: place.here.at("x"), onProgress });
  assertEquals(seen.at(-1), 2 * MiB + 5);
  assertEquals(seen, seen.toSorted((a, b) => a - b));
});

Deno.test("getFile replaces only with force, and only regular files", async () => {
  await using place = await setUp(noise(10));
  await using server = await serve(place.source);
  const { here } = place;
  const { port } = server;
  await here.write("taken", "precious");
  await Deno.symlink("taken", here.at("link"));
  await Deno.mkdir(here.at("folder/file.bin"), { recursive: true });
  await fails("exists", "file.bin", { port, output: here.at("taken") });
  await fails("not_a_file", "file.bin", { port, output: here.at("link"), force: true });
  await fails("not_a_file", "file.bin", { port, output: here.at("folder"), force: true });
  await fails("not_a_file", "file.bin", { port, output: "/dev/null", force: true });
  assertEquals(await here.text("taken"), "precious");
  await getFile("file.bin", { port, output: here.at("taken"), force: true });
  assertEquals(await here.read("taken"), await place.source.read("file.bin"));
  assertEquals(await here.names(), ["folder", "link", "taken"]);
  assertEquals(server.stats().accepted, 1); // the refusals did not even ask
});

Deno.test("getFile does not replace a file that appears meanwhile", async () => {
  await using place = await setUp(noise(10));
  const output = place.here.at("x");
  await using server = serveLies(async (conn) => {
    await Deno.writeTextFile(output, "precious");
    await conn.write("OK 0 0 tag\nOK -\n");
  });
  await fails("exists", "file.bin", { port: server.port, output, checksum: "none" });
  assertEquals(await Deno.readTextFile(output), "precious");
});

Deno.test("getFile leaves nothing behind when there is nothing to get", async () => {
  await using place = await setUp(noise(10));
  await using server = await serve(place.source);
  const options = { port: server.port, output: place.here.at("x") };
  const { message } = await fails("not_found", "nothing.bin", options);
  assertEquals(message, 'Cannot get "nothing.bin": no such file');
  await fails("bad_name", "..", { port: server.port });
  await fails("bad_name", "a\nGET 0 - none b", { port: server.port });
  await fails("bad_name", "folder/", { port: server.port });
  await fails("too_large", "file.bin", { ...options, limits: { maxSize: 9 } });
  assertEquals(await place.here.names(), []);
  await fails("disk", "file.bin", { port: server.port, output: place.here.at("no/such/folder") });
});

/** Downloads through a server that breaks off, and says how far it got. */
async function breakOff(place: { source: Folder; here: Folder }, after: number, tag?: string) {
  await using real = await serve(place.source);
  const whole = await say(real.port, "GET 0 - sha256 file.bin\n");
  const [, size = "", realTag = ""] = /^OK (\d+) 0 (\S+)\n/.exec(whole) ?? [];
  const content = await place.source.read("file.bin");
  await using broken = serveLies(async (conn) => {
    await conn.write(`OK ${size} 0 ${tag ?? realTag}\n`);
    await conn.write(content.subarray(0, after));
  });
  const options = { port: broken.port, output: place.here.at("x") };
  return await fails("gone", "file.bin", options);
}

Deno.test("getFile goes on where it broke off, and verifies the whole", async () => {
  const content = noise(3 * MiB);
  await using place = await setUp(content);
  const error = await breakOff(place, 2 * MiB + 100);
  assertEquals(error.kept, 2 * MiB + 100);
  assertEquals(await place.here.names(), [".x.tincan-note", ".x.tincan-part"]);
  await using server = await serve(place.source);
  const result = await getFile("file.bin", { port: server.port, output: place.here.at("x") });
  assertEquals([result.resumedFrom, result.bytes], [2 * MiB + 100, MiB - 100]);
  assertEquals(result.checksum, await sha256(content));
  assertEquals(await place.here.read("x"), content);
  assertEquals(await place.here.names(), ["x"]);
});

for (const checksum of ["crc32", "none"] as FileChecksum[]) {
  Deno.test(`getFile goes on where it broke off, checksum ${checksum}`, async () => {
    const content = noise(2 * MiB);
    await using place = await setUp(content);
    await breakOff(place, MiB);
    await using server = await serve(place.source);
    const options = { port: server.port, output: place.here.at("x"), checksum };
    assertEquals((await getFile("file.bin", options)).resumedFrom, MiB);
    assertEquals(await place.here.read("x"), content);
  });
}

Deno.test("getFile goes on beyond 4 GiB", async () => {
  await using place = await setUp(noise(10));
  const from = 2 ** 32 + 100;
  const size = from + 7;
  await Deno.truncate(place.source.at("file.bin"), size); // the file is sparse, and so is the part
  await settle(place.source.at("file.bin"));
  await using server = await serve(place.source);
  const told = await say(server.port, `GET ${from} - none file.bin\n`);
  const [, tag = ""] = new RegExp(`^OK ${size} ${from} (\\S+)\n`).exec(told) ?? [];
  await place.here.write(".x.tincan-note", `${tag} file.bin`);
  await place.here.write(".x.tincan-part", "");
  await Deno.truncate(place.here.at(".x.tincan-part"), from);
  const options = { port: server.port, output: place.here.at("x"), checksum: "none" as const };
  const result = await getFile("file.bin", options);
  assertEquals([result.size, result.resumedFrom, result.bytes], [size, from, 7]);
  assertEquals((await Deno.stat(place.here.at("x"))).size, size);
});

Deno.test("getFile only verifies what was complete when it was killed", async () => {
  const content = noise(MiB);
  await using place = await setUp(content);
  await breakOff(place, MiB);
  await using server = await serve(place.source);
  const result = await getFile("file.bin", { port: server.port, output: place.here.at("x") });
  assertEquals([result.resumedFrom, result.bytes], [MiB, 0]);
  assertEquals(await place.here.read("x"), content);
});

Deno.test("getFile starts over when the source has changed", async () => {
  await using place = await setUp(noise(2 * MiB));
  await breakOff(place, MiB);
  const changed = noise(2 * MiB); // as long as before
  await place.source.write("file.bin", changed);
  await using server = await serve(place.source);
  const result = await getFile("file.bin", { port: server.port, output: place.here.at("x") });
  assertEquals([result.resumedFrom, result.bytes], [0, 2 * MiB]);
  assertEquals(await place.here.read("x"), changed);
  assertEquals(await place.here.names(), ["x"]);
});

Deno.test("getFile starts over when the source was replaced by one of the same size and time", async () => {
  await using place = await setUp(noise(2 * MiB));
  await breakOff(place, MiB);
  const changed = noise(2 * MiB);
  await place.source.write("other", changed);
  await settle(place.source.at("other"));
  await Deno.rename(place.source.at("other"), place.source.at("file.bin"));
  await using server = await serve(place.source);
  const options = { port: server.port, output: place.here.at("x"), checksum: "none" as const };
  assertEquals((await getFile("file.bin", options)).resumedFrom, 0);
  assertEquals(await place.here.read("x"), changed);
});

Deno.test("getFile starts over by itself when what it had kept is not what was sent", async () => {
  const content = noise(2 * MiB);
  await using place = await setUp(content);
  await breakOff(place, MiB);
  const part = place.here.at(".x.tincan-part");
  const bytes = await Deno.readFile(part);
  bytes[12_345]! ^= 1;
  await Deno.writeFile(part, bytes);
  await using server = await serve(place.source);
  const result = await getFile("file.bin", { port: server.port, output: place.here.at("x") });
  assertEquals(result.resumedFrom, 0);
  assertEquals(await place.here.read("x"), content);
});

Deno.test("getFile begins anew without resume, and for another name", async () => {
  const content = noise(2 * MiB);
  await using place = await setUp(content);
  await place.source.write("other.bin", content);
  await using server = await serve(place.source);
  const options = { port: server.port, output: place.here.at("x"), force: true };
  await breakOff(place, MiB);
  assertEquals((await getFile("file.bin", { ...options, resume: false })).resumedFrom, 0);
  await Deno.remove(place.here.at("x"));
  await breakOff(place, MiB);
  assertEquals((await getFile("other.bin", options)).resumedFrom, 0);
  assertEquals(await place.here.names(), ["x"]);
});

Deno.test("getFile does not trust what lies under the name it grows under", async () => {
  const content = noise(1_000);
  await using place = await setUp(content);
  await using server = await serve(place.source);
  const { here } = place;
  const options = { port: server.port, output: here.at("x") };
  // Longer than the file, with a note that fits.
  await breakOff(place, 500);
  await Deno.writeFile(here.at(".x.tincan-part"), noise(5_000));
  await getFile("file.bin", options);
  assertEquals(await here.read("x"), content);
  await Deno.remove(here.at("x"));
  // Without a note.
  await here.write(".x.tincan-part", "something else");
  await getFile("file.bin", options);
  assertEquals(await here.read("x"), content);
  await Deno.remove(here.at("x"));
  // Notes that say nothing.
  for (const note of ["", "\0", "tag", "a/b file.bin", `${"t".repeat(9_000)} file.bin`]) {
    await here.write(".x.tincan-part", "something else");
    await here.write(".x.tincan-note", note);
    assertEquals((await getFile("file.bin", options)).resumedFrom, 0);
    assertEquals(await here.read("x"), content);
    await Deno.remove(here.at("x"));
  }
});

Deno.test("getFile refuses to share a target with another download", async () => {
  await using place = await setUp(noise(MiB));
  const arrived = new Events<void>();
  const release = Promise.withResolvers<void>();
  await using slow = serveLies(async (conn) => {
    await conn.write("OK 10 0 tag\n12345");
    await release.promise;
    await conn.write("67890OK -\n");
  });
  await using server = await serve(place.source);
  const output = place.here.at("x");
  const first = getFile("file.bin", {
    port: slow.port,
    output,
    checksum: "none",
    onProgress: () => arrived.push(),
  });
  await arrived.next();
  await fails("busy", "file.bin", { port: server.port, output });
  release.resolve();
  await first;
  assertEquals(await place.here.text("x"), "1234567890");
  assertEquals(await place.here.names(), ["x"]);
});

Deno.test("getFile ends with the signal's reason, and keeps what came", async () => {
  await using place = await setUp(noise(10));
  const controller = new AbortController();
  await using server = serveLies(async (conn) => {
    await conn.write("OK 10 0 tag\n12345");
    await conn.read(new Uint8Array(1));
  });
  const reason = new Error("enough");
  const options = {
    port: server.port,
    output: place.here.at("x"),
    signal: controller.signal,
    onProgress: () => controller.abort(reason),
  };
  assertEquals(await getFile("file.bin", options).catch((error) => error), reason);
  assertEquals(await place.here.text(".x.tincan-part"), "12345");
  const before = getFile("file.bin", { ...options, signal: AbortSignal.abort(reason) });
  assertEquals(await before.catch((error) => error), reason);
});

Deno.test("getFile works with file names as long as the system takes", async () => {
  await using source = await Folder.make();
  await using here = await Folder.make();
  const name = "\u00e9".repeat(127);
  await source.write(name, "content");
  await using server = await serve(source);
  await getFile(name, { port: server.port, output: here.path });
  assertEquals(await here.names(), [name]);
});

Deno.test("a file that changes while it is sent is not taken", async () => {
  for (const change of ["append", "touch", "truncate"] as const) {
    const content = noise(8 * MiB);
    await using place = await setUp(content);
    await using server = await serve(place.source);
    using conn = await Deno.connect({ port: server.port });
    await conn.write(new TextEncoder().encode("GET 0 - sha256 file.bin\n"));
    await readLine(conn); // more than the system's buffers hold is still to be sent
    const path = place.source.at("file.bin");
    if (change === "append") await Deno.writeTextFile(path, "more", { append: true });
    if (change === "touch") await settle(path, 1_600_000_000);
    if (change === "truncate") await Deno.truncate(path, 10);
    const said = await readAll(conn);
    if (change === "truncate") assert(said.length < content.length);
    else assertEquals(said.slice(content.length).split(" ", 2), ["NO", "changed"]);
  }
});

Deno.test("a remembered checksum is not used for a file that has changed", async () => {
  const content = noise(1_000);
  await using place = await setUp(content);
  await using server = await serve(place.source);
  const ask = async () =>
    (await say(server.port, "GET 1000 - sha256 file.bin\n")).split(" ").at(-1);
  const first = `${await sha256(content)}\n`;
  assertEquals(await ask(), first);
  assertEquals(await ask(), first);
  const changed = noise(1_000);
  await place.source.write("file.bin", changed);
  await settle(place.source.at("file.bin"), 1_700_000_001);
  assertEquals(await ask(), `${await sha256(changed)}\n`);
});

/** Bytes that this process has read so far, by whatever call. */
async function bytesRead(): Promise<number> {
  return Number(/^rchar: (\d+)/.exec(await Deno.readTextFile("/proc/self/io"))?.[1]);
}

testWith("Linux")({
  name: "the checksum of a file that has not changed is computed once",
  async fn() {
    const size = 32 * MiB;
    await using place = await setUp(noise(size));
    await using server = await serve(place.source);
    await settled(place.source.at("file.bin"));
    const ask = async () => {
      const before = await bytesRead();
      const said = await say(server.port, `GET ${size} - sha256 file.bin\n`);
      return { sum: said.split(" ").at(-1), bytes: await bytesRead() - before };
    };
    const first = await ask();
    assert(first.bytes >= size, `it has read ${first.bytes}`);
    const second = await ask();
    assertEquals(second.sum, first.sum);
    assert(second.bytes < size, `it has read ${second.bytes}`);
  },
});

/** Waits until a file was changed so long ago that its checksum is remembered. */
async function settled(path: string): Promise<void> {
  const { ctime } = await Deno.stat(path);
  const age = Date.now() - (ctime?.getTime() ?? 0);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, 2_100 - age)));
}

Deno.test("a file whose bytes were changed in place, time and all, can be downloaded", async () => {
  await using place = await setUp(noise(1_000));
  const path = place.source.at("file.bin");
  await using server = await serve(place.source);
  const options = { port: server.port, output: place.here.at("x"), force: true };
  await settled(path);
  await getFile("file.bin", options); // now the server knows its checksum
  const changed = noise(1_000);
  const file = await Deno.open(path, { write: true });
  await file.write(changed);
  file.close();
  await settle(path); // as if nothing had happened
  await getFile("file.bin", options);
  assertEquals(await place.here.read("x"), changed);
});

Deno.test("getFile does not write where no name is given", async () => {
  await using here = await Folder.make();
  const error = await assertRejects(() => getFile("x", { port: 1, output: "" }), TypeError);
  assertEquals(error.message, 'Cannot use option "output" as a path: current value is ""');
  await fails("disk", "x", { port: 1, output: here.at("nowhere/") });
  assertEquals(await here.names(), []);
});
