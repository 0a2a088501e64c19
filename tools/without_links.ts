/**
 * Copies the project into a folder where `@std/*` comes from its own registry, as it does for those
 * who use the package. What is released is tested, compiled and published there.
 *
 *     deno run -A tools/without_links.ts ../released && cd ../released && deno task test
 */
import { copyProject } from "./copy_project.ts";
import { type ProgramArguments, runProgram, UsageError } from "../terminal/program.ts";

const HELP = `Copies the project into FOLDER, with deno.json as it is without "links".

Usage: without_links.ts FOLDER

FOLDER must be empty or not there yet, and outside of the repository. What Deno
needs is then fetched from its registries, the standard library from JSR.

Example:
  deno run -A tools/without_links.ts ../released && cd ../released && deno task test
`;

await runProgram({ name: "without_links.ts", help: HELP, main: copy });

async function copy({ rest }: ProgramArguments): Promise<void> {
  const [folder] = rest;
  if (folder === undefined || rest.length > 1) throw new UsageError("Name one folder to copy into");
  await copyProject(folder);
}
