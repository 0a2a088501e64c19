/** What ships: the modules that somebody can import, what they need, and nothing else. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ROOT } from "../../tools/copy_project.ts";
import { graphOf } from "./_graph.ts";
import { pack, type Packed, readPacked } from "./_pack.ts";

const limit = { timeout: 120_000 };

/** What ships besides the modules. */
const BESIDES = ["LICENSE", "README.md", "deno.json"];

/** Every module that the entry points lead to, types included, and what it imports. */
async function reachable(entries: readonly string[]): Promise<Map<string, readonly string[]>> {
  const modules = new Map<string, readonly string[]>();
  for (const entry of entries) {
    const { files } = await graphOf(entry, { types: true });
    for (const [path, imports] of files) modules.set(path, imports);
  }
  return modules;
}

/** The rehearsal that the tests of this file share. */
let rehearsal: Promise<Packed> | undefined;

Deno.test.afterAll(async () => {
  await (await rehearsal)?.[Symbol.asyncDispose]();
});

Deno.test(
  "the package is what its entry points lead to, a licence and a README",
  limit,
  async () => {
    const packed = await (rehearsal ??= pack());
    const modules = await reachable(Object.values(packed.exports));
    assert(modules.size > 50, "the search has found too little");
    assertEquals(packed.files, [...BESIDES, ...modules.keys()].sort());
  },
);

Deno.test("the package depends on nothing but Deno", async () => {
  const { exports } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  for (const [path, imports] of await reachable(Object.values(exports))) {
    for (const specifier of imports) {
      assertMatch(specifier, /^\.{1,2}\/|^node:/, `${path} imports ${specifier}`);
    }
  }
});

Deno.test("the publication is clean: no slow types, no warnings, no links", limit, async () => {
  const packed = await (rehearsal ??= pack());
  assertMatch(packed.output, /Checking for slow types in the public API/);
  assertMatch(packed.output, /Dry run complete/);
  const remarks = packed.output.split("\n").filter((line) => /warn|error|slow-type/i.test(line));
  assertEquals(remarks.filter((line) => !/\bfile:\S+\.ts |^Check /.test(line)), []);
  const decoder = new TextDecoder();
  assertMatch(decoder.decode(await readPacked(packed, "LICENSE")), /^MIT License/);
  for (const key of ["name", "version", "license", "description", "exports"]) {
    assert(key in JSON.parse(decoder.decode(await readPacked(packed, "deno.json"))), key);
  }
});

interface DocNode {
  readonly "module_doc"?: { readonly doc?: string; readonly tags?: readonly { kind: string }[] };
}

Deno.test("every entry point says what it is for, with an example", limit, async () => {
  const { exports } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  for (const entry of Object.values<string>(exports)) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["doc", "--json", entry],
      cwd: ROOT,
    }).output();
    const { nodes } = JSON.parse(new TextDecoder().decode(stdout));
    const [{ "module_doc": doc }] = Object.values<DocNode>(nodes) as [DocNode];
    assert((doc?.doc ?? "").length > 60, `${entry} has no module documentation`);
    assert(doc?.tags?.some(({ kind }) => kind === "example"), `${entry} has no example`);
  }
});

Deno.test("the front page names every entry point", async () => {
  const { name, exports } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const [frontPage = ""] = (await Deno.readTextFile(`${ROOT}mod.ts`)).split("@module");
  for (const entry of Object.keys(exports)) {
    assert(frontPage.includes(`\`${name}${entry.slice(1)}\``), `mod.ts says nothing of ${entry}`);
  }
});
