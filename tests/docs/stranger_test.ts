/**
 * A stranger's path: what README says, from top to bottom, in a clean clone, by copying from it alone.
 */
import { type Page, readPage, ROOT } from "./_page.ts";
import { walk, walkTest } from "./_path.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";

const limit = { timeout: 300_000 };

/** The steps that a newcomer takes, in this order. */
const STEPS: [step: string, in_: RegExp][] = [
  ["write the server of ten lines", /^\/\/ server\.ts\n(?:.*\n){1,10}$/],
  ["run the echo server with Node alone", /^npx -y deno run -A examples\/tcp_echo\.ts\b/m],
  ["talk to it with nc", /^nc 127\.0\.0\.1 9999$/m],
  ["run the tests with Node alone", /^npx -y deno task test$/m],
  ["run it", /^deno run --allow-net server\.ts\b/m],
  ["frame it", /^\/\/ framed\.ts\n[^]*conn\.framed\(/],
  ["run that", /^deno run --allow-net framed\.ts\b/m],
  ["serve files", /^deno run -A examples\/file_transfer\.ts serve /m],
  ["send one", /^deno run -A examples\/file_transfer\.ts get /m],
  ["open a room", /^deno run -A examples\/tcp_chat\.ts # says/m],
  ["join it", /^deno run -A examples\/tcp_chat\.ts join /m],
  ["join it from another terminal", /^nc 127\.0\.0\.1 9999 # says/m],
];

const english = await readPage("README.md");
const chinese = await readPage("README.zh-CN.md");

for (const page of [english, chinese]) {
  Deno.test(`${page.path} has every step of a stranger's path, in its order`, () => {
    let from = 0;
    for (const [step, pattern] of STEPS) {
      const index = page.blocks.findIndex(({ code }, at) => at >= from && pattern.test(code));
      assertEquals(index >= from, true, `${page.path}: where does one ${step}?`);
      from = index + 1;
    }
  });
  walkTest(page)({
    ...limit,
    name: `${page.path}: a stranger follows it from top to bottom`,
    fn: () => walk(page),
  });
}

Deno.test("both READMEs have the same code and lead to the same places", () => {
  assertEquals(skeletonOf(chinese), skeletonOf(english));
});

/** What must not differ between the languages; comments in code may be translated. */
function skeletonOf(page: Page): unknown {
  const prose = page.text.replaceAll(/^```.*?^```$/gms, "");
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) =>
    target.replace("README.zh-CN.md", "README.md")
  );
  return {
    blocks: page.blocks.map(({ language, label, fate, code }) => ({
      language,
      fate,
      label: fate === "not run" ? "" : label,
      code: code.replaceAll(/ +(?:\/\/|# (?!says:)).*$/gm, ""),
    })),
    links: links.sort(),
    programs: [...prose.matchAll(/\b\w+\.ts\b/g)].map(([name]) => name).sort(),
    headings: prose.match(/^#+ /gm),
  };
}

Deno.test(".ci/run runs the command that README names for all tests", async () => {
  const script = await Deno.readTextFile(new URL(".ci/run", ROOT));
  const block = english.blocks.find(({ fate }) => fate === "not run");
  assertStringIncludes(script, `\n${block?.code}`);
});
