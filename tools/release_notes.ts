/**
 * Prints what CHANGELOG.md says about a release, after a check that its tag is the version in deno.json.
 *
 *     deno run -A tools/release_notes.ts v0.1.0
 */
import { join } from "node:path";
import { readConfig, ROOT } from "./copy_project.ts";
import { operand, section } from "../terminal/arguments.ts";
import { defineProgram, printData, runProgram, UsageError } from "../terminal/program.ts";
import { text } from "../terminal/values.ts";

await runProgram(defineProgram({
  name: "release_notes.ts",
  summary: "Prints the notes of a release, from CHANGELOG.md.",
  usage: ["TAG"],
  fields: section("Arguments", {
    tag: operand(text("TAG"), '"v" and the version in deno.json, such as v0.1.0'),
  }),
  notes:
    `The notes are what stands in CHANGELOG.md under "## VERSION", perhaps with a date after it.`,
  examples: ["deno run -A tools/release_notes.ts v0.1.0"],
  main: printNotes,
}));

async function printNotes({ tag }: { tag: string | undefined }): Promise<void> {
  if (tag === undefined) throw new UsageError("Name one tag, such as v0.1.0");
  const { version } = await readConfig();
  if (tag !== `v${version}`) {
    throw new Error(`Cannot release ${tag}: the version in deno.json is "${version}"`);
  }
  const changes = await Deno.readTextFile(join(ROOT, "CHANGELOG.md"));
  const sections = changes.split(/^## /m).slice(1);
  const section = sections.find((text) =>
    text.split(/\s/, 1)[0]?.replace(/[[\]]/g, "") === version
  );
  const notes = section?.slice(section.indexOf("\n")).trim();
  if (!notes) {
    throw new Error(`Cannot release ${tag}: CHANGELOG.md has nothing under "## ${version}"`);
  }
  await printData(`${notes}\n`);
}
