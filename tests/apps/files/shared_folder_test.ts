/** Folders in which others may write: nothing of theirs becomes ours, and nothing of theirs is lost. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FileTransferError, getFile } from "../../../apps/files/mod.ts";
import { Events } from "../../_util/events.ts";
import { hasPeer, python, testWith } from "../../_util/peers.ts";
import { encode, Folder, noise, readLine, say, serve, serveLies } from "./_harness.ts";

/** Only root can be another user. */
const rootTest = testWith("root");
const plantedTest = testWith("python3", "root");

const PART = ".x.tincan-part";
const NOTE = ".x.tincan-note";

/** A user that no one is. */
const STRANGER = 54_321;

/** Makes what its arguments say in a folder as another user, keeps it open, and writes to it when
 * it is told to. */
const PLANTER = `
import os, sys
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
os.chdir(sys.argv[2])
os.umask(0)
with open(sys.argv[4], "w") as note:
    note.write(sys.argv[5])
part = os.open(sys.argv[3], os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
os.write(part, b"planted")
print("ready", flush=True)
sys.stdin.readline()
os.pwrite(part, b"evil", 0)
print("written", flush=True)
`;

/** The tag that a server gives a file. */
async function tagOf(port: number, name: string): Promise<string> {
  return / 0 (\S+)\n/.exec(await say(port, `GET 0 - none ${name}\n`))?.[1] ?? "";
}

plantedTest({
  name: "getFile does not take up what another user has put into a shared folder",
  async fn() {
    await using source = await Folder.make();
    await using here = await Folder.make();
    const content = noise(1_000);
    await source.write("file.bin", content);
    await using server = await serve(source);
    const { port } = server;
    for (const mode of [0o777, 0o1777]) {
      await Deno.chmod(here.path, mode); // without and with the sticky bit
      const note = `${await tagOf(port, "file.bin")} file.bin`;
      await using stranger = python(PLANTER, STRANGER, here.path, PART, NOTE, note);
      assertEquals(await stranger.line(), "ready");
      const output = here.at("x");
      // Without a checksum nothing but the owner tells the planted bytes from ours.
      const { resumedFrom } = await getFile("file.bin", { port, output, checksum: "none" });
      assertEquals(resumedFrom, 0);
      await stranger.type("\n");
      assertEquals(await stranger.line(), "written");
      assertEquals(await here.read("x"), content);
      assertEquals([(await Deno.stat(output)).uid, (await Deno.stat(output)).nlink], [0, 1]);
      assertEquals(await here.text(PART), "evilted"); // it is theirs, and stays
      assertEquals(await here.names(), [NOTE, PART, "x"]);
      for (const name of await here.names()) await Deno.remove(here.at(name));
    }
  },
});

rootTest({
  name: "getFile does not believe another user's note, and does not lose its own bytes to it",
  async fn() {
    await using source = await Folder.make();
    await using here = await Folder.make();
    const content = noise(1_000);
    await source.write("file.bin", content);
    await using server = await serve(source);
    const { port } = server;
    await here.write(PART, noise(500));
    await here.write(NOTE, `${await tagOf(port, "file.bin")} file.bin`);
    await Deno.chown(here.at(NOTE), STRANGER, null);
    const options = { port, output: here.at("x"), checksum: "none" as const };
    assertEquals((await getFile("file.bin", options)).resumedFrom, 0);
    assertEquals(await here.read("x"), content);
    assertEquals(await here.names(), [NOTE, "x"]);
  },
});

/** What may lie under the name, so that others can reach what is written there. */
const TRAPS: Record<string, (here: Folder) => Promise<void>> = {
  async "a file that the group may write to"(here) {
    await here.write(PART, noise(500));
    await Deno.chmod(here.at(PART), 0o664);
  },
  async "a file with a second name"(here) {
    await here.write("victim", "precious");
    await Deno.link(here.at("victim"), here.at(PART));
  },
  async "a link"(here) {
    await here.write("victim", "precious");
    await Deno.symlink("victim", here.at(PART));
  },
  async "a link to nothing"(here) {
    await Deno.symlink("victim", here.at(PART));
  },
  async "a pipe"(here) {
    await new Deno.Command("mkfifo", { args: [here.at(PART)] }).output();
  },
  async "a folder"(here) {
    await Deno.mkdir(here.at(PART));
  },
};

