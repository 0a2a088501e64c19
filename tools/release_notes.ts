/**
 * Prints what CHANGELOG.md says about a release, after a check that its tag is the version in deno.json.
 *
 *     deno run -A tools/release_notes.ts v0.1.0
 */
import { join } from "node:path";
import { readConfig, ROOT } from "./copy_project.ts";
import { printData, type ProgramArguments, runProgram, UsageError } from "../terminal/program.ts";

const HELP = `Prints the notes of a release, from CHANGELOG.md.

Usage: release_notes.ts TAG

TAG is "v" and the version in deno.json. The notes are what stands in CHANGELOG.md
under "## VERSION", perhaps with a date behind it.

Example:
  deno run -A tools/release_notes.ts v0.1.0
`;

await runProgram({ name: "release_notes.ts", help: HELP, main: printNotes });

async function printNotes({ rest }: ProgramArguments): Promise<void> {
  const [tag] = rest;
  if (tag === undefined || rest.length > 1) throw new UsageError("Name one tag, such as v0.1.0");
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
