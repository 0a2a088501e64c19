/** The benchmark page: drawn from what a run recorded, and from nothing else. */
import { renderPage, sortNames } from "../../bench/_page.ts";
import { plot } from "../../bench/_plot.ts";
import type { Run } from "../../bench/_record.ts";
import { parsePage } from "../docs/_page.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { testWith } from "../_util/peers.ts";

const pythonTest = testWith("python3");

const ROOT = new URL("../../", import.meta.url);
const DOCS = new URL("docs/", ROOT);

const SAMPLE: Run = {
  date: "2026-01-31",
  quick: false,
  minutes: 11.5,
  machine: { processor: "2 cores, some model", nc: "1.2", Deno: "2.9.6" },
  benches: [{
    name: "relay",
    args: ["--rounds", "3"],
    about: "The relay beside socat.\n\nTurns alternate.",
    tables: [{
      title: 'bulk | "1 GiB" <fast> & *sure*',
      head: ["through", "MiB/s", "of socat"],
      rows: [["socat", "1000", "1.00"], ["relay <a|b> & c", "25000", "2.50"], [
        "none",
        "500",
        "0.5",
      ]],
      lessIsBetter: false,
    }, {
      title: "start",
      head: ["through", "ms"],
      rows: [["socat", "2"], ["relay", ""]],
      lessIsBetter: true,
    }],
  }],
};

Deno.test("the page has every table, and says on what and when it was measured", () => {
  const text = renderPage(SAMPLE);
  const page = parsePage("docs/benchmarks.md", text);
  assertEquals(page.blocks.length, 1);
  for (
    const part of [
      "| date | 2026-01-31 |",
      "| it took | 11.5 minutes |",
      "| processor | 2 cores, some model |",
      "## Relay\n\n`deno run -A bench/relay_bench.ts --rounds 3`\n\nThe relay beside socat.\n\nTurns",
      "](benchmarks/relay.svg)",
      '**bulk \\| "1 GiB" \\<fast\\> & \\*sure\\***',
      "| through | MiB/s | of socat |\n| --- | ---: | ---: |\n| socat | 1000 | 1.00 |",
      "| relay \\<a\\|b\\> & c | 25,000 | 2.50 |",
      "**Only ratios mean anything elsewhere.**",
    ]
  ) assertStringIncludes(text, part);
  assert(!text.includes("a quick one"));
  assertStringIncludes(renderPage({ ...SAMPLE, quick: true }), "**This run was a quick one");
});

/** Reads an SVG with a real parser: the widths of its bars, its texts, its styles. */
const READ_SVG = `
import json, sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.read())
name = lambda tag: "{http://www.w3.org/2000/svg}" + tag
print(json.dumps({
    "bars": [[bar.get("class"), float(bar.get("width"))] for bar in root.iter(name("rect"))],
    "texts": [text.text for text in root.iter(name("text"))],
    "style": root.find(name("style")).text,
    "height": float(root.get("height")),
    "lowest": max(float(text.get("y")) for text in root.iter(name("text"))),
}))
`;

pythonTest("the plot is SVG, with bars as long as the figures, for light and dark", async () => {
  const child = new Deno.Command("python3", {
    args: ["-c", READ_SVG],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const [bench] = SAMPLE.benches;
  await writer.write(new TextEncoder().encode(plot(bench!)));
  await writer.close();
  const svg = JSON.parse(new TextDecoder().decode((await child.output()).stdout));
  const [socat, relay, none] = svg.bars as [string, number][];
  assertEquals([socat![0], relay![0], none![0]], ["control", "measured", "measured"]);
  assertEquals(Math.round(relay![1] / socat![1]), 25);
  assertEquals(Math.round(socat![1] / none![1]), 2);
  assertEquals(svg.bars.length, 5);
  for (
    const text of [
      'bulk | "1 GiB" <fast> & *sure*',
      "relay <a|b> & c",
      "25,000",
      "MiB/s, more is better",
      "ms, less is better",
    ]
  ) assert(svg.texts.includes(text), `${text} is not in ${svg.texts}`);
  assertStringIncludes(svg.style, "@media (prefers-color-scheme: dark)");
  assert(svg.lowest < svg.height, "the last line is cut off");
});

Deno.test("the page in docs/ is of a run of every benchmark, and what that run recorded", async () => {
  const record = await Deno.readTextFile(new URL("benchmarks/run.json", DOCS));
  const run: Run = JSON.parse(record);
  const names: string[] = [];
  for await (const { name } of Deno.readDir(new URL("bench/", ROOT))) {
    if (name.endsWith("_bench.ts")) names.push(name.slice(0, -"_bench.ts".length));
  }
  const measured = run.benches.map(({ name }) => name);
  assertEquals(measured, sortNames(names), "run deno task bench");
  for (const { name, tables } of run.benches) {
    assert(tables.length > 0, `${name} has no table`);
    for (const { title, rows } of tables) assert(rows.length > 1, `${title} has no control`);
  }
  assertEquals(record.match(/\/(?:home|root|tmp|Users)\//g), null, "it names paths");
  const folder = await Deno.makeTempDir({ prefix: "tincan_bench_page_" });
  try {
    await Deno.writeTextFile(`${folder}/benchmarks.md`, renderPage(run));
    for (const bench of run.benches) {
      await Deno.writeTextFile(`${folder}/${bench.name}.svg`, plot(bench));
    }
    const config = `--config=${ROOT.pathname}deno.json`;
    await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", config, folder] }).output();
    const formatted = (name: string) => Deno.readTextFile(`${folder}/${name}`);
    const advice = "deno task bench --render";
    const page = await Deno.readTextFile(new URL("benchmarks.md", DOCS));
    assertEquals(page, await formatted("benchmarks.md"), advice);
    for (const { name } of run.benches) {
      const drawn = await Deno.readTextFile(new URL(`benchmarks/${name}.svg`, DOCS));
      assertEquals(drawn, await formatted(`${name}.svg`), advice);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the runner names what it does not know", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("bench/run.ts", ROOT).pathname, "--quik"],
  }).output();
  assertEquals(code, 2);
  assertStringIncludes(new TextDecoder().decode(stderr), "Unknown argument --quik");
});

Deno.test("every benchmark hands on what it prints, and begins with what it is", async () => {
  for await (const { name } of Deno.readDir(new URL("bench/", ROOT))) {
    if (!name.endsWith("_bench.ts")) continue;
    const source = await Deno.readTextFile(new URL(`bench/${name}`, ROOT));
    assert(/\b(?:printTable|compareEcho)\(/.test(source), `${name} prints no table`);
    assert(/^\/\*\*\n \* [^]*?\n \* {5}deno run -A bench\/\w+_bench\.ts/.test(source), name);
  }
});