for (const [trap, set] of Object.entries(TRAPS)) {
  Deno.test(`getFile makes a file of its own where ${trap} is in the way`, async () => {
    await using source = await Folder.make();
    await using here = await Folder.make();
    const content = noise(1_000);
    await source.write("file.bin", content);
    await using server = await serve(source);
    const { port } = server;
    await set(here);
    await here.write(NOTE, `${await tagOf(port, "file.bin")} file.bin`);
    const options = { port, output: here.at("x"), checksum: "none" as const };
    assertEquals((await getFile("file.bin", options)).resumedFrom, 0);
    assertEquals(await here.read("x"), content);
    assertEquals((await Deno.lstat(here.at("x"))).nlink, 1);
    const names = await here.names();
    if (names.includes("victim")) assertEquals(await here.text("victim"), "precious");
    assertEquals(names.filter((name) => name.endsWith(".tincan-temp")), []);
  });
}

Deno.test("what grows is for its owner alone, and what is complete has a new file's permissions", async () => {
  await using source = await Folder.make();
  await using here = await Folder.make();
  const example = await here.write("example", "");
  const usual = (await Deno.stat(example)).mode;
  await Deno.remove(example);
  const begun = new Events<void>();
  const go = Promise.withResolvers<void>();
  await using server = serveLies(async (conn) => {
    await conn.write("OK 4 0 tag\nab");
    await go.promise;
    await conn.write("cdOK -\n");
  });
  const output = here.at("x");
  const getting = getFile("file", {
    port: server.port,
    output,
    checksum: "none",
    onProgress: () => begun.push(),
  });
  await begun.next();
  for (const name of [PART, NOTE]) {
    assertEquals((await Deno.stat(here.at(name))).mode! & 0o777, 0o600);
  }
  go.resolve();
  await getting;
  assertEquals((await Deno.stat(output)).mode, usual);
  await using store = await serve(source, { upload: {} });
  const conn = await Deno.connect({ port: store.port });
  await conn.write(encode("PUT 4 new none x\nab"));
  assertEquals(await readLine(conn), "OK 4 0 -");
  const [temporary = ""] = await source.names();
  assertEquals((await Deno.stat(source.at(temporary))).mode! & 0o777, 0o600);
  await conn.write(encode("cdOK -\n"));
  assertEquals(await readLine(conn), "OK -");
  conn.close();
  assertEquals((await Deno.stat(source.at("x"))).mode, usual);
});

Deno.test("getFile notices that someone else's file has taken the place of its own", async () => {
  await using here = await Folder.make();
  const begun = new Events<void>();
  const go = Promise.withResolvers<void>();
  await using server = serveLies(async (conn) => {
    await conn.write("OK 4 0 tag\nab");
    await go.promise;
    await conn.write("cdOK -\n");
  });
  const output = here.at("x");
  const getting = getFile("file", {
    port: server.port,
    output,
    checksum: "none",
    onProgress: () => begun.push(),
  });
  const failing = assertRejects(() => getting, FileTransferError);
  await begun.next();
  await Deno.rename(here.at(PART), here.at("moved"));
  await here.write(PART, "evil");
  go.resolve();
  const error = await failing;
  assertEquals(error.code, "disk");
  assertMatch(error.message, /someone else has replaced the file/);
  assert(!(await here.names()).includes("x"));
});

Deno.test("what killed processes have left is removed, and nothing else", async () => {
  await using folder = await Folder.make();
  const stale = `.a.${"0".repeat(16)}.tincan-temp`;
  const kept = [
    ".a.tincan-part", // of a download that can be resumed
    ".a.tincan-note",
    ".a.12345678.tincan-part",
    `.a.${"g".repeat(16)}.tincan-temp`, // not as we make them
    `a.${"0".repeat(16)}.tincan-temp`,
    `.a.${"1".repeat(16)}.tincan-temp`, // in use
    `.a.${"2".repeat(16)}.tincan-temp`, // with a second name
    "second",
  ];
  await folder.write(stale, "half");
  for (const name of kept.slice(0, -1)) await folder.write(name, "");
  await Deno.link(folder.at(kept.at(-2)!), folder.at("second"));
  using held = await Deno.open(folder.at(kept[5]!), { read: true, write: true });
  await held.lock(true);
  const link = `.a.${"3".repeat(16)}.tincan-temp`;
  await Deno.symlink("second", folder.at(link));
  kept.push(link);
  if (hasPeer("root")) {
    const theirs = `.a.${"4".repeat(16)}.tincan-temp`;
    await folder.write(theirs, "");
    await Deno.chown(folder.at(theirs), STRANGER, null);
    kept.push(theirs);
  }
  {
    await using _server = await serve(folder); // takes no uploads, and cleans up nothing
    assertEquals((await folder.names()).length, kept.length + 1);
  }
  await using _server = await serve(folder, { upload: {} });
  assertEquals(await folder.names(), kept.toSorted());
});
