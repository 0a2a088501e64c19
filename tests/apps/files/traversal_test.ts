/** Nothing outside the folder is read, listed or written, whatever a client asks for. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { python, testWith } from "../../_util/peers.ts";
import { encode, Folder, say, serve } from "./_harness.ts";

const pythonTest = testWith("python3");

const SECRET = "the secret of this machine";

/** A folder to serve inside one that must not be seen. */
async function makeTree(outer: Folder): Promise<string> {
  await outer.write("secret.txt", SECRET);
  await outer.write("outside/secret.txt", SECRET);
  await outer.write("served/a.txt", "inside");
  await outer.write("served/sub/b.txt", "further inside");
  await outer.write("served/.hidden", "dot");
  await outer.write("served/.folder/c.txt", "dot");
  await outer.write("served-too/secret.txt", SECRET); // its path begins like the served one's
  const served = outer.at("served");
  const links: Record<string, string> = {
    "link-in": "a.txt",
    "link-folder-in": "sub",
    "link-absolute-in": `${served}/a.txt`,
    "link-out": "../secret.txt",
    "link-absolute-out": outer.at("secret.txt"),
    "link-folder-out": "../outside",
    "link-beside": "../served-too",
    "link-twice": "link-out",
    "link-up-and-down": "../served/../secret.txt",
    "link-dangling": "nowhere",
    "link-loop": "link-loop",
    "link-hidden": ".hidden",
    "sub/link-up": "../../secret.txt",
  };
  for (const [name, target] of Object.entries(links)) {
    await Deno.symlink(target, `${served}/${name}`);
  }
  const { success } = await new Deno.Command("mkfifo", { args: [`${served}/pipe`] }).output();
  assert(success);
  return served;
}

const NAMES: readonly [string, RegExp][] = [
  ["../secret.txt", /^NO bad_name/],
  ["..", /^NO bad_name/],
  [".", /^NO bad_name/],
  ["", /^NO bad_name/],
  ["/etc/passwd", /^NO bad_name/],
  ["//etc/passwd", /^NO bad_name/],
  ["sub/../../secret.txt", /^NO bad_name/],
  ["sub/../a.txt", /^NO bad_name/],
  ["./a.txt", /^NO bad_name/],
  ["sub//b.txt", /^NO bad_name/],
  ["sub/", /^NO bad_name/],
  ["a.txt/", /^NO bad_name/],
  ["a.txt/b", /^NO not_found/],
  ["a.txt\0", /^NO bad_name/],
  ["a.txt\0.png", /^NO bad_name/],
  ["a.txt\x1b[2J", /^NO bad_name/],
  ["a\rb", /^NO bad_name/],
  ["a\u0085b", /^NO bad_name/],
  ["x".repeat(256), /^NO bad_name/],
  ["x/".repeat(2_100) + "x", /^NO bad_name/],
  ["x/".repeat(1_000) + "x", /^NO not_found/],
  ["%2e%2e/secret.txt", /^NO not_found/],
  ["%2e%2e%2fsecret.txt", /^NO not_found/],
  ["..%2fsecret.txt", /^NO not_found/],
  ["..%c0%afsecret.txt", /^NO not_found/],
  ["%252e%252e%252fsecret.txt", /^NO not_found/],
  ["..\\secret.txt", /^NO not_found/],
  ["..\u2215secret.txt", /^NO not_found/],
  ["\uff0e\uff0e/secret.txt", /^NO not_found/],
  ["file:///etc/passwd", /^NO bad_name/],
  ["~/secret.txt", /^NO not_found/],
  ["link-out", /^NO not_found/],
  ["link-absolute-out", /^NO not_found/],
  ["link-folder-out/secret.txt", /^NO not_found/],
  ["link-folder-out/nothing", /^NO not_found/],
  ["link-folder-out", /^NO not_found/],
  ["link-beside/secret.txt", /^NO not_found/],
  ["link-twice", /^NO not_found/],
  ["link-up-and-down", /^NO not_found/],
  ["link-dangling", /^NO not_found/],
  ["link-loop", /^NO not_found/],
  ["link-hidden", /^NO not_found/],
  ["sub/link-up", /^NO not_found/],
  [".hidden", /^NO not_found/],
  [".folder/c.txt", /^NO not_found/],
  [".nothing", /^NO not_found/],
  ["pipe", /^NO not_a_file/],
  ["sub", /^NO not_a_file/],
  ["link-folder-in", /^NO not_a_file/],
];

Deno.test("GET never leaves the folder", async (t) => {
  await using outer = await Folder.make();
  await using server = await serve(await makeTree(outer));
  for (const [name, answer] of NAMES) {
    await t.step(JSON.stringify(name.slice(0, 40)), async () => {
      const said = await say(server.port, `GET 0 - sha256 ${name}\n`);
      assertMatch(said, answer);
      assertMatch(said, /^[^\n]*\n$/); // one line and not a byte more
    });
  }
  const invalid = [
    ...encode("GET 0 - sha256 "),
    0xc0,
    0xae,
    0xc0,
    0xae,
    0x2f,
    ...encode("secret.txt\n"),
  ];
  assertMatch(await say(server.port, new Uint8Array(invalid)), /^NO not_found/);
  // What is inside is served, by its name or by a link.
  for (const name of ["a.txt", "link-in", "link-absolute-in"]) {
    assertStringIncludes(await say(server.port, `GET 0 - sha256 ${name}\n`), "\ninside");
  }
  for (const name of ["sub/b.txt", "link-folder-in/b.txt"]) {
    assertStringIncludes(await say(server.port, `GET 0 - sha256 ${name}\n`), "\nfurther inside");
  }
});

