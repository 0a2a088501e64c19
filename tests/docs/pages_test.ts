/** The pages hold what they promise: their code runs as it stands there, and their links lead somewhere. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Page, pagePaths, parsePage, readPage, ROOT } from "./_page.ts";
import { testAll, walk, walkTest } from "./_path.ts";

const limit = { timeout: 300_000 };
/** `stranger_test.ts` walks through these. */
const FRONT_DOORS = ["README.md", "README.zh-CN.md"];

for (const path of await pagePaths()) {
  const page = await readPage(path);
  const { blocks } = page;
  const isWalk = blocks.some(({ fate, language }) =>
    fate === "terminal" || (fate === "run" && language !== "ts")
  );
  if (isWalk && !FRONT_DOORS.includes(path)) {
    walkTest(page)({
      ...limit,
      name: `${path}: its commands, from top to bottom`,
      fn: () => walk(page),
    });
  }
  Deno.test(`${path}: no block is left out in silence`, async () => {
    const sources = await testSources();
    for (const { fate, label, line } of blocks) {
      const place = `${path}, line ${line}: ${label}`;
      const takes = (call: string) =>
        sources.some((source) =>
          source.includes(`readPage("${path}")`) && source.includes(`${call}(page, "${label}")`)
        );
      if (fate === "named") assert(takes("blockOf"), `${place}: no test takes it`);
      if (fate !== "file") continue;
      const isUsed = blocks.some((other) =>
        other.code.includes(label) && other.line !== line && other.fate !== "not run"
      );
      assert(isUsed || takes("fileOf"), `${place}: nothing uses the file`);
    }
  });
  Deno.test(`${path}: what it links to is there`, async () => {
    for (const target of linksIn(page.text)) {
      const [file = "", anchor] = target.split("#");
      const url = new URL(file === "" ? path : new URL(file, new URL(path, ROOT)), ROOT);
      assert(await exists(url), `${path} links to ${target}, which is not there`);
      if (anchor === undefined || !url.pathname.endsWith(".md")) continue;
      const anchors = anchorsIn(await Deno.readTextFile(url));
      assert(anchors.has(anchor), `${path} links to ${target}: no such heading`);
    }
  });
  Deno.test(`${path}: the commands in its sentences can be run`, async () => {
    const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
    for (const [, words = ""] of withoutBlocks(page.text).matchAll(/`([^`]+)`/g)) {
      const [, task] = /^(?:npx -y )?deno task ([\w-]+)/.exec(words) ?? [];
      assert(task === undefined || task in tasks, `${path}: there is no task ${task}`);
      for (const [script] of words.matchAll(/(?<![\w/])(?:examples|cli|bench|tools)\/\w+\.ts/g)) {
        if (script.includes("NAME")) continue;
        assert(await exists(new URL(script, ROOT)), `${path}: there is no ${script}`);
      }
    }
  });
}

Deno.test("the ts blocks of all pages run, and their types are right", limit, async () => {
  const pages: Page[] = [];
  for (const path of await pagePaths()) pages.push(await readPage(path));
  const { code, output, count } = await testAll(pages);
  assertEquals(code, 0, output);
  assert(count > 40, `the pages have more than ${count} blocks`);
  assertStringIncludes(output, `ok | ${count} passed | 0 failed`);
});

Deno.test("what the pages say of the programs' options is what --help says", async () => {
  const said = new Map<string, Set<string>>();
  for (const path of await pagePaths()) {
    const { text, blocks } = await readPage(path);
    const inline = [...withoutBlocks(text).matchAll(/`([^`]+)`/g)].map(([, words = ""]) => words);
    const scripts = blocks.filter(({ language }) => language === "sh").map(({ code }) => code);
    for (const line of [...inline, ...scripts].flatMap((code) => code.split("\n"))) {
      const [, name, words = ""] = /\b(?:examples|cli)\/(\w+\.ts)(.*)/.exec(line) ?? [];
      if (name === undefined) continue;
      const folder = line.includes("cli/") ? "cli" : "examples";
      const options = said.get(`${folder}/${name}`) ?? new Set();
      for (const [option] of words.split(" # ")[0]!.matchAll(/--[a-z][\w-]*/g)) options.add(option);
      said.set(`${folder}/${name}`, options);
    }
  }
  assert(said.size > 5, `the pages name few programs: ${[...said.keys()]}`);
  for (const [script, options] of said) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", new URL(script, ROOT).pathname, "--help"],
    }).output();
    const help = new TextDecoder().decode(stdout);
    const wrong = [...options].filter((option) => !new RegExp(`${option}\\b`).test(help));
    assertEquals(wrong, [], `${script} --help does not have them`);
  }
});

Deno.test("every page can be reached from README.md", async () => {
  const seen = new Set<string>();
  const visit = async (path: string): Promise<void> => {
    if (seen.has(path)) return;
    seen.add(path);
    const { text } = await readPage(path);
    for (const target of linksIn(text)) {
      const [file = ""] = target.split("#");
      const next = new URL(file, new URL(path, ROOT)).href.slice(ROOT.href.length);
      if (next.endsWith(".md")) await visit(next);
    }
  };
  await visit("README.md");
  assertEquals((await pagePaths()).filter((path) => !seen.has(path)), []);
});

const WRONG: [string, RegExp][] = [
  ["```sh\nls\n", /does not begin or does not end/],
  ["```rust\nlet x;\n```\n", /language "rust"/],
  ["```\nls\n```\n", /language ""/],
  ["```sh ignore\nls\n```\n", /what is "ignore"/],
  ["```sh not-run=x\nls\n```\n", /say why/],
  ["```json\n{}\n```\n", /no file and has no name/],
];
for (const [text, message] of WRONG) {
  Deno.test(`a page with ${JSON.stringify(text)} is not taken`, () => {
    const error = assertThrows(() => parsePage("page.md", text), Error);
    assert(message.test(error.message), error.message);
  });
}

/** The sources of all tests. */
async function testSources(folder: URL = new URL("tests/", ROOT)): Promise<string[]> {
  const sources: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) sources.push(...await testSources(new URL(`${name}/`, folder)));
    else if (name.endsWith("_test.ts")) {
      sources.push(await Deno.readTextFile(new URL(name, folder)));
    }
  }
  return sources;
}

/** The links of a page that stay within the project. */
function linksIn(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors that the headings of a page get. */
function anchorsIn(text: string): Set<string> {
  return new Set(
    [...withoutBlocks(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").trim().replaceAll(" ", "-")
    ),
  );
}

function withoutBlocks(text: string): string {
  return text.replaceAll(/^( *)```.*?^\1```$/gms, "");
}

async function exists(url: URL): Promise<boolean> {
  try {
    await Deno.stat(url);
    return true;
  } catch {
    return false;
  }
}
