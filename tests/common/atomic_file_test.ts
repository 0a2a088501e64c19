import { assert, assertEquals, assertRejects } from "@std/assert";
import { AtomicFile, isTemporaryName, PlaceError } from "../../common/atomic_file.ts";

const isWindows = Deno.build.os === "windows";

/** A folder of its own, removed at the end. */
async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

async function make(target: string, text: string): Promise<AtomicFile> {
  const atomic = await AtomicFile.create(target);
  await atomic.file.write(new TextEncoder().encode(text));
  return atomic;
}

Deno.test("a file grows beside its target, for its owner alone, and gets its name when it is whole", async () => {
  await inFolder(async (folder) => {
    const target = `${folder}/page`;
    {
      await using atomic = await make(target, "hello");
      const [name = ""] = await namesIn(folder);
      assert(isTemporaryName(name), name);
      assertEquals(atomic.path, `${folder}/${name}`);
      if (!isWindows) assertEquals((await atomic.file.stat()).mode! & 0o777, 0o600);
      await atomic.place({ to: target, replace: false });
    }
    assertEquals(await namesIn(folder), ["page"]);
    assertEquals(await Deno.readTextFile(target), "hello");
    await Deno.writeTextFile(`${folder}/usual`, "");
    const modeOf = async (name: string) => (await Deno.stat(`${folder}/${name}`)).mode;
    assertEquals(await modeOf("page"), await modeOf("usual"));
  });
});

Deno.test("a file that does not get its name is removed", async () => {
  await inFolder(async (folder) => {
    await (await make(`${folder}/page`, "hel"))[Symbol.asyncDispose]();
    assertEquals(await namesIn(folder), []);
  });
});

Deno.test("what is there is replaced only if it may be, and only a regular file", async () => {
  await inFolder(async (folder) => {
    const target = `${folder}/page`;
    await Deno.writeTextFile(target, "old");
    {
      await using atomic = await make(target, "new");
      const error = await assertRejects(
        () => atomic.place({ to: target, replace: false }),
        PlaceError,
        "it exists already",
      );
      assertEquals(error.code, "exists");
    }
    assertEquals(await Deno.readTextFile(target), "old");
    {
      await using atomic = await make(target, "new");
      await atomic.place({ to: target, replace: true, mode: 0o640 });
    }
    assertEquals(await Deno.readTextFile(target), "new");
    if (!isWindows) assertEquals((await Deno.stat(target)).mode! & 0o777, 0o640);
    await Deno.mkdir(`${folder}/inner`);
    await using atomic = await make(`${folder}/inner`, "new");
    const place = () => atomic.place({ to: `${folder}/inner`, replace: true });
    assertEquals((await assertRejects(place, PlaceError)).code, "not_a_file");
  });
});

Deno.test("a file that someone else has replaced gets no name", async () => {
  await inFolder(async (folder) => {
    const target = `${folder}/page`;
    await using atomic = await make(target, "ours");
    await Deno.remove(atomic.path);
    await Deno.writeTextFile(atomic.path, "theirs");
    const place = () => atomic.place({ to: target, replace: true });
    assertEquals((await assertRejects(place, PlaceError)).code, "replaced");
    assertEquals((await namesIn(folder)).includes("page"), false);
  });
});

Deno.test("a long name gets a temporary name, too", async () => {
  await inFolder(async (folder) => {
    const target = `${folder}/${"ä".repeat(120)}`;
    await using atomic = await make(target, "");
    await atomic.place({ to: target, replace: true });
  });
});