Deno.test("LIST never leaves the folder", async () => {
  await using outer = await Folder.make();
  await using server = await serve(await makeTree(outer));
  for (const [name] of NAMES) {
    if (name === "" || name === "sub" || name === "link-folder-in") continue; // folders inside
    const said = await say(server.port, `LIST ${name}\n`);
    assertMatch(said, /^NO [^\n]*\n$/, name);
  }
});

Deno.test("PUT never leaves the folder, and takes no hidden names", async () => {
  await using outer = await Folder.make();
  const served = await makeTree(outer);
  await using server = await serve(served, { upload: { replace: true } });
  const before = await tree(outer.path);
  const targets = [
    "../new.txt",
    "/tmp/new.txt",
    "sub/../../new.txt",
    "link-folder-out/new.txt",
    "link-beside/new.txt",
    "link-out",
    "link-in",
    "link-dangling",
    "nowhere/new.txt",
    ".new",
    ".folder/new",
    ".x.tincan-part",
    "pipe",
    "sub",
    "a.txt/new",
    "sub/new.txt",
    "link-folder-in/new.txt",
    "%2e%2e/new.txt",
    "new\0.txt",
  ];
  for (const name of targets) {
    for (const mode of ["new", "replace"]) {
      const said = await say(server.port, `PUT 3 ${mode} none ${name}\nabcOK -\n`);
      assertMatch(said, /^NO (bad_name|not_found|not_a_file|exists) /, `${mode} ${name}`);
    }
  }
  assertEquals(await tree(outer.path), before);
});

Deno.test("hidden files are served where that is asked for, growing ones never", async () => {
  await using folder = await Folder.make();
  await folder.write(".hidden", "dot");
  await folder.write(".a.txt.tincan-part", "half");
  await folder.write(".a.txt.tincan-note", "note");
  await using server = await serve(folder, { hidden: true, upload: {} });
  assertStringIncludes(await say(server.port, "GET 0 - none .hidden\n"), "dot");
  assertMatch(await say(server.port, "LIST\n"), /^OK \d+ 0 -\n3 \S+ \.hidden\nOK -\n$/);
  assertMatch(await say(server.port, "GET 0 - none .a.txt.tincan-part\n"), /^NO not_found/);
  assertMatch(await say(server.port, "PUT 0 new none .b.tincan-note\nOK -\n"), /^NO not_found/);
});

Deno.test("devices and sockets are refused", async () => {
  await using folder = await Folder.make();
  using _listener = Deno.listen({ transport: "unix", path: folder.at("socket") });
  await using server = await serve(folder);
  assertMatch(await say(server.port, "GET 0 - none socket\n"), /^NO not_a_file/);
  const made = await new Deno.Command("mknod", { args: [folder.at("zero"), "c", "1", "5"] })
    .output();
  if (!made.success) return; // only root may
  assertMatch(await say(server.port, "GET 0 - none zero\n"), /^NO not_a_file/);
  assertEquals(await say(server.port, "LIST\n"), "OK 0 0 -\nOK -\n");
});

/** Exchanges a folder for a link that leads out, and back, as fast as it can. */
const SWAPPER = `
import os, sys
os.chdir(sys.argv[1])
print("ready", flush=True)
while True:
    os.rename("door", "room"); os.rename("trap", "door")
    os.rename("door", "trap"); os.rename("room", "door")
`;

pythonTest("a folder that is exchanged for a link all the time does not lead out", async () => {
  await using outer = await Folder.make();
  await outer.write("served/door/secret.txt", "harmless");
  await outer.write("outside/secret.txt", SECRET);
  await Deno.symlink("../outside", outer.at("served/trap"));
  await using server = await serve(outer.at("served"));
  {
    await using swapper = python(SWAPPER, outer.at("served"));
    await swapper.line();
    for (let round = 0; round < 250; round++) {
      const ask = () => say(server.port, "GET 0 - none door/secret.txt\n");
      for (const said of await Promise.all(Array.from({ length: 16 }, ask))) {
        assert(!said.includes(SECRET), said);
      }
    }
    swapper.kill();
    await swapper.status;
  }
  const names = await outer.names("served");
  const room = names.includes("room") ? "room" : "door";
  assertStringIncludes(await say(server.port, `GET 0 - none ${room}/secret.txt\n`), "harmless");
});

/** All paths below a folder. */
async function tree(path: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    paths.push(`${path}/${name}`);
    if (isDirectory) paths.push(...await tree(`${path}/${name}`));
  }
  return paths.sort();
}
