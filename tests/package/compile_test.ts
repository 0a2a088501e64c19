/**
 * The executables: what the tool says and does, what is embedded in each program, and, where the base
 * runtime can be had, whether the compiled `tincan` works.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { basename, dirname, join, relative } from "node:path";
import { readChecksums, sha256, updateChecksums } from "../../tools/checksums.ts";
import { linkedFolders, ROOT } from "../../tools/copy_project.ts";
import { type Program, PROGRAMS, runtimeFlags } from "../../tools/programs.ts";
import { executableName, TARGETS } from "../../tools/targets.ts";
import { testUnless, testWith } from "../_util/peers.ts";
import { compileTool, Embedded, standIn, whyNoExecutables } from "./_compile.ts";
import { graphOf } from "./_graph.ts";
import { run } from "./_launch.ts";
import { doTasks } from "./_tasks.ts";

const shaTest = testWith("sha256sum");

const limit = { timeout: 300_000 };

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tincan_compile_" });
  try {
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the platforms are those that Deno compiles for", async () => {
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["compile", "--target", "nowhere", "nothing.ts"],
    env: { NO_COLOR: "1" },
  }).output();
  const [, names = ""] = /possible values: ([\w, -]+)/.exec(new TextDecoder().decode(stderr)) ?? [];
  assertEquals(names.split(", ").sort(), [...TARGETS].sort());
});

Deno.test("executables are called after their program and platform", () => {
  const ending = Deno.build.os === "windows" ? ".exe" : "";
  assertEquals(executableName("tincan"), `tincan${ending}`);
  assertEquals(executableName("tincan", "aarch64-apple-darwin"), "tincan-aarch64-apple-darwin");
  assertEquals(
    executableName("relay", "x86_64-pc-windows-msvc"),
    "relay-x86_64-pc-windows-msvc.exe",
  );
});

Deno.test("every example can be compiled, and is listed", async () => {
  const { code, stdout } = await compileTool(["--list"]);
  assertEquals(code, 0);
  for await (const { name } of Deno.readDir(join(ROOT, "examples"))) {
    if (!name.endsWith(".ts")) continue;
    const program = PROGRAMS.get(basename(name, ".ts"));
    assertEquals(program?.entry, `examples/${name}`, `${name} is not in tools/programs.ts`);
    assertMatch(stdout, new RegExp(`^${basename(name, ".ts")} +--allow-`, "m"));
  }
  for (const target of TARGETS) assertStringIncludes(stdout, target);
});

for (
  const [args, complaint] of [
    [
      ["tcp_ecko"],
      /^NAME must be tincan, file_transfer, .*udp_echo, current value is "tcp_ecko"$/m,
    ],
    [["--target", "vax"], /^Option --target must be .*, current value is "vax"$/m],
    [["--all", "--target", "x86_64-apple-darwin"], /^Options --all and --target exclude each/m],
    [["--all"], /^Cannot build for 5 platforms from one base runtime: DENORT_BIN is ".*"/m],
  ] as const
) {
  Deno.test(`compile ${args.join(" ")} is wrong usage`, async () => {
    const { code, stdout, stderr } = await compileTool(args, Deno.execPath());
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, complaint);
  });
}

Deno.test(
  "a base runtime that is not there is an error of one line",
  limit,
  () =>
    inFolder(async (folder) => {
      const base = join(folder, "denort");
      const { code, stderr } = await compileTool(["tcp_echo", "--output", folder], base);
      assertEquals(code, 1);
      const [building, ...rest] = stderr.trim().split("\n");
      assertEquals(building, `building ${executableName("tcp_echo")}`);
      assertEquals(rest.length, 1, stderr);
      assertMatch(rest[0] ?? "", /^Cannot build .*tcp_echo\S* for \S+: .*denort/);
    }),
);

shaTest("checksums are those of the files that are there", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "one"), "one");
    await Deno.writeTextFile(join(folder, "two"), "two");
    await updateChecksums(folder, ["two", "one"]);
    await Deno.remove(join(folder, "one"));
    await Deno.writeTextFile(join(folder, "three"), "x".repeat(1_000_000));
    await updateChecksums(folder, ["three"]);
    const sums = await readChecksums(folder);
    assertEquals([...sums.keys()], ["three", "two"]);
    assertEquals(
      sums.get("two"),
      "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3",
    );
    if (Deno.build.os !== "linux") return; // others call the program otherwise
    const { code } = await new Deno.Command("sha256sum", {
      args: ["--check", "--strict", "--quiet", "SHA256SUMS"],
      cwd: folder,
    }).output();
    assertEquals(code, 0);
  }));

for (const [name, program] of PROGRAMS) {
  Deno.test(
    `${name} has everything embedded, and the permissions of the table`,
    limit,
    () =>
      inFolder(async (folder) => {
        const { code, stdout, stderr } = await compileTool(
          [name, "--output", folder],
          await standIn(),
        );
        assertEquals(code, 0, stderr);
        const file = join(folder, executableName(name));
        assertEquals(stdout.trim(), `${folder}/${executableName(name)}`);
        assertEquals(await readChecksums(folder), new Map([[basename(file), await sha256(file)]]));

        const embedded = new Embedded(file);
        assertEquals(embedded.start.entrypoint, program.entry);
        assertEquals(embedded.start.unstable, ["net"]);
        assertEquals(allowed(embedded), program.permissions.map(({ flag }) => flag).sort());

        const { files, packages } = await graphOf(program.entry, { types: false });
        assert(files.has(program.entry) && files.size > 10, "the search has found too little");
        const missing: string[] = [];
        for (const path of files.keys()) {
          const contents = await Deno.readFile(join(ROOT, path));
          if (!embedded.holds(basename(path), contents)) missing.push(path);
        }
        for (const nameAndVersion of packages) {
          const [, bare = ""] = /^(.+)@/.exec(nameAndVersion) ?? [];
          if (!embedded.names(basename(bare))) missing.push(nameAndVersion);
        }
        assertEquals(missing, []);
        // What only tests and benchmarks use stays outside.
        assertEquals(["fast-check", "split2"].filter((name) => embedded.names(name)), []);
      }),
  );
}

/** The permissions in an executable as flags, sorted. Nobody may be asked for more. */
function allowed({ start: { permissions } }: Embedded): string[] {
  assertEquals(permissions.prompt, false);
  const flags: string[] = [];
  for (const [key, value] of Object.entries(permissions)) {
    // From where modules may be imported is the runtime's own list, and nothing imports any.
    if (key === "prompt" || key === "allow_import" || value === null) continue;
    const flag = `--${key.replace("_", "-")}`;
    flags.push(Array.isArray(value) && value.length > 0 ? `${flag}=${value.join()}` : flag);
  }
  return flags.sort();
}

