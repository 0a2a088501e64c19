/** The code in the documents works as it stands there. */
import { assert, assertEquals } from "@std/assert";
import { DOCS, type Page, readPage, run, runTests, unpack } from "./_page.ts";

const limit = { timeout: 120_000 };

/** Pages whose code has tests of its own, with what it needs around it: peers, folders, a terminal. */
const TESTED_ELSEWHERE = new Set([
  "chat.md",
  "files.md",
  "http.md",
  "quic.md",
  "relay.md",
  "scan.md",
  "tincan.md",
]);

for await (const { name } of Deno.readDir(DOCS)) {
  if (!name.endsWith(".md")) continue;
  const page = await readPage(name);
  const blocks = TESTED_ELSEWHERE.has(name) ? [] : page.blocks;
  const runs = blocks.filter(({ ignored, file }) => !ignored && file === null);
  const isTs = runs.some(({ language }) => language === "ts");
  Deno.test({
    ...limit,
    name: `docs/${name}: every ts block runs`,
    ignore: !isTs,
    fn: () =>
      inFolder(page, async (folder) => {
        const { code, output } = await runTests(folder);
        assertEquals(code, 0, output);
      }),
  });
  for (const block of runs) {
    const { language, line, code } = block;
    if (language !== "sh" && language !== "python") continue;
    const command = language === "sh" ? ["sh", "-euc", code] : ["python3", "-c", code];
    Deno.test(
      `docs/${name}, line ${line}: ${language}`,
      limit,
      () =>
        inFolder(page, async (folder) => {
          const outcome = await run(command, folder);
          assertEquals(outcome.code, 0, outcome.output);
        }),
    );
  }
  Deno.test(`docs/${name}: what it links to is there`, async () => {
    for (const target of linksIn(page.text)) {
      const [path = "", anchor] = target.split("#");
      const url = new URL(path === "" ? name : path, DOCS);
      assert(await exists(url), `${name} links to ${target}, which is not there`);
      if (anchor === undefined || !url.pathname.endsWith(".md")) continue;
      const anchors = anchorsIn(await Deno.readTextFile(url));
      assert(anchors.has(anchor), `${name} links to ${target}: no such heading`);
    }
  });
}

async function inFolder(page: Page, act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await unpack(page);
  try {
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The links of a page that stay within the project. */
function linksIn(text: string): string[] {
  const prose = text.replaceAll(/^```.*?^```$/gms, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors that the headings of a page get. */
function anchorsIn(text: string): Set<string> {
  const prose = text.replaceAll(/^```.*?^```$/gms, "");
  return new Set(
    [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").trim().replaceAll(" ", "-")
    ),
  );
}

async function exists(url: URL): Promise<boolean> {
  try {
    await Deno.stat(url);
    return true;
  } catch {
    return false;
  }
}