Deno.test(
  "tincan runs from what is embedded, and nothing else",
  limit,
  () =>
    inFolder(async (folder) => {
      const program = PROGRAMS.get("tincan") as Program;
      const files = [...(await graphOf(program.entry, { types: false })).files.keys()];
      const linked = (await linkedFolders()).map((folder) => `${relative(ROOT, folder)}/deno.json`);
      const configs = ["deno.json", ...linked];
      for (const path of new Set([...files, ...configs])) {
        await Deno.mkdir(join(folder, "alone", dirname(path)), { recursive: true });
        await Deno.copyFile(join(ROOT, path), join(folder, "alone", path));
      }
      const entry = join(folder, "alone", program.entry);
      const flags = ["--cached-only", "--no-lock", ...runtimeFlags(program)];
      await doTasks("tincan", [Deno.execPath(), "run", ...flags, entry]);
    }),
);

testUnless(await whyNoExecutables())({
  name: "the compiled tincan works",
  ...limit,
  fn: () =>
    inFolder(async (folder) => {
      const { code, stderr } = await compileTool(["--output", folder]);
      assertEquals(code, 0, stderr);
      const file = join(folder, executableName("tincan"));
      assertEquals((await readChecksums(folder)).get(basename(file)), await sha256(file));
      const { version } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
      assertStringIncludes(await run([file], ["--version"]), version);
      await doTasks("tincan", [file]);
    }),
});
